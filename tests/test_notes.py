"""Notes of states and states of notes: read by a plain loop, and there and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import hand_states, legal_states, note_list, repaired

from musiclib.music.notes import notes_of, states_with

SEED = st.integers(0, 2**32)


def written(notes):
    return np.array(notes, np.int64).reshape(-1, 3)


def test_strikes_repeat_what_they_cut_short_and_the_last_notes_end_with_the_piece():
    """Struck three times in a row, held over all of it, and struck in the last step."""
    repeated = (60, 1, 3), (60, 4, 1), (60, 5, 2)
    states = hand_states(8, (24, 0, 8), *repeated, (64, 1, 1), (64, 3, 1), (101, 7, 1))
    expected = [(0, 8, 0), (1, 4, 36), (1, 2, 40), (3, 4, 40), (4, 5, 36), (5, 7, 36), (7, 8, 77)]
    found = notes_of(states)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(states_with(written(expected), 8), states)


@given(legal_states())
def test_notes_are_those_of_a_plain_loop(states):
    before = states.copy()
    np.testing.assert_array_equal(notes_of(states), written(note_list(states)))
    np.testing.assert_array_equal(states, before)


@given(legal_states())
def test_states_with_the_notes_of_a_piece_are_the_piece(states):
    again = states_with(notes_of(states), len(states))
    np.testing.assert_array_equal(again, states)
    assert again.dtype == np.uint8


@given(SEED)
def test_what_is_not_legal_counts_as_it_sounds(seed):
    anything = np.random.default_rng(seed).integers(0, 2, (12, 78, 2), np.uint8)
    np.testing.assert_array_equal(notes_of(anything), written(note_list(repaired(anything))))


def one_after_another(rng, pitch, steps):
    """Notes of a pitch that do not overlap, some of them back to back."""
    ends = np.sort(rng.choice(steps + 1, rng.integers(2, 7), replace=False))
    gaps = rng.integers(0, 3, len(ends) - 1)
    notes = zip(ends[:-1] + gaps, ends[1:], strict=True)
    return [(int(onset), int(end), pitch) for onset, end in notes if onset < end]


@given(SEED)
def test_notes_put_into_a_piece_are_found_in_it_whatever_their_order(seed):
    rng = np.random.default_rng(seed)
    notes = [
        n for pitch in rng.choice(78, 5, replace=False) for n in one_after_another(rng, pitch, 30)
    ]
    states = states_with(rng.permutation(written(notes)), 30)
    assert note_list(states) == sorted(notes, key=lambda note: (note[0], note[2]))


def test_silence_has_no_notes():
    assert notes_of(hand_states(5)).shape == (0, 3)
    np.testing.assert_array_equal(states_with(notes_of(hand_states(5)), 5), hand_states(5))
