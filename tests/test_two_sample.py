"""The classifier two-sample test: one half for the same music, one for other music."""

import numpy as np
import pytest
from strategies import hand_states, random_states, scale_piece

from musiclib.metrics.two_sample import two_sample_accuracy
from musiclib.music.bars import draw_bars


def pieces(seeds, steps=64, density=0.1):
    return [random_states(steps, seed, density) for seed in seeds]


def test_pieces_of_one_distribution_are_hardly_told_apart():
    found = two_sample_accuracy(pieces(range(20)), pieces(range(20, 40)))
    assert abs(found.value - 0.5) < 0.15
    assert found.low < 0.5 < found.high
    assert found.n == 2 * 20 * 4


def tunes(root, count=10):
    return [scale_piece(root, 160, seed) for seed in range(count)]


@pytest.mark.parametrize("other", [[hand_states(160)] * 10, tunes(67)])
def test_silence_and_tunes_of_another_key_are_told_apart(other):
    found = two_sample_accuracy(tunes(60), other)
    assert found.value > 0.95
    assert found.low <= found.value <= found.high


def test_pieces_are_not_recognised_by_their_own_bars():
    """Every piece repeats a bar of its own: who has seen one of them knows them all."""
    repeating = [np.tile(piece, (8, 1, 1)) for piece in pieces(range(40), steps=16)]
    found = two_sample_accuracy(repeating[:20], repeating[20:])
    assert found.value < 0.65


def test_sides_count_alike_however_much_longer_one_is():
    found = two_sample_accuracy(pieces(range(4), steps=320), pieces(range(4, 8), steps=90))
    assert found.n == 2 * 4 * 5


@pytest.mark.parametrize(
    "few",
    [
        [],
        pieces([1], steps=160),
        pieces([1, 2, 3], steps=15),
        [random_states(160, 1), hand_states(15), hand_states(0)],
    ],
)
def test_fewer_than_two_pieces_with_a_bar_prove_nothing(few):
    assert two_sample_accuracy(few, pieces(range(5))) is None
    assert two_sample_accuracy(pieces(range(5)), few) is None


def test_two_pieces_a_side_are_enough():
    low, high = ([hand_states(160, (p, 0, 160)), hand_states(99, (p, 3, 90))] for p in (40, 80))
    assert two_sample_accuracy(low, high).value == 1


@pytest.mark.parametrize("most", [0, 1, 10, 1000])
def test_bars_are_drawn_once_each_with_the_piece_that_they_are_of(most):
    music = pieces(range(5), steps=55, density=0.3)
    table, number = draw_bars(music, most, seed=0)
    whole = {
        (bytes(piece[start : start + 16]), name)
        for name, piece in enumerate(music)
        for start in (0, 16, 32)
    }
    found = {(bytes(row), int(name)) for row, name in zip(table, number, strict=True)}
    assert found <= whole
    assert len(found) == len(table) == min(most, len(whole))
