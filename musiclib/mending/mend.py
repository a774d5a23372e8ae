"""Mending composed music: what the paper wanted of its RBM (section 2.4.3), several ways.

A way gives every cell of a piece the probability that it is on in the music that is meant, float of
shape (T, 78, 2), from legal note states (T, 78, 2). `choose` makes music of them, note by note, so
that what is good stays: a note goes where its strike is unlikely, one comes where it is likely.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from musiclib.metrics.note_f1 import f1
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.keys import estimate_key, normalise_key
from musiclib.music.note_states import ARTICULATE, LOWEST_PITCH, NOTES, PLAY
from musiclib.music.notes import ONSET, PITCH, notes_of, states_with
from musiclib.music.transforms import legal

EVEN = 0.5

Way = Callable[[np.ndarray], np.ndarray]


def mend(states: np.ndarray, way: Way, *, normalise: bool = True) -> np.ndarray:
    """A piece (T, 78, 2) mended one way; `normalise` for machines that know C major and A minor.

    Notes that normalising would push over the edge of the 78 pitches come back unmended.
    """
    given = legal(states)
    if not normalise:
        return choose(given, way(given))
    moved = normalise_key(given, estimate_key(given, "paper"))
    return moved._replace(states=choose(moved.states, way(moved.states))).undo()


def choose(
    states: np.ndarray, chances: np.ndarray, keep: float = EVEN, add: float = EVEN
) -> np.ndarray:
    """Music by chances (T, 78, 2) of strikes and of sounding, starting from legal states.

    A given note stays whole where the chance of its strike is at least `keep`; where no note was
    given and the chance is over `add`, in what is silent now, a new note is held as long as
    sounding is more likely than not: what is held was struck, and stops at the next strike.
    """
    notes = notes_of(states)
    kept = notes[chances[notes[:, ONSET], notes[:, PITCH], ARTICULATE] >= keep]
    mended = states_with(kept, len(states))
    new = (states[..., ARTICULATE] == 0) & (chances[..., ARTICULATE] > add)
    return mended | _grown(mended, new, chances)


def _grown(states: np.ndarray, struck: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """New notes alone (T, 78, 2), struck and held where `states` are silent."""
    free = states[..., PLAY] == 0
    struck = free & struck
    held = free & (chances[..., PLAY] > EVEN)
    sounding = struck.copy()
    for step in range(1, len(states)):
        sounding[step] |= sounding[step - 1] & held[step]
    return np.stack([sounding, struck], axis=-1).astype(np.uint8)


class Thresholds(NamedTuple):
    """`keep` and `add` of `choose`."""

    keep: float
    add: float


KEEP = (0.0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
ADD = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def tuned(pairs: Sequence[tuple[np.ndarray, np.ndarray]], way: Way) -> Thresholds:
    """The thresholds with the best mean F1 over pairs of original and corrupted pieces.

    Keeping all and adding nothing is among them.
    """
    chances = [way(given) for _, given in pairs]

    def mean_f1(thresholds: Thresholds) -> float:
        return np.mean(
            [
                f1(choose(given, chance, *thresholds), meant)
                for (meant, given), chance in zip(pairs, chances, strict=True)
            ]
        )

    return max((Thresholds(keep, add) for keep in KEEP for add in ADD), key=mean_f1)


def baseline(states: np.ndarray) -> np.ndarray:
    """Mending without a machine: drop notes outside each bar's key, fill by repetition.

    The key is that of the bar and its two neighbours; a note comes back where the bars
    before and after both strike it and its place is silent. Returns music, not chances.
    """
    notes, size = notes_of(states), STEPS_PER_BAR
    starts = range(0, len(states), size)
    scales = np.array([_scale(states[max(0, at - size) : at + 2 * size]) for at in starts])
    kept = notes[scales[notes[:, ONSET] // size, notes[:, PITCH]]]
    mended = states_with(kept, len(states))
    for onset, end, pitch in sorted(_agreed(notes)):
        if not mended[onset:end, pitch].any():
            mended[onset:end, pitch, PLAY] = 1
            mended[onset, pitch, ARTICULATE] = 1
    return mended


def _agreed(notes: np.ndarray) -> list[tuple[int, int, int]]:
    """Notes that the bars before and after both strike, as long as the shorter of the two."""
    size = STEPS_PER_BAR
    later = {(onset + size, pitch): end + size for onset, end, pitch in notes.tolist()}
    sooner = {(onset - size, pitch): end - size for onset, end, pitch in notes.tolist()}
    both = later.keys() & sooner.keys()
    return [(at, min(later[at, pitch], sooner[at, pitch]), pitch) for at, pitch in both]


def _scale(states: np.ndarray) -> np.ndarray:
    """Which of the 78 pitches are in the scale of the estimated key, bool (78,)."""
    key = estimate_key(states, "paper")
    return np.isin((np.arange(NOTES) + LOWEST_PITCH - key.tonic) % 12, SCALES[key.mode])


SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}
