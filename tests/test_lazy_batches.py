"""Batches read only the steps that they need, and are as when all was unpacked first."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import random_states
from test_batches import numbered_rolls
from whole_batches import WholeCorrupted, WholeSegments, WholeWindows

from musiclib.corpus import batches
from musiclib.corpus.batches import AHEAD, Corrupted, Segments, Windows


class OnDisk:
    """What is like an array and gives one for a slice: it counts the steps that were read."""

    def __init__(self, array):
        self.array, self.shape, self.read = array, array.shape, 0

    def __len__(self):
        return len(self.array)

    def __getitem__(self, steps):
        assert isinstance(steps, slice)
        part = self.array[steps].copy()
        part.flags.writeable = False  # as a mapped file is
        self.read += len(part)
        return part


def assert_the_same(ours, theirs, draws=12):
    for iteration in range(draws):
        (one, fresh), (other, expected) = (
            batches.draw(iteration, torch.Generator().manual_seed(iteration))
            for batches in (ours, theirs)
        )
        assert one.dtype == torch.uint8 and fresh == expected and torch.equal(one, other)
    for count in (1, 3):
        ours_every, theirs_every = ours.every(count), theirs.every(count)
        for (one, fresh), (other, expected) in zip(ours_every, theirs_every, strict=True):
            assert fresh == expected and torch.equal(one, other)


LENGTHS = st.lists(st.integers(0, 90), max_size=4).map(lambda lengths: [70, *lengths])
KINDS = st.sampled_from([lambda array: array, OnDisk])


@settings(max_examples=20)
@given(LENGTHS, st.sampled_from([1, 16]), st.sampled_from([5, 16, 33]), st.integers(1, 4), KINDS)
def test_segments_are_those_of_pieces_unpacked(lengths, hop, steps, batch, kind):
    pieces = [random_states(length, seed, 0.3) for seed, length in enumerate(lengths)]
    ours = Segments([kind(piece) for piece in pieces], batch, steps, hop)
    assert_the_same(ours, WholeSegments(pieces, batch, steps, hop))


@settings(max_examples=20)
@given(LENGTHS, st.sampled_from([16, 40]), KINDS)
def test_excerpts_are_those_of_pieces_made_legal_as_a_whole(lengths, steps, kind):
    """Also of pieces that are not legal: notes that are struck in silence, and go on unstruck."""
    rng = np.random.default_rng(len(lengths))
    pieces = [(rng.random((length, 78, 2)) < 0.1).astype(np.uint8) for length in lengths]
    ours = Corrupted([kind(piece) for piece in pieces], steps, 0.5)
    with_music = [piece for piece in pieces if len(piece)]  # from others nothing is drawn
    assert_the_same(ours, WholeCorrupted(with_music, steps, 0.5), draws=8)


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 60), max_size=6).map(lambda lengths: [45, *lengths]),
    st.integers(1, 5),
    st.integers(1, 32),
    st.integers(1, 12),
    st.booleans(),
    st.sampled_from([1, 3, 32]),
    KINDS,
)
def test_windows_are_those_of_rolls_laid_end_to_end(
    lengths, batch, window, hop, shifted, ahead, kind
):
    rolls = numbered_rolls(*lengths)
    ours = Windows([kind(roll) for roll in rolls], batch, window, hop, shifted)
    theirs = WholeWindows(rolls, batch, window, hop, shifted)
    assert ours.epoch == theirs.epoch
    assert (ours.lanes, ours.length, 88) == tuple(theirs.lanes.shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "AHEAD", ahead)
        assert_the_same(ours, theirs, draws=2 * ours.epoch + 1)


@pytest.mark.parametrize(
    ("make", "steps", "times"),
    [
        (lambda pieces: Segments(pieces, 2, 16), 2 * 16, 4),
        (lambda pieces: Corrupted(pieces, 16, 0.1), 16, 4),
        (lambda pieces: Windows(pieces, 2, 12, 5), 2 * (13 + (AHEAD - 1) * 5), 1),
    ],
    ids=["segments", "corrupted", "windows"],
)
def test_no_more_is_read_than_is_in_the_batch_or_the_next_ones(make, steps, times):
    pieces = [OnDisk(random_states(1600, seed)) for seed in range(3)]
    source = make(pieces)
    assert sum(piece.read for piece in pieces) == 0
    source.draw(0, torch.Generator().manual_seed(0))
    assert sum(piece.read for piece in pieces) == steps
    source.every(3)
    assert sum(piece.read for piece in pieces) == times * steps
