"""Batches: windows that go on where the last ones began, segments of pieces, corrupted excerpts."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import hand_states, note_list, random_states, repaired

from musiclib.base.errors import InputError
from musiclib.corpus.batches import Corrupted, Segments, Windows
from musiclib.training.curriculum import curriculum, locate


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


def test_shifted_epochs_predict_every_sample_of_a_lane_once_and_hear_none_twice():
    window, hop = 12, 5
    windows = Windows(numbered_rolls(100, 60), 2, window, hop, shifted=True)
    targets = []
    for epoch in range(hop):
        starts = []
        for index in range(windows.epoch):
            rolls, fresh = windows.draw(epoch * windows.epoch + index)
            assert fresh == (index == 0)
            starts.append(int(numbers(rolls)[0, 0]))
            targets.append(int(numbers(rolls)[0, -1]))
        assert np.diff(starts).tolist() == [hop] * (windows.epoch - 1)
    assert sorted(targets) == list(range(window, window + hop * windows.epoch))
    again, _ = windows.draw(hop * windows.epoch)
    assert torch.equal(again, windows.draw(0)[0])


def test_too_little_music_is_refused():
    with pytest.raises(InputError, match="40 samples"):
        Windows(numbered_rolls(40), 32, 32, 9)
    with pytest.raises(InputError, match="128 steps"):
        Segments([random_states(127, 0)], 10, 128)


def test_segments_begin_at_a_bar_of_one_piece_and_every_start_is_drawn():
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
        assert fresh == (seed == 0) and batch.shape == (10, 128, 78, 2)
        drawn += [starts[segment.numpy().tobytes()] for segment in batch]
    assert set(drawn) == set(starts.values())
    shares = [np.mean([piece == p for p, _ in drawn]) for piece in (0, 2, 3)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.1)  # a piece is drawn, not a place


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_segments_with_a_hop_of_one_begin_at_any_step():
    pieces = [random_states(steps, steps, 0.5) for steps in (20, 15, 16)]
    segments = Segments(pieces, batch=10, steps=16, hop=1)
    drawn = [segments.draw(i, seeded(i))[0].numpy() for i in range(30)]
    found = {segment.tobytes() for batch in drawn for segment in batch}
    long, _, just = pieces
    expected = [just, *(long[start : start + 16] for start in range(5))]
    assert found == {segment.tobytes() for segment in expected}


@pytest.mark.parametrize("hop", [1, 16])
def test_segments_are_fresh_at_the_first_iteration_alone(hop):
    segments = Segments([random_states(100, 0)], 2, 32, hop)
    assert [segments.draw(i, seeded(i))[1] for i in range(40)] == [True] + 39 * [False]


@pytest.mark.parametrize(
    "kind", [partial(Segments, batch=4, steps=64), partial(Corrupted, steps=64, most=0.5)]
)
def test_a_batch_depends_on_the_generator_alone(kind):
    batches = kind([random_states(400, 0, 0.1)])
    one, same, other = (
        batches.draw(iteration, seeded(seed))[0] for iteration, seed in ((0, 1), (7, 1), (0, 2))
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


def drawn_from(corrupted, count):
    """Excerpts as they are and as they are given, (T, 78, 2) each."""
    batches = [corrupted.draw(i, seeded(i)) for i in range(count)]
    assert all(fresh and batch.dtype == torch.uint8 for batch, fresh in batches)
    return [(batch[0, ..., :2].numpy(), batch[0, ..., 2:].numpy()) for batch, _ in batches]


def test_excerpts_begin_at_every_bar_and_end_after_the_steps_asked_or_with_the_piece():
    pieces = [random_states(steps, steps, 0.1) for steps in (50, 31, 32, 64, 7)]
    drawn = {meant.tobytes() for meant, _ in drawn_from(Corrupted(pieces, 32, 0.2), 200)}
    starts = {50: (0, 16), 31: (0,), 32: (0,), 64: (0, 16, 32), 7: (0,)}
    expected = {
        repaired(piece[start : start + 32]).tobytes()
        for piece in pieces
        for start in starts[len(piece)]
    }
    assert drawn == expected


def test_what_is_held_when_an_excerpt_begins_is_struck_there():
    states = hand_states(48, (60, 0, 48))
    drawn = [meant for meant, _ in drawn_from(Corrupted([states], 16, 0), 9)]
    for meant in drawn:
        np.testing.assert_array_equal(meant, hand_states(16, (60, 0, 16)))


def lost_and_added(meant, spoilt):
    before, after = set(note_list(meant)), set(note_list(spoilt))
    return len(before - after) / len(before), len(after - before) / len(before)


def test_up_to_a_share_of_the_notes_is_deleted_and_as_many_wrong_ones_added():
    pairs = drawn_from(Corrupted([random_states(160, 0, 0.03)], 160, 0.3), 200)
    for _, spoilt in pairs:
        np.testing.assert_array_equal(spoilt, repaired(spoilt))
    lost, added = np.transpose([lost_and_added(*pair) for pair in pairs])
    np.testing.assert_array_equal(lost, added)
    assert lost.min() < 0.02 and 0.28 < lost.max() < 0.305
    assert lost.mean() == pytest.approx(0.15, abs=0.02)


def test_wrong_notes_of_every_kind_are_among_them():
    """A single note tells a wrong one that is near it from one at its pitch and one anywhere."""
    states = hand_states(64, (60, 8, 1))
    kinds = set()
    for _, spoilt in drawn_from(Corrupted([states], 64, 1.0), 200):
        for onset, _, pitch in note_list(spoilt):
            kinds.add((onset == 8, pitch == 36))
    near, in_range, anywhere, itself = (True, False), (False, True), (False, False), (True, True)
    assert kinds == {near, in_range, anywhere, itself}


def test_nothing_is_spoiled_where_none_is_asked_and_silence_stays_silent():
    for meant, spoilt in drawn_from(Corrupted([random_states(64, 0, 0.1)], 64, 0), 5):
        np.testing.assert_array_equal(spoilt, meant)
    for meant, spoilt in drawn_from(Corrupted([hand_states(40)], 64, 0.5), 5):
        assert meant.shape == spoilt.shape == (40, 78, 2)
        assert not meant.any() and not spoilt.any()


def test_held_out_excerpts_are_always_the_same_and_all_different():
    corrupted = Corrupted([random_states(320, 0, 0.1)], 64, 0.2)
    once, again = (corrupted.every(5) for _ in range(2))
    for (one, fresh), (other, _) in zip(once, again, strict=True):
        assert fresh and torch.equal(one, other)
    assert len({batch.numpy().tobytes() for batch, _ in once}) == 5


def test_the_music_that_excerpts_are_drawn_from_does_not_change():
    states = random_states(64, 0, 0.1)
    before = states.copy()
    drawn_from(Corrupted([states], 32, 0.5), 9)
    np.testing.assert_array_equal(states, before)


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
