"""The conditional RBM: its energy by plain loops, its symmetries, and that it learns."""

import numpy as np
import pytest
import torch
from strategies import random_states, scale_piece
from toy_machines import sigmoid

from musiclib.corpus.batches import Corrupted
from musiclib.models.conditional_rbm import ConditionalRBM, ConditionalRBMConfig, _in_parts
from musiclib.models.nonlocal_means import recall
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, held_out_loss, train

SMALL = {"maps": 3, "reach": (1, 2), "coupling": (1, 2)}


def small_machine(seed=0, **options):
    """Random in all its parameters."""
    torch.manual_seed(seed)
    machine = ConditionalRBM(ConditionalRBMConfig(**{**SMALL, **options}))
    with torch.no_grad():
        for parameter in machine.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
    return machine


class Terms:
    """The energy of one piece, term by term, in plain loops.

    E(x, h | y) = - sum x (b + A*y + M*r(y)) - sum h (c + B*y + N*r(y) + W*x); x, y, r(y) and h
    are (channels, T, 78).
    """

    def __init__(self, machine, given):
        named = machine.named_parameters()
        self.parts = {name: part.detach().numpy() for name, part in named}
        self.y = given.transpose(2, 0, 1).astype(float)
        self.r = recall(torch.from_numpy(given)).numpy().transpose(2, 0, 1)

    def to_cells(self):
        """b + A*y + M*r(y)."""
        heard = heard_from(self.y, self.parts["cells_from_given.weight"])
        recalled = heard_from(self.r, self.parts["cells_from_recalled.weight"])
        return self.parts["cell_bias"] + heard + recalled

    def to_hidden(self):
        """c + B*y + N*r(y)."""
        heard = heard_from(self.y, self.parts["hidden_from_given.weight"])
        recalled = heard_from(self.r, self.parts["hidden_from_recalled.weight"])
        return self.parts["hidden_bias"] + heard + recalled

    def coupled(self, x):
        """W*x."""
        return heard_from(x, self.parts["coupling"])

    def energy(self, x, h):
        return -np.sum(x * self.to_cells()) - np.sum(h * (self.to_hidden() + self.coupled(x)))

    def coupled_back(self, h):
        """The sum over all h of what each gives the cells that it is coupled with."""
        weights, (_, steps, pitches) = self.parts["coupling"], h.shape
        _, cells, tall, wide = weights.shape
        back = np.zeros((cells, steps + tall - 1, pitches + wide - 1))
        for unit, t, p in np.ndindex(h.shape):
            back[:, t : t + tall, p : p + wide] += h[unit, t, p] * weights[unit]
        return back[:, tall // 2 :, wide // 2 :][:, :steps, :pitches]

    def mean_field(self, rounds):
        """Logits of x; hidden units are rectified, and cells begin as they are given."""
        x = self.y
        for _ in range(rounds):
            h = np.maximum(0, self.to_hidden() + self.coupled(x))
            logits = self.to_cells() + self.coupled_back(h)
            x = sigmoid(logits)
        return logits.transpose(1, 2, 0)


def heard_from(music, weights):
    """What is heard at every step and pitch from the music around; beyond its edges is silence."""
    outputs, _, tall, wide = weights.shape
    _, steps, pitches = music.shape
    edges = (0, 0), (tall // 2, tall // 2), (wide // 2, wide // 2)
    padded, heard = np.pad(music, edges), np.zeros((outputs, steps, pitches))
    for output, t, p in np.ndindex(heard.shape):
        heard[output, t, p] = np.sum(padded[:, t : t + tall, p : p + wide] * weights[output])
    return heard


def logits_of(machine, *given):
    with torch.no_grad():
        return machine(torch.from_numpy(np.stack(given))).numpy()


def piece(seed=0, steps=6, density=0.3):
    return random_states(steps, seed, density)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_the_logits_are_those_of_the_energys_mean_field(rounds):
    machine = small_machine(mean_field=rounds)
    pieces = [piece(seed) for seed in range(2)]
    ours = logits_of(machine, *pieces)
    for logits, given in zip(ours, pieces, strict=True):
        expected = Terms(machine, given).mean_field(rounds)
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


def test_a_logit_is_what_the_energy_falls_by_when_its_cell_goes_on():
    machine, given = small_machine(), piece(3)
    terms, [logits] = Terms(machine, given), logits_of(machine, given)
    x = terms.y
    h = np.maximum(0, terms.to_hidden() + terms.coupled(x))
    for step, pitch, bit in ((0, 0, 0), (0, 77, 1), (2, 40, 1), (3, 41, 0), (5, 77, 0)):
        off, on = x.copy(), x.copy()
        off[bit, step, pitch], on[bit, step, pitch] = 0, 1
        falls = terms.energy(off, h) - terms.energy(on, h)
        assert logits[step, pitch, bit] == pytest.approx(falls, rel=1e-4, abs=1e-4)


def coupled_alone():
    """A machine of the coupling alone, whose hidden units are far from where they bend."""
    machine = small_machine(2)
    with torch.no_grad():
        for name, parameter in machine.named_parameters():
            if name != "coupling":
                parameter.zero_()
        machine.hidden_bias.fill_(50)
    return machine


def test_cells_hear_hidden_units_as_hidden_units_hear_cells():
    """Then going there and back is W'W: symmetric, and never against what went."""
    machine = coupled_alone()
    one, other = piece(1), piece(2)
    [first], [second], [nothing] = (
        logits_of(machine, music) - logits_of(machine, np.zeros_like(music))
        for music in (one, other, one & 0)
    )
    assert np.sum(other * first) == pytest.approx(np.sum(one * second), rel=1e-4)
    assert np.sum(one * first) > 1 and not nothing.any()
    through = Terms(machine, one)
    np.testing.assert_allclose(np.sum(one * first), np.sum(through.coupled(through.y) ** 2), 1e-4)


@pytest.mark.parametrize("moved_by", [(5, 0), (0, 1), (0, -7), (-3, 12)])
def test_music_that_is_moved_is_heard_the_same_there(moved_by):
    """Far from the edges, and where no pitch is unlike another.

    Eight steps have at most eight neighbours that are alike: which are recalled is clear.
    """
    machine = small_machine(mean_field=2)
    with torch.no_grad():
        machine.cell_bias.zero_()
        machine.hidden_bias.zero_()
    given = np.zeros((90, 78, 2), np.uint8)
    given[40:48, 30:45] = piece(1, 8)[:, 30:45]
    [here] = logits_of(machine, given)
    [there] = logits_of(machine, np.roll(given, moved_by, axis=(0, 1)))
    far_from_edges = np.s_[20:70, 20:60]
    expected = np.roll(here, moved_by, axis=(0, 1))
    np.testing.assert_allclose(there[far_from_edges], expected[far_from_edges], atol=1e-4)
    assert abs(expected[far_from_edges]).max() > 1


def test_biases_tell_pitches_apart():
    machine, given = small_machine(), piece(1)
    before = logits_of(machine, given)
    with torch.no_grad():
        machine.cell_bias[1, 0, 40] += 2
    risen = logits_of(machine, given) - before
    assert risen[0, :, 40, 1] == pytest.approx(2, abs=1e-4)
    risen[0, :, 40, 1] = 0
    assert not risen.any()


def test_the_loss_is_the_cross_entropy_a_bar():
    machine = small_machine()
    meant, given = (np.stack([piece(s, 24) for s in seeds]) for seeds in ((0, 1), (2, 3)))
    batch = torch.from_numpy(np.concatenate([meant, given], axis=-1))
    value, memory = machine.loss(batch)
    chances = sigmoid(logits_of(machine, *given).astype(float))
    surprise = -np.log(np.where(meant == 1, chances, 1 - chances))
    assert value.item() == pytest.approx(surprise.sum() / (2 * 24 / 16), rel=1e-4)
    assert memory is None


def batches():
    return Corrupted([scale_piece(60, 80, seed) for seed in range(3)], steps=32, most=0.2)


def test_the_gradient_reaches_every_parameter():
    machine = small_machine()
    batch, _ = batches().draw(0, torch.Generator().manual_seed(0))
    machine.loss(batch)[0].backward()
    for name, parameter in machine.named_parameters():
        assert parameter.grad.abs().max() > 1e-6, name


def test_training_lowers_the_loss_below_that_of_independent_cells(tmp_path):
    """Those cost as much as cells on their own with how often each is on."""
    torch.manual_seed(0)
    machine = ConditionalRBM(ConditionalRBMConfig(**SMALL, learning_rate=0.01))
    same = batches().every(20)
    before = held_out_loss(machine, same)
    train(machine, Plan([Stage("main", batches(), 80)], seed=0), tmp_path / "state.pt")
    shares = np.mean([scale_piece(60, 80, seed) for seed in range(3)], axis=(0, 1)).clip(1e-9)
    alone = -16 * np.sum(shares * np.log(shares) + (1 - shares) * np.log1p(-shares))
    assert held_out_loss(machine, same) < 0.8 * before
    assert held_out_loss(machine, same) < 0.5 * alone


def test_before_training_the_machine_believes_what_it_is_given():
    torch.manual_seed(0)
    machine = ConditionalRBM(ConditionalRBMConfig())
    given = torch.from_numpy(random_states(40, 1, 0.05))[None]
    with torch.no_grad():
        assert torch.equal(machine(given) > 0, given == 1)


@torch.no_grad()
def test_some_steps_at_a_time_is_the_convolution_of_all():
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(2, 3, (17, 49), padding=(8, 24), bias=False)
    for steps in (1, 100, 128, 129, 300):
        y = torch.rand(2, 2, steps, 78)
        torch.testing.assert_close(_in_parts(convolution, y), convolution(y), rtol=0, atol=1e-4)
