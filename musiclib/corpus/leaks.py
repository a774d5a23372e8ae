"""Finding the same music in two pieces, transposed or not: what is held out is not trained on."""

from collections.abc import Iterable

import numpy as np

from musiclib.music.note_states import ARTICULATE, NOTES, PLAY

RUN = 64  # four bars
FEWEST_ONSETS = 16  # fewer is silence or a drone, which proves nothing

_random = np.random.default_rng(20160608)
_INTERVALS = _random.integers(1, 2**63, (NOTES, 2), dtype=np.uint64)
_MOTION = _random.integers(1, 2**63, 2 * NOTES + 1, dtype=np.uint64)
_BASE = np.uint64(0x9E3779B97F4A7C15)


def fingerprints(states: np.ndarray) -> set[int]:
    """A number for each run of 64 steps of `states` (T, 78, 2), the same at every transposition.

    Runs are taken at every step, so that an upbeat or a rest before them does not matter.
    """
    if len(states) < RUN:
        return set()
    tokens = _tokens(states)
    runs = np.zeros(len(tokens) - RUN + 1, np.uint64)
    for offset in range(RUN):
        runs = runs * _BASE + tokens[offset : offset + len(runs)]
    onsets = np.concatenate([[0], states[..., ARTICULATE].sum(axis=1, dtype=np.int64).cumsum()])
    telling = onsets[RUN:] - onsets[:-RUN] >= FEWEST_ONSETS
    return set(runs[telling].tolist())


def _tokens(states: np.ndarray) -> np.ndarray:
    """A number a step, uint64 (T,): the chord above its lowest note, and how that note moved.

    The first step of a run is compared with the step before it, which belongs to the music too.
    """
    steps, notes, bits = np.nonzero(states * states[..., PLAY, None])
    lowest = np.where(states[..., PLAY].any(axis=1), states[..., PLAY].argmax(axis=1), -1)
    tokens = np.zeros(len(states), np.uint64)
    np.add.at(tokens, steps, _INTERVALS[notes - lowest[steps], bits])
    sounding = np.flatnonzero(lowest >= 0)
    motion = np.diff(lowest[sounding])
    tokens[sounding[1:]] += _MOTION[motion + NOTES]
    return tokens


def runs_of(pieces: Iterable[np.ndarray]) -> set[int]:
    """The fingerprints of all runs of four bars in pieces (T, 78, 2)."""
    return set().union(*map(fingerprints, pieces))


def leaking(training: Iterable[np.ndarray], held_out: Iterable[np.ndarray]) -> list[int]:
    """Indices of training pieces that share four bars with a held-out one."""
    known = runs_of(held_out)
    return [i for i, piece in enumerate(training) if known & fingerprints(piece)]
