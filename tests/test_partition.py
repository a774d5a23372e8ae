"""The partition function: estimated against the sum over all states."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import chi2
from toy_machines import (
    assert_all_close,
    bits,
    machine_of,
    parameters_of,
    toy_machine,
    true_log_partition,
    true_probabilities,
)

from musiclib.mending.partition import ais, log_likelihood

SIZES = pytest.mark.parametrize("visible, hidden", [(4, 2), (3, 5), (3, 3), (1, 1)])
STEPS = {"temperatures": 300, "chains": 200}


def matrix_log_partition(machine):
    """By one matrix of all visible against all hidden states: loops would take minutes."""
    weights, visible_bias, hidden_bias = parameters_of(machine)
    v, h = (np.array(bits(len(bias))) for bias in (visible_bias, hidden_bias))
    return logsumexp(v @ weights @ h.T + (v @ visible_bias)[:, None] + h @ hidden_bias)


def assert_near(estimate, truth):
    assert abs(estimate.value / truth - 1) < 0.01
    assert abs(estimate.value - truth) < 5 * estimate.error


@pytest.mark.parametrize("scale", [0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_estimate_is_near_the_exact_value(scale, seed):
    machine = toy_machine(10, 8, seed, scale)
    assert_near(ais(machine, seed=seed, **STEPS), matrix_log_partition(machine))


def test_so_it_is_with_the_usual_temperatures_and_chains():
    machine = toy_machine(10, 8, seed=7)
    assert_near(ais(machine), matrix_log_partition(machine))


def test_its_standard_error_is_as_large_as_it_is_wrong():
    machine = toy_machine(10, 8, seed=1, scale=0.5)
    truth = matrix_log_partition(machine)
    runs = [ais(machine, temperatures=20, chains=200, seed=seed) for seed in range(40)]
    squares = sum(((run.value - truth) / run.error) ** 2 for run in runs)
    assert chi2.ppf(0.001, 40) < squares < chi2.ppf(0.999, 40)


def test_more_temperatures_make_it_less_wrong():
    machine = toy_machine(10, 8, seed=1)
    errors = [ais(machine, temperatures=steps, chains=100).error for steps in (10, 100, 1000)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2] > 0


def test_a_seed_gives_the_same_estimate_and_another_seed_another():
    machine = toy_machine(10, 8)
    first, again, other = (ais(machine, temperatures=20, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first.value != other.value


def test_an_estimate_leaves_the_random_state_alone():
    machine, expected = toy_machine(4, 2), torch.get_rng_state()
    ais(machine, temperatures=5)
    assert torch.equal(torch.get_rng_state(), expected)


@pytest.mark.parametrize("start", ["zeros", "far off", "other way round"])
def test_wherever_it_starts_the_estimate_is_the_same(start):
    machine = toy_machine(10, 8, seed=2, scale=0.7)
    starts = {
        "zeros": torch.zeros(10),
        "far off": torch.linspace(-3, 3, 10),
        "other way round": -machine.visible_bias.detach(),
    }
    estimate = ais(machine, start=starts[start], **STEPS)
    assert_near(estimate, matrix_log_partition(machine))
    assert estimate.value != ais(machine, **STEPS).value


def test_it_starts_at_the_visible_biases_unless_told_otherwise():
    machine = toy_machine(10, 8)
    told = ais(machine, temperatures=20, start=machine.visible_bias.detach())
    assert told == ais(machine, temperatures=20)


def test_an_estimate_leaves_the_machine_as_it_was():
    machine = toy_machine(10, 8).float()
    before = parameters_of(machine)
    start = torch.zeros(10)
    ais(machine, temperatures=20, start=start)
    assert_all_close(parameters_of(machine), before, rtol=0)
    assert all(p.dtype == torch.float32 and p.requires_grad for p in machine.parameters())
    assert not start.any()


def test_of_a_machine_without_weights_the_estimate_is_exact():
    biases = toy_machine(10, 8, scale=2)
    _, visible_bias, hidden_bias = parameters_of(biases)
    machine = machine_of([np.zeros((10, 8)), visible_bias, hidden_bias])
    estimate = ais(machine, temperatures=50, chains=10)
    expected = np.log(1 + np.exp([*visible_bias, *hidden_bias])).sum()
    assert estimate.value == pytest.approx(expected, rel=1e-12)
    assert estimate.error < 1e-12


@SIZES
def test_the_likelihoods_of_all_windows_are_those_of_enumeration_and_add_up_to_one(visible, hidden):
    machine = toy_machine(visible, hidden)
    windows = torch.tensor(bits(visible), dtype=torch.float64)
    likelihoods = log_likelihood(machine, windows, true_log_partition(parameters_of(machine)))
    assert likelihoods.shape == (2**visible,)
    assert likelihoods.exp().sum().item() == pytest.approx(1, rel=1e-12)
    expected = np.log(true_probabilities(parameters_of(machine)))
    np.testing.assert_allclose(likelihoods, expected, rtol=0, atol=1e-10)


def test_likelihoods_of_a_machine_in_single_precision_come_in_double():
    machine = toy_machine(4, 2).float()
    log_z = true_log_partition(parameters_of(deepcopy(machine).double()))
    likelihoods = log_likelihood(machine, torch.tensor(bits(4), dtype=torch.uint8), log_z)
    assert likelihoods.dtype == torch.float64
    assert machine.weights.dtype == torch.float32
    assert likelihoods.exp().sum().item() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("wrong", [{"chains": 1}, {"temperatures": 0}])
def test_too_little_to_estimate_from_is_refused(wrong):
    with pytest.raises(ValueError, match="needed"):
        ais(toy_machine(4, 2), **wrong)
