"""What pieces are made of as five distributions, and how far two of them are apart.

**Conventions**: pieces are note states (T, 78, 2); a distribution is its values and their shares,
which sum to 1, or are all 0 where there is nothing to count.

**Metrics**: pitches, pitch classes (shares of sounding time), notes per step (of steps), note
lengths (of notes), steps to the next onset (of onsets: notes struck together are one).

**References**: total variation distance, as in Levin and Peres, Markov Chains and Mixing Times
(2017), section 4.1.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from musiclib.base.errors import InputError
from musiclib.music.keys import pitch_class_steps
from musiclib.music.note_states import ARTICULATE, LOWEST_PITCH, NOTES, PLAY
from musiclib.music.notes import END, ONSET, notes_of
from musiclib.music.transforms import legal

LONGEST = 17  # steps: what lasts longer than a bar of 16 is counted as this
MOST = 11  # notes per step: more are counted as these


class Shares(NamedTuple):
    """Values, int64, and their shares, float64, of `count` things; the last value may mean more."""

    values: np.ndarray
    shares: np.ndarray
    count: int


def distributions(pieces: Sequence[np.ndarray]) -> dict[str, Shares]:
    """The five distributions of pieces (T, 78, 2), each over the same values for all music."""
    return {name: _shares(pieces, count, values) for name, (count, values) in KINDS.items()}


def total_variation(first: Shares, second: Shares) -> float:
    """Half the sum of differences of shares: 0 where they are the same, 1 where nothing is shared.

    1 where one of both counts nothing. Raises InputError where their values differ.
    """
    if not np.array_equal(first.values, second.values):
        raise InputError("distributions over different values cannot be compared: count both anew")
    if not first.count or not second.count:
        return float(first.count != second.count)
    return float(np.abs(first.shares - second.shares).sum() / 2)


def _shares(
    pieces: Sequence[np.ndarray], count: Callable[[np.ndarray], np.ndarray], values: np.ndarray
) -> Shares:
    each = (count(legal(np.asarray(piece))) for piece in pieces if len(piece))
    total = sum(each, np.zeros(len(values), np.int64))
    return Shares(values, total / max(total.sum(), 1), int(total.sum()))


def _pitches(states: np.ndarray) -> np.ndarray:
    return states[..., PLAY].sum(axis=0, dtype=np.int64)


def _per_step(states: np.ndarray) -> np.ndarray:
    return _counted(states[..., PLAY].sum(axis=1, dtype=np.int64), MOST + 1)


def _lengths(states: np.ndarray) -> np.ndarray:
    notes = notes_of(states)
    return _counted(notes[:, END] - notes[:, ONSET] - 1, LONGEST)


def _between(states: np.ndarray) -> np.ndarray:
    onsets = np.flatnonzero(states[..., ARTICULATE].any(axis=1))
    return _counted(np.diff(onsets) - 1, LONGEST)


def _counted(found: np.ndarray, values: int) -> np.ndarray:
    """How often 0, 1, ... occur, what is above as the last value."""
    return np.bincount(np.minimum(found, values - 1), minlength=values)


STEPS = np.arange(1, LONGEST + 1)
KINDS = {
    "pitches": (_pitches, LOWEST_PITCH + np.arange(NOTES)),
    "pitch classes": (pitch_class_steps, np.arange(12)),
    "notes per step": (_per_step, np.arange(MOST + 1)),
    "note lengths": (_lengths, STEPS),
    "steps to the next onset": (_between, STEPS),
}
