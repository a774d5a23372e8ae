"""Leaks: the same four bars in training and held-out music, at whatever transposition."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hand_states, random_states, scale_piece

from musiclib.corpus.leaks import fingerprints, leaking, runs_of


def moved(states, interval, later=0):
    silence = np.zeros((later, 78, 2), np.uint8)
    return np.concatenate([silence, np.roll(states, interval, axis=1)])


@given(st.integers(0, 2**32), st.integers(-6, 6), st.integers(0, 40))
def test_a_transposed_copy_that_begins_later_is_found(seed, interval, later):
    piece = random_states(128, seed, 0.1, low=10, high=60)
    other = random_states(128, seed + 1, 0.1, low=10, high=60)
    assert leaking([other, moved(piece, interval, later)], [piece]) == [1]


def test_four_bars_within_other_music_are_enough():
    piece, other = random_states(200, 1), random_states(200, 2)
    for steps, found in ((66, [0]), (63, [])):
        host = np.concatenate([other[:77], piece[50 : 50 + steps], other[77:]])
        assert leaking([host], [piece]) == found


def test_a_change_of_one_note_in_every_four_bars_makes_other_music():
    piece = scale_piece()
    changed = piece.copy()
    changed[30::60, 77] = 1
    assert leaking([piece], [piece]) == [0]
    assert leaking([changed], [piece]) == []


def test_silence_and_drones_prove_nothing():
    silence, drone = hand_states(200), hand_states(200, (60, 0, 200))
    assert leaking([silence, drone], [silence, drone]) == []


def test_a_piece_under_four_bars_has_no_fingerprint():
    assert len(fingerprints(random_states(63, 0))) == 0
    assert len(fingerprints(random_states(70, 0, 0.2))) == 7


def test_the_runs_of_pieces_are_those_of_each_and_none_spans_two():
    some = [random_states(70, seed, 0.2) for seed in (0, 1)]
    every = np.union1d(fingerprints(some[0]), fingerprints(some[1]))
    np.testing.assert_array_equal(runs_of(some), every)
    assert len(runs_of(some)) == 14 and len(runs_of([])) == 0


def test_chorales_do_not_leak_into_each_other_but_into_their_transpositions(chorales):
    some = [states for states in chorales if len(states) >= 128][:12]
    for one, other in combinations(some, 2):
        assert leaking([one], [other]) == []
    for states in some:
        assert leaking([moved(states, 3, later=5)], [states]) == [0]


@pytest.mark.parametrize("interval", [0, 5])
def test_a_copy_within_a_longer_piece_is_found_in_chorales(chorales, interval):
    first, second = [states for states in chorales if len(states) >= 128][:2]
    medley = np.concatenate([second[:50], moved(first, interval)])
    assert leaking([medley], [first]) == [0]
