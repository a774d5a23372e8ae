"""Worsened music: only what is meant to change changes, note by note."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import PLAY, STRUCK, hand_states, legal_states, random_states, repaired

from musiclib.metrics.controls import centres, controls, independent, repeated
from musiclib.music.corrupted import shift_notes, thin

SEED = st.integers(0, 2**32)


def rng(seed=0):
    return np.random.default_rng(seed)


def notes_of(states):
    """(pitch, first step, steps) of every note: a strike, and what is held after it."""
    found = set()
    for step, note in np.argwhere(states[..., STRUCK]):
        end = step + 1
        while end < len(states) and states[end, note, PLAY] and not states[end, note, STRUCK]:
            end += 1
        found.add((int(note) + 24, int(step), int(end - step)))
    return found


@given(legal_states(), SEED, st.floats(0, 1))
def test_thinned_music_holds_whole_notes_of_the_music(states, seed, keep):
    thinned = thin(states, keep, rng(seed))
    kept = notes_of(thinned)
    assert kept <= notes_of(states)
    np.testing.assert_array_equal(thinned, hand_states(len(states), *kept))


@given(legal_states(), SEED)
def test_all_notes_or_none_may_be_kept(states, seed):
    np.testing.assert_array_equal(thin(states, 1, rng(seed)), states)
    assert not thin(states, 0, rng(seed)).any()


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_the_share_of_notes_kept_is_as_asked(keep):
    states = random_states(400, 0, 0.3)
    notes = len(notes_of(states))
    off = len(notes_of(thin(states, keep, rng()))) / notes - keep
    assert abs(off) < 4 * np.sqrt(keep * (1 - keep) / notes)


def one_after_another(count):
    """Notes of one to three steps that never sound together, each at its own four steps."""
    pitches, lengths = rng(1).integers(40, 80, count), rng(2).integers(1, 4, count)
    notes = [(p, 4 * i, n) for i, (p, n) in enumerate(zip(pitches, lengths, strict=True))]
    return hand_states(4 * count, *notes)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 1])
def test_the_share_of_notes_moved_is_as_asked_and_none_is_lost(share):
    states = one_after_another(1500)
    before, after = (sorted(notes_of(s), key=lambda note: note[1]) for s in (
        states, shift_notes(states, share, rng())
    ))  # fmt: skip
    assert [note[1:] for note in after] == [note[1:] for note in before]
    by = np.array([new[0] - old[0] for new, old in zip(after, before, strict=True)])
    allowed = [*range(-6, 0), *range(1, 7)] if share else []
    assert sorted(set(by) - {0}) == allowed
    off = np.mean(by != 0) - share
    assert abs(off) <= 4 * np.sqrt(share * (1 - share) / len(by))


@given(legal_states(), SEED, st.floats(0, 1))
def test_moved_notes_stay_legal(states, seed, share):
    moved = shift_notes(states, share, rng(seed))
    np.testing.assert_array_equal(moved, repaired(moved))
    assert moved.shape == states.shape and moved.dtype == np.uint8


@given(legal_states(), SEED)
def test_moving_no_note_changes_nothing(states, seed):
    np.testing.assert_array_equal(shift_notes(states, 0, rng(seed)), states)


def test_notes_moved_over_the_edge_are_lost_and_come_back_nowhere():
    lowest = hand_states(4000, *((24, step, 1) for step in range(0, 4000, 2)))
    pitches = [pitch for pitch, _, _ in notes_of(shift_notes(lowest, 1, rng()))]
    assert set(pitches) == set(range(25, 31))
    assert 850 < len(pitches) < 1150  # one in two goes up


def test_independent_cells_are_played_as_often_but_not_together():
    together = np.repeat(rng().random((4000, 1)) < 0.3, 2, axis=1)
    table = np.hstack([together, np.zeros((4000, 1)), np.ones((4000, 1))]).astype(np.uint8)
    made = independent(table, rng(1))
    assert made.shape == table.shape and made.dtype == np.uint8
    assert not made[:, 2].any() and made[:, 3].all()
    assert abs(made[:, :2].mean(axis=0) - together.mean(axis=0)).max() < 0.03
    assert abs(np.corrcoef(made[:, :2].T)[0, 1]) < 0.06


@pytest.mark.parametrize("count", [1, 3, 20, 50])
def test_repeated_bars_are_some_of_the_music_equally_often(count):
    table = (np.arange(20)[:, None] >> np.arange(5) & 1).astype(np.uint8)  # all different
    made = repeated(table, count, rng())
    assert made.shape == table.shape
    assert {bytes(row) for row in made} <= {bytes(row) for row in table}
    _, often = np.unique(made, axis=0, return_counts=True)
    assert len(often) == min(count, 20)
    assert often.max() - often.min() <= 1


def test_the_centres_of_two_clusters_are_what_most_of_their_bars_play():
    low, high = np.arange(20) < 10, np.arange(20) >= 10
    noise = rng().random((60, 20)) < 0.1
    table = (np.repeat([low, high], 30, axis=0) ^ noise).astype(np.uint8)
    found = centres(table, 2, seed=0)
    assert {bytes(row) for row in found} == {bytes(row.astype(np.uint8)) for row in (low, high)}
    assert len(centres(table[:5], 300, seed=0)) == 5


@pytest.mark.parametrize(
    "worsen",
    [
        lambda states, rng: thin(states, 0.5, rng),
        lambda states, rng: shift_notes(states, 0.5, rng),
        lambda states, rng: independent(states.reshape(-1, 312), rng),
        lambda states, rng: repeated(states.reshape(-1, 312), 5, rng),
    ],
)
def test_chance_comes_from_the_generator_alone(worsen):
    states = random_states(60, 0, 0.2)
    first = worsen(states, rng(3))
    np.random.seed(0)
    np.testing.assert_array_equal(worsen(states, rng(3)), first)
    assert np.random.random() == np.random.RandomState(0).random_sample()  # not drawn from
    assert (worsen(states, rng(4)) != first).any()


def test_all_controls_have_as_many_bars_as_the_music_or_as_many_as_their_name_says():
    pieces = [random_states(steps, steps, 0.2) for steps in (400, 90, 64)]
    sets = controls(pieces, seed=0)
    bars = {name: sum(len(p) // 16 for p in music) for name, music in sets.items()}
    assert bars.pop("300 cluster centres") == 25 + 5 + 4
    assert set(bars.values()) == {25 + 5 + 4}
    notes = {name: sum(int(p[..., STRUCK].sum()) for p in music) for name, music in sets.items()}
    assert notes["silence"] == 0
    assert notes["real"] > 1.5 * notes["half deleted"] > 5 * notes["90 % deleted"] > 0
    rows = sets["20 bars repeated"][0].reshape(-1, 2496)
    assert len(np.unique(rows, axis=0)) == 20
    for ours, theirs in zip(pieces, sets["real"], strict=True):
        np.testing.assert_array_equal(ours, theirs)
