"""Finding the same music in two pieces, transposed or not: what is held out is not trained on."""

from collections.abc import Iterable, Sequence

import numpy as np

from musiclib.base.compiled import compiled
from musiclib.music.note_states import ARTICULATE, NOTES, PLAY

RUN = 64  # four bars
FEWEST_ONSETS = 16  # fewer is silence or a drone, which proves nothing
A_PASSAGE = 32  # one fingerprint in so many is a passage: they tell copies, and need little room

_random = np.random.default_rng(20160608)
_INTERVALS = _random.integers(1, 2**63, (NOTES, 2), dtype=np.uint64)
_MOTION = _random.integers(1, 2**63, 2 * NOTES + 1, dtype=np.uint64)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_TOP = np.uint64(pow(int(_BASE), RUN, 2**64))  # the weight of the step that leaves a run


def fingerprints(states: np.ndarray) -> np.ndarray:
    """A number for each run of 64 steps of `states` (T, 78, 2), the same at every transposition.

    Runs are taken at every step, so that an upbeat or a rest before them does not matter. uint64,
    sorted, each once.
    """
    states = np.asarray(states)
    onsets = states[..., ARTICULATE].sum(axis=1, dtype=np.int64)
    runs = _rolling(_tokens(states), onsets)
    return np.unique(runs)


@compiled
def _tokens(states):  # noqa: ANN001, ANN202
    """A number a step, uint64 (T,): the chord above its lowest note, and how that note moved.

    The first step of a run is compared with the step before it, which belongs to the music too.
    """
    tokens, before = np.zeros(len(states), np.uint64), -1
    for step in range(len(states)):
        lowest = -1
        for note in range(NOTES):
            if states[step, note, PLAY]:
                lowest = note if lowest < 0 else lowest
                tokens[step] += _INTERVALS[note - lowest, PLAY]
                if states[step, note, ARTICULATE]:
                    tokens[step] += _INTERVALS[note - lowest, ARTICULATE]
        if lowest >= 0 and before >= 0:
            tokens[step] += _MOTION[lowest - before + NOTES]
        before = lowest if lowest >= 0 else before
    return tokens


@compiled
def _rolling(tokens, onsets):  # noqa: ANN001, ANN202
    """A polynomial in the tokens of each run that has onsets enough, modulo 2^64."""
    runs, count = np.zeros(len(tokens), np.uint64), 0
    value, struck = np.uint64(0), 0
    for step in range(len(tokens)):
        value, struck = value * _BASE + tokens[step], struck + onsets[step]
        if step >= RUN:
            value, struck = value - _TOP * tokens[step - RUN], struck - onsets[step - RUN]
        if step >= RUN - 1 and struck >= FEWEST_ONSETS:
            runs[count] = value
            count += 1
    return runs[:count]


def passages(fingerprints: np.ndarray) -> np.ndarray:
    """Some of a piece's fingerprints, the same ones wherever they are found."""
    return fingerprints[fingerprints < np.uint64(2**64 // A_PASSAGE)]  # the high bits mix best


def families(passages: Sequence[np.ndarray]) -> np.ndarray:
    """A number for each piece, the same for pieces that share passages, be it by way of others."""
    from scipy.sparse import coo_array  # here: it takes those who read a file half a second
    from scipy.sparse.csgraph import connected_components

    piece = np.repeat(np.arange(len(passages)), [len(own) for own in passages])
    _, passage = np.unique(np.concatenate([*passages, np.zeros(0, np.uint64)]), return_inverse=True)
    size = len(passages) + len(piece)
    joined = coo_array((np.ones(len(piece)), (piece, len(passages) + passage)), (size, size))
    return connected_components(joined, directed=False)[1][: len(passages)]


def runs_of(pieces: Iterable[np.ndarray]) -> np.ndarray:
    """The fingerprints of all runs of four bars in pieces (T, 78, 2), sorted, each once."""
    return together(map(fingerprints, pieces))


def together(prints: Iterable[np.ndarray]) -> np.ndarray:
    """Fingerprints of several pieces, sorted, each once."""
    return np.unique(np.concatenate([*prints, np.zeros(0, np.uint64)]))


def share(prints: np.ndarray, known: np.ndarray) -> bool:
    """Whether a piece's fingerprints and others, both sorted, have any in common."""
    if not len(known):
        return False
    at = np.searchsorted(known, prints)
    return bool((known[np.minimum(at, len(known) - 1)] == prints).any())


def leaking(training: Iterable[np.ndarray], held_out: Iterable[np.ndarray]) -> list[int]:
    """Indices of training pieces that share four bars with a held-out one."""
    known = runs_of(held_out)
    return [i for i, piece in enumerate(training) if share(fingerprints(piece), known)]
