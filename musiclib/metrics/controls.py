"""Music made worse in known ways: what a metric of quality must put in the right order.

Pieces are legal note states (T, 78, 2). A seed or a generator is passed in.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans

from musiclib.music.bars import piece_bars
from musiclib.music.corrupted import shift_notes, thin
from musiclib.music.note_states import NOTES

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
CENTRES, AS_FEW = "300 cluster centres", "300 bars of the real music"
BELOW_REAL = ("20 bars repeated", CENTRES)


def controls(pieces: Sequence[np.ndarray], seed: int) -> dict[str, list[np.ndarray]]:
    """Sets of pieces (T, 78, 2) made of real ones, named as above; some are one long piece."""
    rng, table = np.random.default_rng(seed), piece_bars(pieces)
    moved = {f"{p} % shifted": [shift_notes(x, p / 100, rng) for x in pieces] for p in (10, 30)}
    thinned = {"half deleted": 0.5, "90 % deleted": 0.1}
    thinned = {name: [thin(x, keep, rng) for x in pieces] for name, keep in thinned.items()}
    tables = {
        "independent notes": independent(table, rng),
        SILENCE: np.zeros_like(table),
        "20 bars repeated": repeated(table, 20, rng),
        CENTRES: centres(table, 300, seed),
        AS_FEW: rng.permutation(table)[:300],  # a small sample scores lower for its size alone
    }
    as_pieces = {name: [part.reshape(-1, NOTES, 2)] for name, part in tables.items()}
    return {REAL: list(pieces)} | moved | thinned | as_pieces


def independent(bars: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many bars, every cell played as often as there but on its own."""
    return (rng.random(bars.shape) < bars.mean(axis=0)).astype(np.uint8)


def repeated(bars: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """As many bars, all of them repeats of `count` drawn ones."""
    drawn = bars[rng.choice(len(bars), min(count, len(bars)), replace=False)]
    return np.resize(drawn, bars.shape)


def centres(bars: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The centres of `count` clusters of bars, rounded to bits."""
    clusters = KMeans(min(count, len(bars)), n_init=1, random_state=seed).fit(bars)
    return (clusters.cluster_centers_ > 0.5).astype(np.uint8)
