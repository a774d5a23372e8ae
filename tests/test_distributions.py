"""Distributions of what pieces are made of, against counts of a loop over their notes."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import PLAY, hand_states, legal_states, note_list

from musiclib.base.errors import InputError
from musiclib.metrics.distributions import Shares, distributions, total_variation


def counted(pieces):
    """What each distribution counts, by value, of legal pieces."""
    found = {name: Counter() for name in NAMES}
    for states in pieces:
        sounding = [(t, p) for t in range(len(states)) for p in range(78) if states[t, p, PLAY]]
        found["pitches"].update(p + 24 for _, p in sounding)
        found["pitch classes"].update(p % 12 for _, p in sounding)
        at = Counter(t for t, _ in sounding)
        found["notes per step"].update(min(at[t], 11) for t in range(len(states)))
        notes = note_list(states)
        found["note lengths"].update(min(end - onset, 17) for onset, end, _ in notes)
        onsets = sorted({onset for onset, _, _ in notes})
        apart = [later - onset for onset, later in pairwise(onsets)]
        found["steps to the next onset"].update(min(steps, 17) for steps in apart)
    return found


NAMES = ("pitches", "pitch classes", "notes per step", "note lengths", "steps to the next onset")


@settings(max_examples=25, deadline=None)
@given(legal_states(max_steps=30), legal_states(max_steps=30))
def test_shares_are_those_of_a_loop(first, second):
    truth = counted([first, second])
    for name, of in distributions([first, second]).items():
        total = sum(truth[name].values())
        assert of.count == total
        assert of.shares.sum() == pytest.approx(1 if total else 0)
        for value, share in zip(of.values, of.shares, strict=True):
            assert share == pytest.approx(truth[name][value] / max(total, 1))


def test_of_a_piece_by_hand():
    made = distributions([hand_states(8, (60, 0, 4), (64, 0, 2), (72, 4, 4))])
    assert made["pitch classes"].shares[[0, 4]].tolist() == [0.8, 0.2]
    assert made["notes per step"].shares[:3].tolist() == [0, 0.75, 0.25]
    assert made["note lengths"].shares[[1, 3]].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert made["steps to the next onset"].shares[3] == 1


def test_distance_is_0_of_the_same_1_of_nothing_shared_and_half_where_half_is():
    low, high, both = (
        distributions([hand_states(4, *notes)])["pitches"]
        for notes in (((40, 0, 4),), ((80, 0, 4),), ((40, 0, 4), (80, 0, 4)))
    )
    assert total_variation(low, low) == 0
    assert total_variation(low, high) == 1
    assert total_variation(low, both) == total_variation(both, low) == 0.5


def test_silence_is_as_far_as_can_be_from_music_and_not_from_silence():
    silence, music = (
        distributions([piece])["pitches"] for piece in (hand_states(4), hand_states(4, (60, 0, 1)))
    )
    assert total_variation(silence, music) == 1 and total_variation(silence, silence) == 0
    assert distributions([])["notes per step"].count == 0


def test_distributions_of_other_values_are_not_compared():
    one, other = (Shares(np.arange(n), np.full(n, 1 / n), n) for n in (2, 3))
    with pytest.raises(InputError, match="different values"):
        total_variation(one, other)
