"""The restricted Boltzmann machine: against loops over all states of small ones."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from toy_machines import (
    assert_all_close,
    bits,
    copying_machine,
    exact,
    expected_statistics,
    gradients_of,
    hidden_chances,
    machine_of,
    mean_statistics,
    numeric_gradient,
    parameters_of,
    random_windows,
    statistics,
    summed_weights,
    toy_machine,
    true_log_likelihood,
    true_probabilities,
    visible_chances,
)

from musiclib.models.rbm import RBM, RBMConfig, flip

CHAINS = 20_000
MIXED = 50  # rounds after which the toy machines have forgotten where they started
SURELY = 4.5  # standard errors
SEEDS = pytest.mark.parametrize("seed", range(4))


def tensor(windows):
    return torch.tensor(windows, dtype=torch.float64)


def contrastive_gradient(machine, windows, memory=None, seed=5):
    """Gradients of `loss`, and the memory that it hands on."""
    torch.manual_seed(seed)
    machine.zero_grad()
    value, memory = machine.train().loss(tensor(windows), memory)
    value.backward()
    return gradients_of(machine), memory


def difference(ours, theirs):
    return [one - other for one, other in zip(ours, theirs, strict=True)]


def naive_gradient(machine, windows, chains):
    """Of F(data) - F(chains): minus the data's statistics, plus the chains'."""
    means = partial(mean_statistics, parameters_of(machine))
    return difference(means(np.asarray(chains)), means(windows))


def chains_by_hand(machine, start, seed=5):
    torch.manual_seed(seed)
    with torch.no_grad():
        return machine.gibbs(tensor(start), machine.config.gibbs_steps)


def counts_of(windows):
    """How often each state occurs, in the order of `bits`."""
    places = 2 ** np.arange(windows.shape[1])[::-1]
    return np.bincount(windows.numpy().astype(int) @ places, minlength=2 ** len(places))


@torch.no_grad()
def rounds_from(machine, start, steps, seed=1):
    """Many independent chains after some rounds, all from one state."""
    generator = torch.Generator().manual_seed(seed)
    return machine.gibbs(tensor(start).expand(CHAINS, -1), steps, generator)


def fit_of(windows, chances):
    """The p-value of windows being drawn with the given chances of all states."""
    return chisquare(counts_of(windows), CHAINS * chances).pvalue


def test_the_machine_has_the_published_size():
    machine = RBM(RBMConfig())
    assert machine.weights.shape == (2496, 1500)
    assert machine.config.visible == 16 * 78 * 2
    assert sum(p.numel() for p in machine.parameters()) == 2496 * 1500 + 2496 + 1500


@SEEDS
def test_free_energy_is_the_log_of_a_sum_over_hidden_states(seed):
    machine = toy_machine(4, 2, seed)
    computed = machine.free_energy(tensor(bits(4))).detach()
    expected = -np.log(summed_weights(parameters_of(machine)))
    np.testing.assert_allclose(computed, expected, rtol=0, atol=1e-10)


def likelihood_gradient(machine, windows):
    machine.zero_grad()
    (machine.free_energy(tensor(windows)).mean() + exact(machine)).backward()
    return gradients_of(machine)


@SEEDS
def test_the_exact_gradient_is_what_the_machine_expects_less_what_the_data_shows(seed):
    machine, windows = toy_machine(4, 2, seed), random_windows(7, 4, seed)
    parameters = parameters_of(machine)
    expected = difference(expected_statistics(parameters), mean_statistics(parameters, windows))
    assert_all_close(likelihood_gradient(machine, windows), expected, rtol=0, atol=1e-6)


@SEEDS
def test_the_exact_gradient_is_the_slope_of_the_log_likelihood(seed):
    machine, windows = toy_machine(4, 2, seed), random_windows(7, 4, seed)
    slopes = numeric_gradient(
        lambda parameters: -true_log_likelihood(parameters, windows), parameters_of(machine)
    )
    assert_all_close(likelihood_gradient(machine, windows), slopes, rtol=0, atol=1e-6)


@SEEDS
@pytest.mark.parametrize("steps", [1, 3])
def test_the_gradient_of_the_loss_is_data_against_chains_restarted_at_them(seed, steps):
    machine = toy_machine(4, 2, seed, gibbs_steps=steps)
    windows = random_windows(9, 4, seed)
    gradient, memory = contrastive_gradient(machine, windows)
    expected = naive_gradient(machine, windows, chains_by_hand(machine, windows))
    assert_all_close(gradient, expected, rtol=0, atol=1e-12)
    assert memory is None


@SEEDS
@pytest.mark.parametrize("steps", [1, 3])
def test_persistent_chains_go_on_where_the_memory_left_them(seed, steps):
    machine = toy_machine(4, 2, seed, gibbs_steps=steps, chains="persistent")
    start, memory = random_windows(30, 4, seed), None
    for iteration in range(3):
        windows = random_windows(30, 4, seed + 10 * iteration)
        by_hand = chains_by_hand(machine, start, seed=iteration)
        gradient, memory = contrastive_gradient(machine, windows, memory, seed=iteration)
        expected = naive_gradient(machine, windows, by_hand)
        assert_all_close(gradient, expected, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(memory, by_hand)
        start = memory.numpy()


def test_the_memory_of_persistent_chains_is_bits_without_a_gradient():
    machine = toy_machine(4, 2, chains="persistent")
    _, memory = contrastive_gradient(machine, random_windows(50, 4))
    assert memory.shape == (50, 4)
    assert set(memory.unique().tolist()) == {0, 1}
    assert not memory.requires_grad


def test_a_machine_that_copies_learns_nothing_from_chains_at_the_data():
    machine = copying_machine(4)
    gradient, _ = contrastive_gradient(machine, random_windows(9, 4))
    assert_all_close(gradient, [np.zeros((4, 4)), np.zeros(4), np.zeros(4)], atol=1e-12)


def test_a_machine_that_copies_compares_data_and_memory():
    """Here the chains stay where they are, so what they should be is known without drawing."""
    machine = copying_machine(4, gibbs_steps=3, chains="persistent")
    windows, kept = random_windows(9, 4, seed=1), random_windows(6, 4, seed=2)
    gradient, memory = contrastive_gradient(machine, windows, tensor(kept))
    np.testing.assert_array_equal(memory, kept)
    expected = naive_gradient(machine, windows, kept)
    assert_all_close(gradient, expected, rtol=0, atol=1e-12)
    assert max(abs(part).max() for part in expected) > 0.1


def errors_away(machine, gradient, windows):
    """How far a gradient is from the exact one, in standard errors of the chains' mean."""
    parameters = parameters_of(machine)
    expected = expected_statistics(parameters)
    spread = [np.zeros_like(parameter) for parameter in parameters]
    for chance, v in zip(true_probabilities(parameters), bits(len(parameters[1])), strict=True):
        for total, one, mean in zip(spread, statistics(parameters, v), expected, strict=True):
            total += chance * (one - mean) ** 2
    truth = difference(expected, mean_statistics(parameters, windows))
    off = zip(gradient, truth, spread, strict=True)
    return max(abs((ours - true) / np.sqrt(var / CHAINS)).max() for ours, true, var in off)


@SEEDS
def test_with_chains_that_have_mixed_the_gradient_is_the_exact_one(seed):
    machine = toy_machine(4, 2, seed, chains="persistent")
    windows = random_windows(8, 4, seed)
    mixed = rounds_from(machine, np.zeros(4), MIXED, seed)
    gradient, _ = contrastive_gradient(machine, windows, mixed)
    assert errors_away(machine, gradient, windows) < SURELY


def test_with_chains_at_the_data_it_is_not():
    machine, few = toy_machine(4, 2, seed=3, scale=2), random_windows(8, 4)
    gradient, _ = contrastive_gradient(machine, np.tile(few, (CHAINS // len(few), 1)))
    assert errors_away(machine, gradient, few) > 2 * SURELY


@SEEDS
def test_gibbs_chains_end_up_as_likely_as_enumeration_says(seed):
    machine = toy_machine(4, 3, seed)
    windows = rounds_from(machine, np.zeros(4), MIXED, seed)
    assert fit_of(windows, true_probabilities(parameters_of(machine))) > 0.001


@SEEDS
def test_that_comparison_would_see_one_weight_changed(seed):
    machine = toy_machine(4, 3, seed)
    windows = rounds_from(machine, np.zeros(4), MIXED, seed)
    weights, *biases = parameters_of(machine)
    weights[1, 2] += 0.3
    assert fit_of(windows, true_probabilities([weights, *biases])) < 1e-6


def bernoulli_product(chances, state):
    return np.prod([p if bit else 1 - p for p, bit in zip(chances, state, strict=True)])


def transitions(parameters):
    """The chance of every state (columns) one round after every state (rows)."""
    visible, hidden = (bits(len(bias)) for bias in parameters[1:])
    there = [[bernoulli_product(hidden_chances(parameters, v), h) for h in hidden] for v in visible]
    back = [[bernoulli_product(visible_chances(parameters, h), v) for v in visible] for h in hidden]
    return np.array(there) @ np.array(back)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_round_is_hidden_units_given_cells_then_cells_given_hidden_units(steps):
    machine = toy_machine(4, 3, seed=2, scale=1.5)
    start = (1, 0, 1, 1)
    several = np.linalg.matrix_power(transitions(parameters_of(machine)), steps)
    chances = several[bits(4).index(start)]
    assert fit_of(rounds_from(machine, start, steps), chances) > 0.001
    assert fit_of(rounds_from(machine, start, steps + 1), chances) < 1e-6


def test_no_rounds_leave_windows_as_they_are():
    windows = tensor(random_windows(9, 4))
    assert torch.equal(toy_machine(4, 2).gibbs(windows, 0), windows)


def test_bits_are_as_often_on_as_their_logits_say():
    chances = np.array([0.001, 0.1, 0.5, 0.95])
    logits = torch.logit(tensor(chances)).expand(CHAINS, -1)
    shares = flip(logits, torch.Generator().manual_seed(0)).mean(dim=0).numpy()
    errors = np.sqrt(chances * (1 - chances) / CHAINS)
    assert (abs(shares - chances) < SURELY * errors).all()


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_bits_from_a_generator_a_row_are_as_often_on():
    chances = np.array([[0.1], [0.5], [0.95]])
    logits = torch.logit(tensor(chances)).expand(-1, CHAINS)
    rows = flip(logits, generators(0, 1, 2))
    errors = np.sqrt(chances * (1 - chances) / CHAINS)
    assert (abs(rows.mean(dim=1, keepdim=True).numpy() - chances) < SURELY * errors).all()
    assert rows.dtype == torch.float64


def test_a_window_with_its_own_generator_does_not_hang_on_its_neighbours():
    machine, windows = toy_machine(12, 7), tensor(random_windows(3, 12))
    together = machine.gibbs(windows, 20, generators(4, 5, 6))
    alone = machine.gibbs(windows[1:2], 20, generators(5))
    assert torch.equal(together[1:2], alone)
    assert not torch.equal(machine.gibbs(windows[1:2], 20, generators(6)), alone)


def naive_reconstruction_loss(machine, windows):
    parameters, total = parameters_of(machine), 0.0
    for window in windows:
        chances = visible_chances(parameters, hidden_chances(parameters, window))
        total -= np.log(bernoulli_product(chances, window))
    return total / len(windows)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("chains", ["data", "persistent"])
def test_the_loss_is_the_cross_entropy_of_a_mean_field_step(training, chains):
    """Music comes as it is stored: bytes, and in more than two dimensions."""
    machine = toy_machine(8, 3, chains=chains, sparsity_cost=0.7).train(training)
    windows = random_windows(6, 8)
    stored = torch.tensor(windows, dtype=torch.uint8).reshape(6, 2, 2, 2)
    value, _ = machine.loss(stored)
    assert value.item() == pytest.approx(naive_reconstruction_loss(machine, windows), rel=1e-12)


def test_out_of_training_the_loss_draws_nothing_and_leaves_the_memory_alone():
    machine = toy_machine(4, 2, chains="persistent").eval()
    memory = tensor(random_windows(6, 4, seed=1))
    before, random_state = memory.clone(), torch.get_rng_state()
    value, kept = machine.loss(tensor(random_windows(6, 4)), memory)
    assert kept is memory
    assert torch.equal(memory, before)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not value.requires_grad


def added_by_sparsity(parameters, windows, **options):
    """What the sparsity term adds to the gradient of the loss."""
    with_cost, _ = contrastive_gradient(machine_of(parameters, **options), windows)
    without, _ = contrastive_gradient(machine_of(parameters), windows)
    return difference(with_cost, without)


@SEEDS
@pytest.mark.parametrize("cost, wished", [(0.3, 0.1), (2.0, 0.6)])
def test_sparsity_pulls_by_mean_activity_less_the_wished_one(seed, cost, wished):
    """Hinton's rule, for weights as for biases, whatever the activity is from window to window."""
    parameters, windows = parameters_of(toy_machine(4, 3, seed)), random_windows(9, 4, seed)
    added = added_by_sparsity(parameters, windows, sparsity_cost=cost, sparsity=wished)
    active = np.mean([hidden_chances(parameters, window) for window in windows], axis=0)
    excess = cost * (active - wished)
    expected = [np.outer(windows.mean(axis=0), excess), np.zeros(4), excess]
    assert_all_close(added, expected, rtol=0, atol=1e-12)
    assert abs(excess).min() > 1e-3


def test_units_that_are_always_on_are_pulled_as_hard():
    parameters = [np.zeros((5, 2)), np.zeros(5), np.array([40.0, -40.0])]
    added = added_by_sparsity(parameters, random_windows(9, 5), sparsity_cost=0.3, sparsity=0.2)
    np.testing.assert_allclose(added[2], [0.3 * 0.8, -0.3 * 0.2], rtol=1e-10)


def test_without_a_gradient_only_the_weights_decay():
    machine = toy_machine(4, 2, learning_rate=0.5, weight_decay=0.01)
    weights, *biases = parameters_of(machine)
    for parameter in machine.parameters():
        parameter.grad = torch.zeros_like(parameter)
    machine.optimizer().step()
    expected = [weights * (1 - 0.5 * 0.01), *biases]
    assert_all_close(parameters_of(machine), expected, rtol=1e-14)


def test_two_steps_of_the_optimiser_gather_momentum():
    machine = toy_machine(4, 2, learning_rate=0.5, weight_decay=0.0, momentum=0.9)
    before, optimizer = parameters_of(machine), machine.optimizer()
    for _ in range(2):
        for parameter in machine.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    expected = [p - 0.5 * (1 + 1.9) for p in before]
    assert_all_close(parameters_of(machine), expected, rtol=0, atol=1e-14)


def test_visible_biases_start_at_the_logits_of_the_frequencies():
    frequencies = np.array([0.02, 0.3, 0.5, 0.9])
    machine = toy_machine(4, 2)
    weights, _, hidden_bias = parameters_of(machine)
    machine.start_biases(tensor(frequencies))
    logits = np.log(frequencies / (1 - frequencies))
    assert_all_close(parameters_of(machine), [weights, logits, hidden_bias], rtol=1e-12)


def test_a_machine_without_weights_then_shows_each_cell_as_often_as_the_data():
    frequencies = np.array([0.02, 0.3, 0.5, 0.9])
    machine = machine_of([np.zeros((4, 3)), np.zeros(4), np.array([-1.0, 0.0, 2.0])])
    machine.start_biases(tensor(frequencies))
    shown = true_probabilities(parameters_of(machine)) @ np.array(bits(4))
    np.testing.assert_allclose(shown, frequencies, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cells_never_or_always_on_count_as_one_in_ten_thousand(dtype):
    machine = toy_machine(4, 2).to(dtype)
    machine.start_biases(torch.tensor([0.0, 1e-9, 0.5, 1.0]))
    rare = np.log(1 / 9999)
    np.testing.assert_allclose(parameters_of(machine)[1], [rare, rare, 0, -rare], rtol=1e-3)


def test_asked_to_start_at_zero_visible_biases_stay_there():
    machine = machine_of([np.ones((4, 2)), np.zeros(4), np.zeros(2)], biases="zero")
    machine.start_biases(tensor([0.02, 0.3, 0.5, 0.9]))
    np.testing.assert_array_equal(parameters_of(machine)[1], np.zeros(4))


@pytest.mark.parametrize("name", ["chains", "biases"])
def test_an_unknown_option_is_refused_by_name(name):
    with pytest.raises(ValueError, match=f"{name} 'hot'"):
        RBM(RBMConfig(hidden=2, window=1, **{name: "hot"}))


def trained(patterns, **options):
    """A machine trained on a few patterns, fifty of each in every batch."""
    silent = [np.zeros(6), np.zeros(8)]
    start = 0.1 * np.random.default_rng(0).standard_normal((6, 8))
    machine = machine_of([start, *silent], learning_rate=0.05, momentum=0.5, **options).train()
    machine.start_biases(tensor(patterns).mean(dim=0))
    optimizer, memory = machine.optimizer(), None
    batch = tensor(np.tile(patterns, (50, 1)))
    torch.manual_seed(0)
    for _ in range(700):
        loss, memory = machine.loss(batch, memory)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return machine


@pytest.mark.parametrize("chains", ["data", "persistent"])
def test_training_raises_the_likelihood_above_that_of_independent_cells(chains):
    """Of four patterns nothing is more likely than one in four, of independent cells all are."""
    patterns = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0], [0, 1, 0] * 2])
    shares = patterns.mean(axis=0)
    alone = np.log(np.where(patterns == 1, shares, 1 - shares)).sum(axis=1).mean()
    machine = trained(patterns.astype(float), chains=chains)
    with torch.no_grad():
        reached = (-machine.free_energy(tensor(patterns)) - exact(machine)).mean().item()
    assert alone + 1 < reached < np.log(1 / 4)
