"""Mending: what is good stays, ways equal plain loops over windows, keys do not matter."""

import zlib
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    PLAY,
    STRUCK,
    hand_states,
    legal_states,
    note_list,
    random_states,
    repaired,
    scale_piece,
)
from toy_machines import music_machine, parameters_of, sigmoid

from musiclib.mending.mend import baseline, choose, mend, tuned
from musiclib.mending.ways import cell_by_cell, conditional, votes
from musiclib.metrics.note_f1 import f1
from musiclib.models import ConditionalRBM, ConditionalRBMConfig
from musiclib.music.corrupted import corrupt
from musiclib.music.keys import estimate_key

SEED = st.integers(0, 2**32)
CHANCE = st.sampled_from([0, 0.1, 0.5, 0.9, 1])


def rng(seed=0):
    return np.random.default_rng(seed)


def certain(steps, *notes):
    """Chances of 1 for the cells of notes, and of 0 for all others."""
    return hand_states(steps, *notes).astype(float)


def assert_chosen(states, chances, expected, **thresholds):
    np.testing.assert_array_equal(choose(states, chances, **thresholds), expected)


@given(legal_states())
def test_music_that_chances_agree_with_stays(states):
    assert_chosen(states, states.astype(float), states)


def test_a_note_whose_strike_is_unlikely_goes_with_all_that_is_held():
    states = hand_states(8, (60, 1, 5), (64, 1, 3), (64, 4, 3))
    chances = states.astype(float)
    chances[1, 36, STRUCK] = chances[4, 40, STRUCK] = 0.4
    assert_chosen(states, chances, hand_states(8, (64, 1, 3)))


def test_a_note_that_is_likely_comes_and_is_held_as_long_as_that_is_likely():
    chances = certain(8, (60, 1, 3))
    chances[4, 36, PLAY], chances[5:7, 36, PLAY] = 0.5, 0.9  # as likely as not ends it
    assert_chosen(hand_states(8), chances, hand_states(8, (60, 1, 3)))


def test_a_new_note_stops_at_a_strike_at_a_given_note_and_at_the_end():
    chances = certain(9, (60, 1, 8), (62, 0, 9))
    chances[4, 36, STRUCK] = 1
    states = hand_states(9, (62, 3, 2))
    chances[3, 38, STRUCK] = 1
    expected = hand_states(9, (60, 1, 3), (60, 4, 5), (62, 0, 3), (62, 3, 2))
    assert_chosen(states, chances, expected)


def test_what_is_held_without_a_strike_is_not_played():
    chances = np.zeros((6, 78, 2))
    chances[..., PLAY] = 1
    assert_chosen(hand_states(6), chances, hand_states(6))


def test_a_given_note_keeps_its_length_whatever_the_chances_of_holding():
    states = hand_states(8, (60, 1, 3))
    chances = certain(8, (60, 1, 6))
    assert_chosen(states, chances, states)
    chances[2:, 36, PLAY] = 0
    assert_chosen(states, chances, states)


@pytest.mark.parametrize(("chance", "stays"), [(0.3, True), (0.29, False), (0.31, True)])
def test_a_note_stays_at_the_threshold_and_above(chance, stays):
    states = hand_states(5, (60, 1, 3))
    expected = states if stays else hand_states(5)
    assert_chosen(states, chance * states, expected, keep=0.3, add=0.9)


@pytest.mark.parametrize(("chance", "comes"), [(0.7, False), (0.69, False), (0.71, True)])
def test_a_note_comes_above_the_threshold_alone(chance, comes):
    chances = certain(5, (60, 1, 3))
    chances[1, 36, STRUCK] = chance
    expected = hand_states(5, (60, 1, 3)) if comes else hand_states(5)
    assert_chosen(hand_states(5), chances, expected, add=0.7)


def random_chances(steps, seed, strikes=0.1):
    """Any chances, with few likely strikes among them."""
    chances = rng(seed).random((steps, 78, 2))
    chances[..., STRUCK] **= np.log(strikes) / np.log(0.5)
    return chances


def chosen_by_hand(states, chances, keep, add):
    """Pitch by pitch and step by step."""
    notes = [n for n in note_list(states) if chances[n[0], n[2], STRUCK] >= keep]
    mended = hand_states(len(states), *((p + 24, first, end - first) for first, end, p in notes))
    given, was_struck = mended[..., PLAY] == 1, states[..., STRUCK] == 1
    for pitch in range(78):
        sounding = False
        for step in range(len(states)):
            likely = not was_struck[step, pitch] and chances[step, pitch, STRUCK] > add
            struck = likely and not given[step, pitch]
            held = sounding and not given[step, pitch] and chances[step, pitch, PLAY] > 0.5
            sounding = struck or held
            mended[step, pitch] |= np.array([sounding, struck], np.uint8)
    return mended


@given(legal_states(), SEED, CHANCE, CHANCE)
def test_what_is_chosen_is_what_a_plain_loop_chooses(states, seed, keep, add):
    chances = random_chances(len(states), seed)
    assert_chosen(states, chances, chosen_by_hand(states, chances, keep, add), keep=keep, add=add)


@given(legal_states(), SEED, CHANCE, CHANCE)
def test_what_is_chosen_is_legal_and_what_it_is_chosen_from_untouched(states, seed, keep, add):
    chances = random_chances(len(states), seed, strikes=0.3)
    before = states.copy(), chances.copy()
    chosen = choose(states, chances, keep, add)
    np.testing.assert_array_equal(chosen, repaired(chosen))
    assert chosen.shape == states.shape and chosen.dtype == np.uint8
    for one, other in zip(before, (states, chances), strict=True):
        np.testing.assert_array_equal(one, other)


def two_spoiled_pieces():
    """Chances at which nothing but keep = 0.2 and add = 0.6 tells right notes from wrong ones."""
    real, lost, wrong = (60, 1, 3), (64, 2, 1), (50, 4, 2)
    first = hand_states(9, real, lost), hand_states(9, real, wrong)
    second = hand_states(9, lost), hand_states(9, wrong)
    chances = 0.2 * hand_states(9, real) + 0.65 * hand_states(9, lost)
    chances += 0.15 * hand_states(9, wrong) + 0.6 * hand_states(9, (70, 0, 1))
    return [first, second], chances


def test_tuned_thresholds_tell_right_notes_from_wrong_ones():
    pairs, chances = two_spoiled_pieces()
    assert tuned(pairs, lambda _: chances) == (0.2, 0.6)
    for meant, spoilt in pairs:
        assert_chosen(spoilt, chances, meant, keep=0.2, add=0.6)


@pytest.mark.parametrize("seed", range(3))
def test_tuned_thresholds_are_no_worse_than_leaving_music_as_it_is(seed):
    pieces = [random_states(20, seed + 10 * i, 0.1) for i in range(3)]
    pairs = [(piece, corrupt(piece, 0.2, rng(seed))) for piece in pieces]
    thresholds = tuned(pairs, some_way)

    def reached(given):
        return np.mean([f1(given(spoilt), meant) for meant, spoilt in pairs])

    assert reached(lambda s: choose(s, some_way(s), *thresholds)) >= reached(lambda s: s)


def test_cell_by_cell_is_what_is_more_likely_than_not_made_legal():
    chances = np.zeros((4, 78, 2))
    chances[1:3, 36, PLAY] = 0.6  # held without a strike
    chances[0, 40, STRUCK] = 0.9  # struck without sounding
    chances[2, 50] = 0.5
    np.testing.assert_array_equal(cell_by_cell(chances), hand_states(4, (60, 1, 2)))


def as_given(states):
    return states.astype(float)


def nowhere(states):
    return np.zeros(states.shape)


def some_way(states):
    """Chances that hang on every cell, and are 0 outside the middle of the pitches."""
    chances = random_chances(len(states), zlib.crc32(states.tobytes()), strikes=0.05)
    chances[:, :20] = chances[:, -20:] = 0
    return chances


@pytest.mark.parametrize("normalise", [True, False])
@given(SEED)
def test_a_way_that_agrees_leaves_music_as_it_sounds(normalise, seed):
    anything = rng(seed).integers(0, 2, (12, 78, 2), np.uint8)
    before = anything.copy()
    mended = mend(anything, as_given, normalise=normalise)
    np.testing.assert_array_equal(mended, repaired(anything))
    np.testing.assert_array_equal(anything, before)


@pytest.mark.parametrize("root", [55, 58, 59, 61, 64, 66])
@given(st.integers(0, 20))
def test_a_piece_in_another_key_is_mended_likewise(root, seed):
    """These are moved to the C major of the same octave: there and back the shorter way."""
    in_c, elsewhere = (scale_piece(tonic, 32, seed) for tonic in (60, root))
    expected = np.roll(mend(in_c, some_way), root - 60, axis=1)
    np.testing.assert_array_equal(mend(elsewhere, some_way), expected)
    assert (expected != elsewhere).any()


def heard_by(states, **options):
    """What a way gets to hear of a piece."""
    heard = []
    mend(states, lambda given: heard.append(given) or as_given(given), **options)
    return heard[0]


@pytest.mark.parametrize("root", range(55, 67))
def test_a_way_hears_c_major_unless_keys_are_left_alone(root):
    states = scale_piece(root, 32)
    np.testing.assert_array_equal(heard_by(states), scale_piece(60, 32))
    np.testing.assert_array_equal(heard_by(states, normalise=False), states)


def test_a_way_hears_legal_music():
    states = scale_piece(62, 32)
    states[4, 70] = 0, 1  # struck without sounding
    states[6, 60] = 1, 0  # held without a strike
    for normalise in (True, False):
        heard = heard_by(states, normalise=normalise)
        np.testing.assert_array_equal(heard, repaired(heard))


@pytest.mark.parametrize(("root", "edge"), [(59, 101), (61, 24)])
def test_notes_pushed_over_the_edge_come_back(root, edge):
    """All else is unlikely, and goes."""
    states = scale_piece(root, 160)
    over = hand_states(160, (edge, 3, 2), (edge, 5, 4))
    assert estimate_key(states | over, "paper").interval == 60 - root
    np.testing.assert_array_equal(mend(states | over, nowhere), over)


@pytest.mark.parametrize("normalise", [True, False])
def test_silence_may_stay_silent_or_get_notes(normalise):
    silence = hand_states(6)
    assert not mend(silence, as_given, normalise=normalise).any()
    way = partial(np.ones, (6, 78, 2))
    mended = mend(silence, lambda _: way(), normalise=normalise)
    np.testing.assert_array_equal(mended, np.ones_like(silence))


def test_the_conditional_machine_says_what_its_logits_say():
    torch.manual_seed(0)
    machine = ConditionalRBM(ConditionalRBMConfig(maps=2, reach=(1, 1), coupling=(1, 1)))
    states = random_states(20, 1)
    logits = machine(torch.from_numpy(states)[None])[0].detach().numpy()
    chances = conditional(machine, states)
    np.testing.assert_allclose(chances, sigmoid(logits), rtol=1e-5)
    assert chances.shape == states.shape


def windows_of(states, size):
    """(first step, cells) of every window; music shorter than one is filled up with silence."""
    silence = np.zeros((max(0, size - len(states)), 78, 2))
    padded = np.concatenate([states.astype(float), silence])
    return [(start, padded[start : start + size]) for start in range(len(padded) - size + 1)]


def mean_field(parameters, window):
    weights, visible_bias, hidden_bias = parameters
    hidden = sigmoid(window.ravel() @ weights + hidden_bias)
    return sigmoid(weights @ hidden + visible_bias).reshape(window.shape)


def votes_by_hand(machine, states):
    size = machine.config.window
    heard = [
        (start, mean_field(parameters_of(machine), w)) for start, w in windows_of(states, size)
    ]
    return np.array(
        [
            np.mean([w[step - first] for first, w in heard if 0 <= step - first < size], axis=0)
            for step in range(len(states))
        ]
    )


@pytest.mark.parametrize(("window", "steps"), [(4, 11), (4, 4), (4, 5), (16, 40), (1, 3), (4, 300)])
def test_votes_are_the_mean_over_all_windows_that_hold_a_cell(window, steps):
    machine, states = music_machine(window, hidden=5), random_states(steps, 1, 0.1)
    expected = votes_by_hand(machine, states)
    np.testing.assert_allclose(votes(machine, states), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("steps", [1, 3])
def test_music_shorter_than_a_window_is_filled_up_with_silence(steps):
    machine, states = music_machine(4, hidden=5), random_states(steps, 2, 0.2)
    expected = votes_by_hand(machine, states)
    assert expected.shape == states.shape
    np.testing.assert_allclose(votes(machine, states), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_ways_take_silence_and_music_of_any_length_and_leave_it_alone(steps):
    machine = music_machine(4, hidden=5)
    for states in (hand_states(steps), random_states(steps, 1, 0.1)):
        before = states.copy()
        chances = votes(machine, states)
        assert chances.shape == states.shape and np.isfinite(chances).all()
        np.testing.assert_array_equal(states, before)


C_MAJOR = [(60, 0, 4), (62, 4, 2), (64, 6, 2), (65, 8, 2), (67, 10, 3), (69, 13, 1), (71, 14, 1)]
CHORDS = [(48, 0, 8), (52, 0, 8), (55, 0, 8), (53, 8, 4), (57, 8, 4), (48, 12, 4), (55, 12, 4)]


def bars_of_c_major(count):
    """The same bar in C major again and again."""
    notes = [
        (pitch, first + 16 * i, n) for i in range(count) for pitch, first, n in C_MAJOR + CHORDS
    ]
    return hand_states(16 * count, *notes)


def one_more(states, *note):
    return states | hand_states(len(states), note)


@pytest.mark.parametrize("at", [3, 20, 40])
def test_the_baseline_drops_a_note_outside_the_key(at):
    states = bars_of_c_major(3)
    np.testing.assert_array_equal(baseline(one_more(states, 66, at, 2)), states)


def test_the_baseline_hears_the_key_of_a_bar_among_its_neighbours():
    """G, B, D and F sharp alone are in G major; between bars in C major they are not."""
    states = bars_of_c_major(3)
    states[16:32] = hand_states(16, (67, 0, 4), (71, 4, 4), (62, 8, 4), (66, 12, 2))
    alone = states[16:32]
    np.testing.assert_array_equal(baseline(alone), alone)
    mended = baseline(states)
    assert not mended[16:32, 66 - 24].any()
    np.testing.assert_array_equal(mended[16:28] & alone[:12], alone[:12])


def test_the_baseline_brings_back_what_both_neighbours_strike():
    states = bars_of_c_major(4)
    missing = states.copy()
    missing[16 + 8 : 16 + 10, 65 - 24] = 0
    np.testing.assert_array_equal(baseline(missing), states)


@pytest.mark.parametrize("at", [0, 2])
def test_the_baseline_does_not_bring_back_what_one_neighbour_strikes(at):
    states = bars_of_c_major(3)
    more = one_more(states, 72, 16 * at + 8, 2)
    np.testing.assert_array_equal(baseline(more), more)


def test_the_baseline_does_not_bring_back_what_neighbours_strike_at_different_steps():
    """Both hold the note in the third step of the bar, but only one strikes it there."""
    states = one_more(one_more(bars_of_c_major(3), 72, 0, 4), 72, 34, 2)
    np.testing.assert_array_equal(baseline(states), states)


@pytest.mark.parametrize("steps", [1, 15, 16, 20, 32])
def test_the_baseline_knows_no_neighbours_in_two_bars(steps):
    states = bars_of_c_major(2)[:steps]
    np.testing.assert_array_equal(baseline(states), states)


@given(legal_states(max_steps=70))
def test_the_baseline_is_legal_and_leaves_its_music_alone(states):
    before = states.copy()
    mended = baseline(states)
    np.testing.assert_array_equal(mended, repaired(mended))
    assert mended.shape == states.shape and mended.dtype == np.uint8
    np.testing.assert_array_equal(states, before)
