"""Batches: windows that go on where the last ones began, segments that begin at a measure."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import random_states

from musiclib.batches import Segments, Windows
from musiclib.curriculum import curriculum, locate
from musiclib.errors import InputError


def numbered_rolls(*lengths):
    """Rolls whose row k holds the number k of the stream, in bits."""
    stream = np.arange(sum(lengths))[:, None] >> np.arange(88).clip(max=40) & 1
    return np.split(stream.astype(np.uint8), np.cumsum(lengths)[:-1])


def numbers(rolls):
    return (rolls[..., :40].long() << torch.arange(40)).sum(dim=-1)


@given(
    st.lists(st.integers(1, 150), min_size=1, max_size=5),
    st.integers(1, 6),
    st.integers(1, 32),
    st.integers(1, 12),
)
def test_windows_of_a_lane_are_consecutive(lengths, batch, window, hop):
    """The next window begins `hop` later; an epoch has every window that fits into its lane."""
    assume(sum(lengths) >= window + hop)
    windows = Windows(numbered_rolls(*lengths), batch, window, hop)
    epoch = [windows.draw(index) for index in range(windows.epoch)]
    first = numbers(epoch[0][0])
    lanes, lane = len(first), sum(lengths) // len(first)
    assert lanes <= batch
    assert first[:, 0].tolist() == [lane * row for row in range(lanes)]
    for index, (rolls, fresh) in enumerate(epoch):
        expected = first[:, :1] + index * hop + torch.arange(window + 1)
        assert torch.equal(numbers(rolls), expected)
        assert fresh == (index == 0)
    assert windows.epoch * hop + window + 1 > lane >= (windows.epoch - 1) * hop + window + 1


def test_after_an_epoch_the_lanes_are_read_again_with_fresh_memory():
    windows = Windows(numbered_rolls(100, 60), 2, 32, 9)
    assert windows.epoch == 6  # (80 - 33) // 9 + 1
    again, fresh = windows.draw(windows.epoch * 3)
    assert fresh and torch.equal(again, windows.draw(0)[0])


def test_too_little_music_is_refused():
    with pytest.raises(InputError, match="40 samples"):
        Windows(numbered_rolls(40), 32, 32, 9)
    with pytest.raises(InputError, match="128 steps"):
        Segments([random_states(127, 0)], 10, 128)


def test_segments_begin_at_a_measure_of_one_piece_and_every_start_is_drawn():
    pieces = [random_states(steps, seed, 0.5) for seed, steps in enumerate((175, 127, 128, 176))]
    segments = Segments(pieces, batch=10, steps=128)
    starts = {
        pieces[piece][start : start + 128].tobytes(): (piece, start)
        for piece in range(4)
        for start in range(0, len(pieces[piece]) - 127, 16)
    }
    drawn = []
    for seed in range(30):
        batch, fresh = segments.draw(seed, torch.Generator().manual_seed(seed))
        assert fresh and batch.shape == (10, 128, 78, 2)
        drawn += [starts[segment.numpy().tobytes()] for segment in batch]
    assert set(drawn) == set(starts.values())
    shares = [np.mean([piece == p for p, _ in drawn]) for piece in (0, 2, 3)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.1)  # a piece is drawn, not a place


def test_a_batch_depends_on_the_generator_alone():
    segments = Segments([random_states(400, 0, 0.5)], 4, 64)
    one, same, other = (
        segments.draw(iteration, torch.Generator().manual_seed(seed))[0]
        for iteration, seed in ((0, 1), (7, 1), (0, 2))
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_held_out_segments_are_spread_evenly_and_do_not_overlap():
    piece = random_states(64 * 12 + 5, 0, 0.5)
    batches = Segments([piece], batch=2, steps=64).every(3)
    found = torch.cat([batch for batch, _ in batches]).numpy()
    expected = [piece[64 * k : 64 * (k + 1)] for k in (0, 2, 4, 6, 8, 10)]
    np.testing.assert_array_equal(found, expected)


def test_the_curriculum_trains_on_each_level_in_order_and_then_on_the_main_corpus():
    stages = curriculum({"easy": "E", "hard": "H"}, 3, "M", 4)
    order = [locate(stages, iteration) for iteration in range(10)]
    assert [(stage.batches, within) for stage, within in order] == [
        *(("E", i) for i in range(3)),
        *(("H", i) for i in range(3)),
        *(("M", i) for i in range(4)),
    ]
    with pytest.raises(IndexError):
        locate(stages, 10)
