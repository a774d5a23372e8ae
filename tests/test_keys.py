"""Keys: estimated from durations, and pieces moved to C major or A minor and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hand_states, legal_states

from musiclib.music.keys import Key, estimate_key, normalise_key, pitch_class_steps

TRIADS = {  # I IV V I; in minor the dominant is major
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)),
}
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 11)}


def cadence(tonic, mode):
    chords = enumerate(TRIADS[mode])
    return hand_states(16, *((48 + tonic + n, 4 * i, 4) for i, chord in chords for n in chord))


def scale(tonic, mode):
    """Up the scale to the octave, over the tonic's triad."""
    up = [(60 + tonic + n, i, 1) for i, n in enumerate(SCALES[mode])]
    triad = [(48 + tonic + n, 0, 8) for n in TRIADS[mode][0]]
    return hand_states(8, *up, (72 + tonic, 7, 1), *triad)


@pytest.mark.parametrize("music", [cadence, scale])
@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_cadences_and_scales_is_found(music, tonic, mode):
    key = estimate_key(music(tonic, mode))
    assert (key.tonic, key.mode) == (tonic, mode)
    assert 0.7 < key.correlation <= 1


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_normalising_lands_in_c_major_or_a_minor_by_the_shorter_way(tonic, mode):
    normalised = normalise_key(cadence(tonic, mode))
    key = estimate_key(normalised.states)
    assert (key.tonic, key.mode) == {"major": (0, "major"), "minor": (9, "minor")}[mode]
    assert -6 <= normalised.interval <= 5


def test_most_chorales_are_in_the_key_of_their_signature(chorales, sharps):
    """The others are a fifth away: where they are dorian, or dwell on the dominant."""
    fifths_away = []
    for states, signature in zip(chorales, sharps, strict=True):
        if len(states) >= 128:
            key = estimate_key(states)
            major_tonic = key.tonic + 3 * (key.mode == "minor")
            fifths_away.append((7 * major_tonic - signature + 6) % 12 - 6)
    assert len(fifths_away) > 80
    assert np.mean(np.equal(fifths_away, 0)) > 0.7
    assert np.mean(np.abs(fifths_away) <= 1) > 0.95


def test_durations_are_counted_by_pitch_class():
    states = hand_states(10, (24, 0, 3), (60, 1, 4), (61, 9, 1), (101, 0, 2))
    assert pitch_class_steps(states).tolist() == [7, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]


def test_silence_has_no_key_and_stays_where_it_is():
    assert estimate_key(hand_states(20)) == Key(0, "major", 0.0)
    assert normalise_key(hand_states(20)).interval == 0


@given(legal_states(), st.integers(0, 11), st.sampled_from(["major", "minor"]))
def test_undoing_gives_the_piece_back_to_the_last_note(states, tonic, mode):
    """Even where notes fell off the edge."""
    normalised = normalise_key(states, Key(tonic, mode, 1.0))
    np.testing.assert_array_equal(normalised.undo(), states)
    assert normalised.states.shape == states.shape


@given(legal_states(low=6, high=72), st.integers(0, 11), st.sampled_from(["major", "minor"]))
def test_normalising_moves_every_note_by_the_interval(states, tonic, mode):
    normalised = normalise_key(states, Key(tonic, mode, 1.0))
    steps, notes, bits = np.nonzero(states)
    moved = np.zeros_like(states)
    moved[steps, notes + normalised.interval, bits] = 1
    np.testing.assert_array_equal(normalised.states, moved)
    assert (tonic + normalised.interval) % 12 == {"major": 0, "minor": 9}[mode]
