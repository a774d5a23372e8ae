"""Precision and recall of bars: against sorted distances, and where they are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hand_states, random_states, scale_piece

from musiclib.metrics.precision_recall import precision_recall, within


def hand_within(points, manifold):
    """By the definition: no farther from a row than its third nearest other row."""
    radii = [
        sorted(hamming(row, other) for j, other in enumerate(manifold) if j != i)[2]
        for i, row in enumerate(manifold)
    ]
    return [
        any(hamming(point, row) <= radius for row, radius in zip(manifold, radii, strict=True))
        for point in points
    ]


def hamming(first, second):
    return sum(bool(a) != bool(b) for a, b in zip(first, second, strict=True))


@given(
    st.integers(0, 2**32),
    st.sampled_from([2, 5, 40]),
    st.integers(4, 20),
    st.sampled_from([np.uint8, bool, np.float32]),
)
def test_a_point_within_the_third_neighbour_of_any_real_one_is_within(seed, cells, count, dtype):
    """With few cells most distances are equal, and many rows too."""
    rng = np.random.default_rng(seed)
    points, manifold = ((rng.random((n, cells)) < 0.3).astype(dtype) for n in (12, count))
    np.testing.assert_array_equal(within(points, manifold), hand_within(points, manifold))


def music(seeds):
    return [random_states(80, seed, 0.1) for seed in seeds]


def test_music_is_like_itself_and_covers_itself():
    for found in precision_recall(music(range(6)), music(range(6))):
        assert found == (1, 1, 1, 30)


def test_music_of_other_pitches_is_unlike_and_covers_nothing():
    low, high = ([scale_piece(root, 160, seed) for seed in range(4)] for root in (40, 77))
    precision, recall = precision_recall(low, high)
    assert (precision.value, recall.value) == (0, 0)


def test_silence_is_precise_and_covers_the_silent_bars_alone():
    """Why precision is never read alone."""
    real = [np.concatenate([piece, hand_states(16)]) for piece in music(range(8))]
    silence = [hand_states(8 * 6 * 16)]
    precision, recall = precision_recall(silence, real)
    assert precision.value == 1
    assert recall.value == pytest.approx(1 / 6)  # the last of six bars of each piece


def test_copies_of_one_piece_are_precise_but_cover_little():
    real = [scale_piece(48 + 5 * i, 160, i) for i in range(6)]
    precision, recall = precision_recall([real[0]] * 6, real)
    assert precision.value == 1
    assert recall.value < 0.5


def test_sides_count_alike_however_much_longer_one_is():
    for found in precision_recall(music(range(2)), [random_states(999, 9)]):
        assert found.n == 10


@pytest.mark.parametrize("few", [[], music([1])[0][None, :48], [hand_states(15)] * 9])
def test_three_bars_have_no_third_neighbour(few):
    assert precision_recall(few, music(range(5))) is None
    assert precision_recall(music(range(5)), few) is None
    assert precision_recall([random_states(64, 0)], music(range(5))) is not None
