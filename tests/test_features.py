"""The 80 input features of the biaxial RNN, against loops written from their description."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import legal_states, random_states

from musiclib.models.features import features

VICINITY, CONTEXT, BEAT = slice(13, 63), slice(63, 75), slice(75, 79)


def naive_features(states, first_step=0):
    rows = np.zeros((len(states), 78, 80), np.float32)
    for step, notes in enumerate(states):
        for note in range(78):
            row = [note]
            row += [float((note + 24) % 12 == pitch_class) for pitch_class in range(12)]
            for other in range(note - 12, note + 13):
                row += list(notes[other]) if 0 <= other < 78 else [0, 0]
            for distance in range(12):
                same = [n for n in range(78) if (n - note) % 12 == distance]
                row.append(sum(int(notes[n, 0]) for n in same))
            row += [1 if (first_step + step) >> bit & 1 else -1 for bit in range(4)]
            rows[step, note] = [*row, 0]
    return rows


@settings(max_examples=10)
@given(legal_states(max_steps=4), st.integers(0, 40))
def test_a_naive_loop_agrees(states, first_step):
    computed = features(torch.from_numpy(states), first_step)
    np.testing.assert_array_equal(computed.numpy(), naive_features(states, first_step))


def test_sequences_side_by_side_do_not_mix():
    pieces = np.stack([random_states(20, seed) for seed in range(3)])
    computed = features(torch.from_numpy(pieces))
    for piece, rows in zip(pieces, computed, strict=True):
        np.testing.assert_array_equal(rows.numpy(), naive_features(piece))


@given(legal_states(max_steps=10, low=20, high=50), st.integers(-7, 15))
def test_shifting_all_notes_shifts_vicinity_and_context(states, interval):
    """No note leaves the 78 and none comes within an octave of the edge."""
    here = features(torch.from_numpy(states))
    there = features(torch.from_numpy(np.roll(states, interval, axis=1)))
    for part in (VICINITY, CONTEXT):
        moved = there[:, 20 + interval : 50 + interval, part]
        assert torch.equal(moved, here[:, 20:50, part])


def test_the_beat_counts_sixteenths_of_the_bar():
    beat = features(torch.zeros(40, 78, 2), first_step=3)[:, 5, BEAT]
    bits = (beat > 0).int()
    number = (bits * torch.tensor([1, 2, 4, 8])).sum(dim=1)
    assert set(beat.unique().tolist()) == {-1, 1}
    assert number.tolist() == [(3 + step) % 16 for step in range(40)]
