"""Exact likelihood per frame: chances that sum to 1, naive sums, and frames beyond the end."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.utils._pytree import tree_leaves

from musiclib.base.errors import InputError
from musiclib.corpus.excerpts import NOTHING, Excerpts, excerpt
from musiclib.models import BiaxialConfig, LSTMConfig, RollBiaxialConfig, build, describe
from musiclib.models.biaxial import Memory
from musiclib.models.likelihood import frame_log_likelihoods, mean_nats, nats, per_frame
from musiclib.models.sampling import Coins

pytestmark = pytest.mark.processor

KEYS = 6
SMALL = RollBiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4), keys=KEYS, lowest=60)
WHOLE = RollBiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4))
DEAF = RollBiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4), hears_below=False)
LSTM = LSTMConfig(hidden=9, loss="bernoulli", targets="every", window=16, batch=2)


def network(config, seed=0):
    """One whose weights are large: effects are seen."""
    torch.manual_seed(seed)
    model = build(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
    return model


def roll(frames, seed, keys=88, share=0.1):
    return (np.random.default_rng(seed).random((frames, keys)) < share).astype(np.uint8)


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_the_chances_of_all_chords_of_a_small_keyboard_sum_to_1(frames):
    model, past = network(SMALL), roll(frames, 1, KEYS, 0.4)
    chords = np.array(list(product((0, 1), repeat=KEYS)), np.uint8)
    pieces = [np.concatenate([past, chord[None]]) for chord in chords]
    chances = np.exp([each[-1] for each in frame_log_likelihoods(model, pieces)])
    assert chances.sum() == pytest.approx(1, abs=1e-5)
    assert chances.std() > 1e-3  # they are not all the same


def test_the_chances_of_all_pieces_of_two_frames_sum_to_1():
    config = RollBiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4), keys=4, lowest=60)
    bits = product((0, 1), repeat=8)
    pieces = [np.array(some, np.uint8).reshape(2, 4) for some in bits]
    found = frame_log_likelihoods(network(config), pieces)
    assert np.exp([each.sum() for each in found]).sum() == pytest.approx(1, abs=1e-5)


class Forced(Coins):
    """Coins that fall as a frame says; they add up how likely that was."""

    def __init__(self, frame):
        self.frame, self.log_likelihood = frame[None], 0.0

    def play(self, logits, at=()):
        wanted = self.frame[:, *at].double()
        chance = torch.sigmoid(logits.double())
        self.log_likelihood += float(torch.log(torch.where(wanted > 0, chance, 1 - chance)).sum())
        return wanted.bool()


def unheard(model, pieces):
    """The memory before anything is heard, silence included."""
    if isinstance(model.config, LSTMConfig):
        return None
    return Memory(model.time_axis.begin(pieces * model.keyboard.notes), 15)


@torch.no_grad()
@pytest.mark.parametrize("config", [WHOLE, DEAF, LSTM], ids=["biaxial", "deaf", "lstm"])
def test_a_frame_has_the_likelihood_that_composing_gives_it(config):
    """Step by step and key by key, as the network composes, from a step of silence on."""
    model, piece = network(config), roll(20, 2)
    memory, before, tossed = unheard(model, 1), torch.zeros(1, 88), []
    for frame in torch.from_numpy(piece).float():
        coins = Forced(frame)
        _, memory = model.step(before, memory, coins)
        before = frame[None]
        tossed.append(coins.log_likelihood)
    [found] = frame_log_likelihoods(model, [piece])
    np.testing.assert_allclose(found, tossed, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("config", [WHOLE, LSTM], ids=["biaxial", "lstm"])
def test_composing_begins_where_silence_was_heard(config):
    model, coins = network(config), Coins(torch.rand(2, 88), torch.ones(2), 1.0)
    _, heard = model.step(torch.zeros(2, 88), unheard(model, 2), coins)
    for ours, theirs in zip(tree_leaves(model.begin(2)), tree_leaves(heard), strict=True):
        torch.testing.assert_close(torch.as_tensor(ours), torch.as_tensor(theirs))


@pytest.mark.parametrize("config", [WHOLE, LSTM], ids=["biaxial", "lstm"])
def test_pieces_beside_each_other_and_their_lengths_change_nothing(config):
    model, pieces = network(config), [roll(frames, frames) for frames in (1, 30, 7, 16, 33)]
    together = frame_log_likelihoods(model, pieces)
    assert [len(each) for each in together] == [1, 30, 7, 16, 33]
    for piece, found in zip(pieces, together, strict=True):
        [alone] = frame_log_likelihoods(model, [piece])
        np.testing.assert_allclose(found, alone, rtol=1e-5)


@pytest.mark.parametrize("config", [WHOLE, LSTM], ids=["biaxial", "lstm"])
def test_a_frame_does_not_depend_on_later_ones(config):
    model, piece = network(config), roll(24, 3)
    other = piece.copy()
    other[15:] = roll(9, 4)
    before, after = (frame_log_likelihoods(model, [p])[0] for p in (piece, other))
    np.testing.assert_allclose(before[:15], after[:15], rtol=1e-6)
    assert not np.allclose(before[15:], after[15:])


def test_all_odds_even_gives_88_ln_2():
    model = build(WHOLE)
    with torch.no_grad():
        model.output.weight.zero_(), model.output.bias.zero_()
    found = frame_log_likelihoods(model, [roll(9, 5), roll(3, 6)])
    assert per_frame(found) == pytest.approx(-60.997, abs=5e-4)


def test_frames_count_alike_not_pieces():
    assert per_frame([np.array([-1.0]), np.array([-3.0, -3.0, -3.0])]) == -2.5


def test_what_is_no_step_costs_nothing():
    rolls = torch.from_numpy(roll(11, 7)[None].repeat(2, 0))
    rolls[1, 6:] = NOTHING
    logits = torch.randn(2, 10, 88)
    each = nats(logits, rolls)
    assert (each[1, 5:] == 0).all() and (each[1, :5] > 0).all()
    assert mean_nats(logits, rolls).item() == pytest.approx(each.sum().item() / 15)


@pytest.mark.parametrize("config", [WHOLE, LSTM], ids=["biaxial", "lstm"])
def test_the_loss_is_the_mean_over_the_steps_of_an_excerpt(config):
    model, pieces = network(config), [roll(10, 8), roll(23, 9)]
    longest = Excerpts(pieces, 2, 32).every(1)[0][0]
    loss = model.loss(longest)[0].item()
    assert loss == pytest.approx(-per_frame(frame_log_likelihoods(model, pieces)), rel=1e-5)


def test_excerpts_begin_at_bars_hear_what_was_before_and_reach_every_end():
    pieces = [roll(frames, frames, share=0.5) for frames in (5, 16, 40, 64)]
    batches = Excerpts(pieces, batch=3, steps=24)
    assert batches.places == [(0, 0), (1, 0), (2, 0), (2, 16), (3, 0), (3, 16), (3, 32), (3, 48)]
    last = batches._read([(2, 16), (0, 0)], [0, 0]).numpy()
    assert last.shape == (2, 25, 88)
    np.testing.assert_array_equal(last[0], pieces[2][15:40])
    assert not last[1, 0].any() and (last[1, 6:] == NOTHING).all()
    np.testing.assert_array_equal(last[1, 1:6], pieces[0])


def test_excerpts_are_moved_together_and_lose_no_key():
    piece = roll(16, 10)
    piece[:, :3] = piece[:, 80:] = 0
    piece[0, [3, 79]] = 1
    batches = Excerpts([piece], batch=40, steps=16, move=11)
    drawn, _ = batches.draw(0, torch.Generator().manual_seed(0))
    moves = set()
    for row in drawn.numpy():
        lowest = np.flatnonzero(row.any(axis=0))[0]
        moves.add(int(lowest) - 3)
        np.testing.assert_array_equal(row[1:, lowest : lowest + 77], piece[:, 3:80])
    assert min(moves) == -3 and max(moves) == 8 and len(moves) > 6


def test_excerpts_are_the_same_for_an_iteration_and_say_where_there_are_none():
    batches = Excerpts([roll(40, 11)], 4, 16, move=3)
    one, other = (batches.draw(5, torch.Generator().manual_seed(5))[0] for _ in range(2))
    assert torch.equal(one, other)
    assert len(batches.every(3)) == 3
    with pytest.raises(InputError, match="no piece has a step"):
        Excerpts([roll(0, 0)], 4, 16)
    with pytest.raises(InputError, match="excerpts of 15 steps: ask for 16, a bar, or more"):
        Excerpts([roll(40, 11)], 4, 15)


def test_a_network_that_reads_note_states_is_refused():
    with pytest.raises(InputError, match="BiaxialRNN reads no piano rolls"):
        frame_log_likelihoods(build(BiaxialConfig(time_sizes=(4,), note_sizes=(3,))), [roll(4, 0)])


def test_a_piece_begins_with_silence():
    piece = roll(4, 12)
    assert excerpt(piece).shape == (5, 88) and not excerpt(piece)[0].any()
    assert excerpt(piece, start=16) is piece


@torch.no_grad()
def test_a_key_is_told_of_those_below_or_of_none():
    """Given the past, a key that hears nothing is as likely whatever sounds below it."""
    lower = np.zeros((3, 88), np.uint8)
    lower[-1, 20] = 1
    for config, told in ((WHOLE, True), (DEAF, False)):
        model = network(config)
        silent, chord = (model(torch.from_numpy(np.stack([each]))) for each in (lower * 0, lower))
        assert torch.equal(silent[0, -1, :21], chord[0, -1, :21])
        assert torch.equal(silent[0, -1, 21:], chord[0, -1, 21:]) != told


def test_what_is_not_said_of_hearing_keeps_the_names_of_runs():
    assert "hears_below" not in describe(WHOLE) and describe(DEAF)["hears_below"] is False
