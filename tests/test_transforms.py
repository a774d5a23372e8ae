"""Transposing, playing backwards, and making states legal."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import PLAY, STRUCK, hand_states, legal_states, repaired

from musiclib.music.transforms import legal, reverse_time, shift


@given(legal_states())
def test_backwards_twice_is_forwards(states):
    np.testing.assert_array_equal(reverse_time(reverse_time(states)), states)


@given(legal_states())
def test_backwards_keeps_what_sounds_and_the_number_of_notes(states):
    backwards = reverse_time(states)
    np.testing.assert_array_equal(backwards[::-1, :, PLAY], states[..., PLAY])
    strikes = [s[..., STRUCK].sum(axis=0) for s in (backwards, states)]
    np.testing.assert_array_equal(*strikes)


@given(legal_states())
def test_backwards_is_legal(states):
    np.testing.assert_array_equal(repaired(reverse_time(states)), reverse_time(states))


def test_backwards_a_note_is_struck_where_it_ended():
    states = hand_states(6, (60, 0, 2), (60, 2, 3), (64, 5, 1))
    np.testing.assert_array_equal(
        reverse_time(states), hand_states(6, (60, 1, 3), (60, 4, 2), (64, 0, 1))
    )


@given(st.integers(0, 2**32))
def test_legal_states_strike_what_sounds_out_of_silence_and_only_sounds(seed):
    anything = np.random.default_rng(seed).integers(0, 2, (12, 78, 2), np.uint8)
    once = legal(anything)
    np.testing.assert_array_equal(once, repaired(anything))
    np.testing.assert_array_equal(legal(once), once)


@given(legal_states(max_steps=5), st.integers(-90, 90))
def test_shifting_moves_every_note_and_loses_those_over_the_edge(states, interval):
    expected = np.zeros_like(states)
    for note in range(78):
        if 0 <= note + interval < 78:
            expected[:, note + interval] = states[:, note]
    np.testing.assert_array_equal(shift(states, interval), expected)
