"""What a piece plays elsewhere: against a plain loop over all pairs of steps."""

import numpy as np
import pytest
import torch
from strategies import STRUCK, hand_states, random_states

from musiclib.models import nonlocal_means as recall

SHARPNESS, NEIGHBOURS, APART = 20, 8, 4


def around(cells, step, reach):
    """The steps about a step, one after another; silence before the piece and after it."""
    silence = np.zeros(cells.shape[1])
    at = range(step - reach, step + reach + 1)
    return np.concatenate([cells[s] if 0 <= s < len(cells) else silence for s in at])


def cosine(one, other):
    return one @ other / max(1, np.sqrt((one @ one) * (other @ other)))


def most_alike(cells, step, reach):
    """(cosine, step) of the steps elsewhere that are most alike."""
    here = around(cells, step, reach)
    places = [s for s in range(len(cells)) if abs(s - step) >= APART]
    alike = [(cosine(here, around(cells, s, reach)), s) for s in places]
    return sorted(alike, reverse=True)


def which_is_clear(states):
    """The steps whose last neighbour is more alike than the next one, or neither is alike."""
    cells = states.reshape(len(states), -1).astype(float)

    def clear(step, reach):
        after = [c for c, _ in most_alike(cells, step, reach)[NEIGHBOURS - 1 : NEIGHBOURS + 1]]
        return len(after) < 2 or after[0] <= 0 or after[0] - after[1] > 1e-6

    return np.array([clear(step, 6) and clear(step, 16) for step in range(len(states))])


def recalled(cells, step, reach):
    """The weighted mean, it times how alike the steps are, and it times the fourth power of it.

    A neighbour that is not alike at all has its share of the weight, but nothing to say.
    """
    neighbours = most_alike(cells, step, reach)[:NEIGHBOURS]
    total = sum(np.exp(SHARPNESS * c) for c, _ in neighbours)
    heard = [(np.exp(SHARPNESS * c) / total, c, s) for c, s in neighbours if c > 0]
    mean = sum((w * cells[s] for w, _, s in heard), np.zeros(cells.shape[1]))
    alike = sum(w * c for w, c, _ in heard)
    return [mean, mean * alike, mean * alike**4]


def by_hand(states):
    cells = states.reshape(len(states), -1).astype(float)
    steps = [[m for r in (6, 16) for m in recalled(cells, t, r)] for t in range(len(cells))]
    means = np.reshape(steps, (len(cells), 6, 78, 2))
    return means.transpose(0, 2, 1, 3).reshape(len(cells), 78, 12)


def ours(states):
    return recall.recall(torch.from_numpy(states)).numpy()


@pytest.mark.parametrize(
    ("steps", "density"), [(30, 0.05), (31, 0.3), (40, 0.01), (13, 0.1), (9, 0.1), (5, 0.2)]
)
def test_what_is_recalled_is_what_a_loop_over_all_pairs_of_steps_says(steps, density):
    states = random_states(steps, steps, density)
    expected, clear = by_hand(states), which_is_clear(states)
    np.testing.assert_allclose(ours(states)[clear], expected[clear], rtol=0, atol=1e-5)
    assert expected[clear].any() and clear.mean() > 0.7


@pytest.mark.parametrize("block", [1, 7, 30])
def test_how_many_steps_are_looked_at_together_does_not_matter(block, monkeypatch):
    states = random_states(30, 3, 0.1)
    whole = ours(states)
    monkeypatch.setattr(recall, "BLOCK", block)
    np.testing.assert_allclose(ours(states), whole, rtol=0, atol=1e-6)


def repeats(phrase, times=4):
    return np.tile(phrase, (times, 1, 1))


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_what_is_missing_from_one_repeat_is_recalled_from_the_others(at):
    phrase = random_states(16, 8, 0.1)
    missing = int(np.flatnonzero(phrase[5, :, STRUCK])[0])
    states = repeats(phrase)
    states[16 * at + 5, missing] = 0
    means = ours(states)[16 * at + 5].reshape(78, 2, 3, 2)  # (78, reach, mean, bit)
    assert (means[missing, :, 0] > 0.9).all()
    silent = ~phrase[5].any(axis=1)
    assert (means[silent, :, 0] < 0.1).all()


def test_what_is_wrong_in_one_repeat_is_recalled_by_none_of_its_cells():
    phrase = random_states(16, 8, 0.1)
    silent = int(np.flatnonzero(~phrase[..., 0].any(axis=0))[0])
    states = repeats(phrase)
    states[16 + 5, silent] = 1
    assert ours(states)[16 + 5, silent].max() == 0


@pytest.mark.parametrize(("apart", "elsewhere"), [(1, False), (3, False), (4, True), (6, True)])
def test_elsewhere_is_four_steps_away_or_farther(apart, elsewhere):
    """Two notes are alike only in each other's place, where they are as far apart as that."""
    means = ours(hand_states(60, (60, 30, 1), (60, 30 + apart, 1)))
    assert (means[30, 36, 0] > 0) == (means[30 + apart, 36, 0] > 0) == elsewhere


def test_a_note_alone_in_two_places_is_recalled_in_either_as_surely_as_can_be():
    """These are the only steps alike, and wholly so: all means of both are the note itself."""
    states = hand_states(80, (60, 20, 1), (60, 60, 1))
    expected = np.repeat(states[..., None, :], 6, axis=2).reshape(80, 78, 12)
    np.testing.assert_allclose(ours(states)[[20, 60]], expected[[20, 60]], rtol=0, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 3, 50])
def test_silence_recalls_nothing(steps):
    assert ours(hand_states(steps)).shape == (steps, 78, 12)
    assert not ours(hand_states(steps)).any()


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_piece_without_an_elsewhere_recalls_nothing(steps):
    assert not ours(random_states(steps, 0, 0.5)).any()


def test_music_that_is_moved_recalls_the_same_there():
    """Eight steps have at most eight neighbours that are alike, so all of them are heard."""
    piece = hand_states(100)
    piece[40:48] = random_states(8, 1, 0.3, 10, 60)
    moved = np.roll(piece, (7, 3), axis=(0, 1))
    expected = np.roll(ours(piece), (7, 3), axis=(0, 1))
    np.testing.assert_allclose(ours(moved), expected, rtol=0, atol=1e-5)
    assert expected.max() > 0.5
