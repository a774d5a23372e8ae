"""Measures of 16 steps, laid end to end, and the density of notes."""

import numpy as np
import pytest
from strategies import hand_states, random_states

from musiclib.measures import density, measures


def test_a_measure_may_span_two_pieces_and_the_last_incomplete_one_is_dropped():
    pieces = [random_states(steps, seed, 0.3) for seed, steps in enumerate((10, 1, 30))]
    table = measures(pieces)
    assert table.shape == (2, 2496) and table.dtype == np.uint8
    for measure in range(2):
        for place in range(16):
            at = measure * 16 + place
            piece, step = (0, at) if at < 10 else (1, 0) if at == 10 else (2, at - 11)
            for note in range(78):
                for bit in range(2):
                    cell = table[measure, (place * 78 + note) * 2 + bit]
                    assert cell == pieces[piece][step, note, bit]


def test_no_music_has_no_measure_and_no_density():
    assert measures([]).shape == measures([hand_states(15)]).shape == (0, 2496)
    assert density([]) == 0


def test_density_is_notes_a_step_over_all_pieces():
    pieces = [hand_states(6, (60, 0, 6), (64, 2, 3)), hand_states(4)]
    assert density(pieces) == pytest.approx((6 + 3) / 10)
