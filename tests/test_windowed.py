"""Windowed reconstruction: equal to a plain loop over the paper's words."""

import numpy as np
import pytest
import torch
from strategies import random_states
from toy_machines import copying_machine, machine_of, music_machine, parameters_of, sigmoid

from musiclib.mending.windowed import deafened, reconstruct, reconstruct_with, without_feedback
from musiclib.models.checkpoints import save_weights
from musiclib.models.rbm import RBM, RBMConfig
from musiclib.training.runs import RunConfig

GIBBS = pytest.mark.parametrize("gibbs_steps", [1, 3])
SEEDS = 11, 5, 7


def music(steps, *seeds, density=0.1):
    return np.stack([random_states(steps, seed, density) for seed in seeds])


def flipped(logits, generator):
    noise = torch.rand(len(logits), generator=generator).numpy()
    return (noise < sigmoid(logits)).astype(float)


def sampled(machine, window, rounds, generator):
    """A window, as a list of steps, after rounds of hidden units, then cells."""
    weights, visible_bias, hidden_bias = parameters_of(machine)
    visible = np.concatenate(window)
    for _ in range(rounds):
        hidden = flipped(visible @ weights + hidden_bias, generator)
        visible = flipped(weights @ hidden + visible_bias, generator)
    return list(visible.reshape(len(window), -1))


def by_the_papers_words(machine, piece, seed, rounds):
    """Both outputs for one piece.

    "It would start from gibbs sampling whole first window of RBM visible units given the output
    sequence. And then slide one step further, taking 15 values from RBM recent output and 1 last
    value from the original output sequence. [...] Then we reconstruct two outputs where we update
    either one step or the whole window per time step."
    """
    generator, window = torch.Generator().manual_seed(seed), machine.config.window
    original = list(piece.reshape(len(piece), -1).astype(float))
    recent = sampled(machine, original[:window], rounds, generator)
    one_step, whole_window = list(recent), list(recent)
    for value in original[window:]:
        recent = sampled(machine, [*recent[1:], value], rounds, generator)
        one_step = [*one_step, recent[-1]]
        whole_window = [*whole_window[: len(one_step) - window], *recent]
    return tuple(np.reshape(output, piece.shape) for output in (one_step, whole_window))


@GIBBS
@pytest.mark.parametrize(("window", "steps"), [(16, 40), (4, 30), (3, 9), (1, 12)])
def test_both_outputs_are_those_of_a_loop_over_the_papers_words(window, steps, gibbs_steps):
    machine, pieces = music_machine(window, hidden=6), music(steps, 1, 2, 3)
    ours = reconstruct(machine, pieces, SEEDS, gibbs_steps=gibbs_steps)
    assert ours.newest.shape == ours.whole.shape == pieces.shape
    assert ours.newest.dtype == ours.whole.dtype == np.uint8
    for index, (piece, seed) in enumerate(zip(pieces, SEEDS, strict=True)):
        newest, whole = by_the_papers_words(machine, piece, seed, gibbs_steps)
        np.testing.assert_array_equal(ours.newest[index], newest)
        np.testing.assert_array_equal(ours.whole[index], whole)
    assert window == 1 or (ours.newest != ours.whole).any()


def test_one_gibbs_round_is_what_is_done_unless_asked():
    machine, pieces = music_machine(4, hidden=6), music(12, 1)
    for asked, same in ((1, True), (2, False)):
        other = reconstruct(machine, pieces, [3], gibbs_steps=asked)
        assert (reconstruct(machine, pieces, [3]).whole == other.whole).all() == same


def test_a_piece_of_one_window_is_sampled_once():
    machine, pieces = music_machine(16, hidden=6), music(16, 4)
    ours = reconstruct(machine, pieces, [9])
    newest, whole = by_the_papers_words(machine, pieces[0], 9, 1)
    for output in (ours.newest[0], ours.whole[0], whole):
        np.testing.assert_array_equal(output, newest)


def test_a_piece_shorter_than_the_window_is_refused():
    with pytest.raises(ValueError, match="15 steps: a window has 16"):
        reconstruct(music_machine(16, hidden=2), music(15, 0), [0])


@pytest.mark.parametrize("window", [16, 4])
def test_a_piece_is_the_same_alone_or_among_others(window):
    machine, pieces = music_machine(window, hidden=6), music(40, 1, 2, 3)
    together = reconstruct(machine, pieces, SEEDS, gibbs_steps=2)
    for index, seed in enumerate(SEEDS):
        alone = reconstruct(machine, pieces[index : index + 1], [seed], gibbs_steps=2)
        for one, all_of_them in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], all_of_them[index])


def test_a_piece_is_the_same_alone_or_among_others_at_published_size():
    """In single precision too, where sums are rounded otherwise in another batch."""
    torch.manual_seed(0)
    machine, pieces = RBM(RBMConfig()), music(150, 0, 1, 2, density=0.05)
    with torch.no_grad():
        machine.weights.mul_(10)
        machine.visible_bias.fill_(-3)
    together = reconstruct(machine, pieces, (0, 1, 2)).newest
    for index in range(3):
        alone = reconstruct(machine, pieces[index : index + 1], [index]).newest
        np.testing.assert_array_equal(alone[0], together[index])


def test_equal_pieces_with_equal_seeds_come_out_equal_and_with_others_different():
    machine, pieces = music_machine(8, hidden=6), music(30, 1, 1, 1)
    for output in reconstruct(machine, pieces, (4, 4, 6)):
        np.testing.assert_array_equal(output[0], output[1])
        assert (output[0] != output[2]).any()


def test_pieces_with_equal_seeds_hear_the_same_noise():
    """A machine without weights hears nothing else."""
    zeros = np.zeros((4 * 156, 3)), np.zeros(4 * 156), np.zeros(3)
    for output in reconstruct(machine_of(zeros, window=4), music(30, 1, 2), (4, 4)):
        np.testing.assert_array_equal(output[0], output[1])
        assert output.mean() == pytest.approx(0.5, abs=0.05)


@GIBBS
@pytest.mark.parametrize("window", [1, 2, 4])
def test_a_machine_that_copies_gives_the_music_back(window, gibbs_steps):
    machine, pieces = copying_machine(window * 156, window), music(20, 1, 2)
    for output in reconstruct(machine, pieces, (1, 2), gibbs_steps=gibbs_steps):
        np.testing.assert_array_equal(output, pieces)


def test_neither_the_music_nor_the_machine_nor_the_random_state_changes():
    machine, pieces = music_machine(4, hidden=3), music(12, 1, 2)
    music_before, parameters = pieces.copy(), parameters_of(machine)
    state = torch.get_rng_state()
    reconstruct(machine, pieces, (1, 2))
    np.testing.assert_array_equal(pieces, music_before)
    for one, other in zip(parameters_of(machine), parameters, strict=True):
        np.testing.assert_array_equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def saved(machine, path):
    save_weights(machine, path, RunConfig(machine.config).describe())
    return path


def test_a_deaf_machine_plays_the_same_whatever_it_is_given(tmp_path):
    torch.manual_seed(0)
    machine = RBM(RBMConfig(hidden=8))
    machine.weights.data *= 100
    weights, pieces = saved(machine, tmp_path / "weights.safetensors"), music(20, 1, 2)
    windows = music(16, 3, 4, 5).reshape(3, -1)
    deaf = deafened(weights, pieces, [9, 9], 1, windows)
    np.testing.assert_array_equal(deaf.newest[0], deaf.newest[1])
    heard = reconstruct_with(weights, pieces, [9, 9], 1)
    assert (heard.newest[0] != heard.newest[1]).any()
    for output, expected in zip(heard, reconstruct(machine, pieces, [9, 9]), strict=True):
        np.testing.assert_array_equal(output, expected)


def test_without_feedback_a_step_is_heard_for_as_long_as_a_window(tmp_path):
    """Other than with feedback, what a step changes is over when no window holds it."""
    torch.manual_seed(0)
    machine = RBM(RBMConfig(hidden=8, window=4))
    machine.weights.data *= 100
    weights = saved(machine, tmp_path / "weights.safetensors")
    pieces = np.repeat(music(30, 1), 2, axis=0)
    pieces[1, 10] ^= 1
    first, second = without_feedback(weights, pieces, [9, 9], 1)
    changed = np.flatnonzero((first != second).any(axis=(1, 2)))
    assert len(changed) and set(changed) <= set(range(10, 14))
    assert first.shape == pieces[0].shape and first.dtype == np.uint8


def test_without_feedback_a_copying_machine_gives_back_what_it_is_given(tmp_path):
    machine = copying_machine(4 * 156, window=4).float()
    weights, pieces = saved(machine, tmp_path / "weights.safetensors"), music(20, 1, 2)
    np.testing.assert_array_equal(without_feedback(weights, pieces, [1, 2], 1), pieces)
