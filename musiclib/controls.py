"""Music made worse in known ways: what a measure of quality must put in the right order.

A note is what lies between a strike and the next strike or rest of its pitch, in legal note states
(T, 78, 2). Randomness comes from a generator that is passed in.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans

from musiclib.measures import piece_measures
from musiclib.midi import ARTICULATE, NOTES, PLAY
from musiclib.transforms import shift

FARTHEST = 6  # semitones

REAL, SILENCE = "real", "silence"
FROM_BEST_TO_WORST = (
    REAL,
    "10 % shifted",
    "30 % shifted",
    "independent notes",
    "half deleted",
    "90 % deleted",
    SILENCE,
)
CENTRES, AS_FEW = "300 cluster centres", "300 measures of the real music"
BELOW_REAL = ("20 measures repeated", CENTRES)


def controls(pieces: Sequence[np.ndarray], seed: int) -> dict[str, list[np.ndarray]]:
    """Sets of pieces (T, 78, 2) made of real ones, named as above; some are one long piece."""
    rng, table = np.random.default_rng(seed), piece_measures(pieces)
    moved = {f"{p} % shifted": [shift_notes(x, p / 100, rng) for x in pieces] for p in (10, 30)}
    thinned = {"half deleted": 0.5, "90 % deleted": 0.1}
    thinned = {name: [thin(x, keep, rng) for x in pieces] for name, keep in thinned.items()}
    tables = {
        "independent notes": independent(table, rng),
        SILENCE: np.zeros_like(table),
        "20 measures repeated": repeated(table, 20, rng),
        CENTRES: centres(table, 300, seed),
        AS_FEW: rng.permutation(table)[:300],  # a small sample scores lower for its size alone
    }
    as_pieces = {name: [part.reshape(-1, NOTES, 2)] for name, part in tables.items()}
    return {REAL: list(pieces)} | moved | thinned | as_pieces


def thin(states: np.ndarray, keep: float, rng: np.random.Generator) -> np.ndarray:
    """Keep each note with probability `keep`."""
    return states * (_a_note(states, rng.random) < keep)[..., None]


def shift_notes(states: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Move each note with probability `share` by 1 to 6 semitones, up or down."""
    chosen = _a_note(states, rng.random) < share
    intervals = [i for i in range(-FARTHEST, FARTHEST + 1) if i]
    by = np.where(chosen, _a_note(states, lambda size: rng.choice(intervals, size)), 0)
    moved = [shift(states * (by == i)[..., None], i) for i in (0, *intervals)]
    return np.maximum.reduce(moved)


def _a_note(states: np.ndarray, draw) -> np.ndarray:  # noqa: ANN001
    """One draw a note, shown at every step and pitch (T, 78) where the note sounds."""
    number = np.cumsum(states[..., ARTICULATE], axis=0, dtype=np.int64)  # of strikes so far
    drawn = draw((len(states) + 1, states.shape[1]))
    return np.take_along_axis(drawn, number, axis=0) * states[..., PLAY]


def independent(measures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many measures, every cell played as often as there but on its own."""
    return (rng.random(measures.shape) < measures.mean(axis=0)).astype(np.uint8)


def repeated(measures: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """As many measures, all of them repeats of `count` drawn ones."""
    drawn = measures[rng.choice(len(measures), min(count, len(measures)), replace=False)]
    return np.resize(drawn, measures.shape)


def centres(measures: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The centres of `count` clusters of measures, rounded to bits."""
    clusters = KMeans(min(count, len(measures)), n_init=1, random_state=seed).fit(measures)
    return (clusters.cluster_centers_ > 0.5).astype(np.uint8)
