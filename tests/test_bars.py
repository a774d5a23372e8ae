"""Bars of 16 steps, laid end to end, and the density of notes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hand_states, random_states

from musiclib.base.errors import InputError
from musiclib.music.bars import bars, density, window_frequencies


def test_a_bar_may_span_two_pieces_and_the_last_incomplete_one_is_dropped():
    pieces = [random_states(steps, seed, 0.3) for seed, steps in enumerate((10, 1, 30))]
    table = bars(pieces)
    assert table.shape == (2, 2496) and table.dtype == np.uint8
    for bar in range(2):
        for place in range(16):
            at = bar * 16 + place
            piece, step = (0, at) if at < 10 else (1, 0) if at == 10 else (2, at - 11)
            for note in range(78):
                for bit in range(2):
                    cell = table[bar, (place * 78 + note) * 2 + bit]
                    assert cell == pieces[piece][step, note, bit]


def test_no_music_has_no_bar_and_no_density():
    assert bars([]).shape == bars([hand_states(15)]).shape == (0, 2496)
    assert density([]) == 0


def test_density_is_notes_a_step_over_all_pieces():
    pieces = [hand_states(6, (60, 0, 6), (64, 2, 3)), hand_states(4)]
    assert density(pieces) == pytest.approx((6 + 3) / 10)


def frequencies_by_hand(pieces, steps):
    """The mean of all windows, cut out one by one."""
    windows = [
        piece[start : start + steps].ravel()
        for piece in pieces
        for start in range(len(piece) - steps + 1)
    ]
    return np.mean(windows, axis=0)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 20))
def test_window_frequencies_are_the_mean_of_all_windows(lengths, steps):
    """Pieces shorter than a window have none."""
    pieces = [random_states(length, seed, 0.2) for seed, length in enumerate([20, *lengths])]
    found = window_frequencies(pieces, steps)
    assert found.shape == (steps * 78 * 2,) and found.dtype == np.float64
    np.testing.assert_allclose(found, frequencies_by_hand(pieces, steps), rtol=1e-12)


def test_more_windows_than_a_byte_can_count_are_counted():
    found = window_frequencies([np.ones((1000, 78, 2), np.uint8)], 16)
    np.testing.assert_array_equal(found, np.ones(2496))


@pytest.mark.parametrize("pieces", [[], [hand_states(15), hand_states(3)]])
def test_music_without_a_window_has_no_frequencies(pieces):
    with pytest.raises(InputError, match="no piece has the 16 steps of a window"):
        window_frequencies(pieces, 16)
