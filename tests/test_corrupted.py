"""Corrupted music and its likeness to what it was, note by note."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import PLAY, STRUCK, hand_states, legal_states, note_list, random_states, repaired

from musiclib.metrics.note_f1 import f1, likeness
from musiclib.music.corrupted import corrupt

SEED = st.integers(0, 2**32)
SHARE = st.floats(0, 1)
KINDS = pytest.mark.parametrize("wrong", ["anywhere", "in range", "near"])


def rng(seed=0):
    return np.random.default_rng(seed)


def differences(states, corrupted):
    """The notes that went and those that came."""
    before, after = set(note_list(states)), set(note_list(corrupted))
    return before - after, after - before


def starts(notes):
    return {(onset, pitch) for onset, _, pitch in notes}


def sparse(seed, steps=64):
    """A piece with silence enough for every wrong note to find its place."""
    return random_states(steps, seed, 0.03)


@KINDS
@given(SEED, SHARE)
def test_the_share_of_notes_goes_and_as_many_wrong_ones_come(wrong, seed, share):
    states = sparse(seed)
    corrupted = corrupt(states, share, rng(seed), wrong)
    notes, after = note_list(states), note_list(corrupted)
    count = round(share * len(notes))
    deleted, added = differences(states, corrupted)
    assert len(deleted) == len(added) == count
    assert len(starts(notes) - starts(after)) == len(starts(after) - starts(notes)) == count


@KINDS
@given(legal_states(), SEED, SHARE)
def test_all_other_notes_stay_whole_and_wrong_ones_fall_on_silence(wrong, states, seed, share):
    corrupted = corrupt(states, share, rng(seed), wrong)
    deleted, added = differences(states, corrupted)
    assert len(deleted) == round(share * len(note_list(states))) >= len(added)
    assert all(not states[onset:end, pitch].any() for onset, end, pitch in added)


@KINDS
@given(legal_states(), SEED, SHARE)
def test_spoiled_music_is_legal_and_the_music_itself_untouched(wrong, states, seed, share):
    before = states.copy()
    corrupted = corrupt(states, share, rng(seed), wrong)
    np.testing.assert_array_equal(corrupted, repaired(corrupted))
    assert corrupted.shape == states.shape and corrupted.dtype == np.uint8
    np.testing.assert_array_equal(states, before)


@given(legal_states(), SEED, SHARE)
def test_near_notes_begin_and_end_with_a_note_at_most_a_tritone_off(states, seed, share):
    notes = note_list(states)
    _, added = differences(states, corrupt(states, share, rng(seed), "near"))
    for onset, end, pitch in added:
        with_it = [p for first, last, p in notes if (first, last) == (onset, end)]
        assert any(1 <= abs(pitch - other) <= 6 for other in with_it)


@given(legal_states(), SEED, SHARE)
def test_notes_in_range_are_neither_higher_nor_lower_than_all_others(states, seed, share):
    pitches = [pitch for _, _, pitch in note_list(states)]
    _, added = differences(states, corrupt(states, share, rng(seed), "in range"))
    assert all(min(pitches) <= pitch <= max(pitches) for _, _, pitch in added)


@KINDS
@given(SEED)
def test_wrong_notes_last_as_long_as_real_ones_or_to_the_end_of_the_piece(wrong, seed):
    states = hand_states(40, *((60 + 3 * i, 5 * i, (2, 5)[i % 2]) for i in range(8)))
    _, added = differences(states, corrupt(states, 1, rng(seed), wrong))
    assert all(end - onset in (2, 5) or end == 40 for onset, end, _ in added)


STEPS = 6000


@pytest.fixture(scope="module")
def two_pitches():
    """C and F sharp in turn, two steps long, four steps apart."""
    return hand_states(STEPS, *((60 + 6 * (i % 2), 4 * i, 2) for i in range(STEPS // 4)))


def added_to(states, wrong):
    return np.array(sorted(differences(states, corrupt(states, 1, rng(), wrong))[1]))


def test_wrong_notes_anywhere_are_at_all_steps_and_pitches(two_pitches):
    onset, _, pitch = added_to(two_pitches, "anywhere").T
    assert set(pitch) == set(range(78))
    assert set(onset % 4) == set(range(4))
    assert onset.min() < 100 and onset.max() > STEPS - 100
    assert np.mean(onset) == pytest.approx(STEPS / 2, rel=0.1)


def test_wrong_notes_in_range_are_at_all_pitches_from_the_lowest_to_the_highest(two_pitches):
    onset, _, pitch = added_to(two_pitches, "in range").T
    assert set(pitch) == set(range(36, 43))
    assert set(onset % 4) == set(range(4))


def test_near_notes_are_at_all_distances_up_to_a_tritone(two_pitches):
    onset, _, pitch = added_to(two_pitches, "near").T
    struck = 36 + 6 * (onset // 4 % 2)
    distances, often = np.unique(pitch - struck, return_counts=True)
    assert distances.tolist() == [*range(-6, 0), *range(1, 7)]
    assert often.min() > 0.5 * len(onset) / 12


@KINDS
@given(legal_states(), SEED)
def test_spoiling_no_note_changes_nothing(wrong, states, seed):
    np.testing.assert_array_equal(corrupt(states, 0, rng(seed), wrong), states)


@KINDS
@pytest.mark.parametrize("share", [0, 0.1, 1])
def test_silence_stays_silent(wrong, share):
    assert not corrupt(hand_states(20), share, rng(), wrong).any()


@KINDS
@pytest.mark.parametrize("pitch", [24, 60, 101])
def test_a_single_note_becomes_another_one(wrong, pitch):
    states = hand_states(30, (pitch, 3, 2))
    [note] = note_list(corrupt(states, 1, rng(1), wrong))
    assert note != (3, 5, pitch - 24)


@KINDS
def test_chance_comes_from_the_generator_alone(wrong):
    states = sparse(0)
    first = corrupt(states, 0.5, rng(3), wrong)
    np.random.seed(0)
    np.testing.assert_array_equal(corrupt(states, 0.5, rng(3), wrong), first)
    assert np.random.random() == np.random.RandomState(0).random_sample()  # not drawn from
    assert (corrupt(states, 0.5, rng(4), wrong) != first).any()


def in_common(first, second, bit):
    """F1 of cells as sets."""
    ours, theirs = (
        {(t, p) for t in range(len(s)) for p in range(78) if s[t, p, bit]} for s in (first, second)
    )
    right = len(ours & theirs)
    if not right:
        return float(not ours and not theirs)
    precision, recall = right / len(ours), right / len(theirs)
    return 2 * precision * recall / (precision + recall)


@given(legal_states(min_steps=20, max_steps=20), legal_states(min_steps=20, max_steps=20))
def test_f1_is_that_of_sets_and_the_same_either_way(first, second):
    for bit in (PLAY, STRUCK):
        expected = in_common(first, second, bit)
        assert f1(first, second, bit) == pytest.approx(expected)
        assert f1(second, first, bit) == pytest.approx(expected)
    assert f1(first, second) == f1(first, second, STRUCK)


@given(legal_states())
def test_a_piece_is_wholly_like_itself_even_a_silent_one(states):
    assert likeness(states, states) == (1, 1, 1)


def test_likeness_of_a_piece_by_hand():
    """One strike of two is right, three of five sounding cells, and one cell too many."""
    original = hand_states(8, (60, 0, 3), (64, 4, 2))
    piece = hand_states(8, (60, 0, 3), (65, 4, 3))
    assert likeness(piece, original) == pytest.approx((1 / 2, 2 * 3 / (6 + 5), 6 / 5))


def test_silence_is_unlike_music_and_music_unlike_silence():
    music, silence = hand_states(8, (60, 0, 3)), hand_states(8)
    assert likeness(silence, music) == likeness(music, silence) == (0, 0, 0)


@KINDS
def test_music_of_which_a_tenth_is_spoiled_is_like_itself_by_nine_tenths(wrong):
    states = sparse(5, steps=800)
    measured = likeness(corrupt(states, 0.1, rng(), wrong), states)
    assert measured.f1 == pytest.approx(0.9, abs=1e-3)  # but for a count that is rounded
    assert measured.f1_sounding == pytest.approx(0.9, abs=0.02)
    assert measured.density == pytest.approx(1, abs=0.02)
