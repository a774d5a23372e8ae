"""Precision and recall of generated bars: how many are like real ones, how much is covered.

The real manifold is what lies as near to a real bar as its third nearest real neighbour, in
Hamming distance; precision is the share of generated bars in it, recall the same with the
roles exchanged. Never one without the other: silence is precise wherever real music rests.

Reference: Kynkaanniemi et al. 2019.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

from musiclib.base.progress import waiting
from musiclib.metrics.bootstrap import Estimate, ratio
from musiclib.music.bars import draw_bars

NEIGHBOURS = 3
MOST = 2000  # bars a side


@waiting("comparing bars")
def precision_recall(
    generated: Sequence[np.ndarray], real: Sequence[np.ndarray], seed: int = 0
) -> tuple[Estimate, Estimate] | None:
    """Precision and recall of pieces (T, 78, 2), as many bars of each.

    None where a side has no more bars than neighbours are asked for.
    """
    count = min(len(draw_bars(side, MOST, seed)[0]) for side in (generated, real))
    if count <= NEIGHBOURS:
        return None
    (ours, our_piece), (theirs, their_piece) = (
        draw_bars(s, count, seed) for s in (generated, real)
    )
    return (
        _by_piece(within(ours, theirs), our_piece, seed),
        _by_piece(within(theirs, ours), their_piece, seed),
    )


def within(points: np.ndarray, manifold: np.ndarray) -> np.ndarray:
    """Which rows of bits lie within the manifold of others, bool of shape (n,)."""
    among = _hamming(manifold, manifold)
    radius = np.partition(among, NEIGHBOURS, axis=1)[:, NEIGHBOURS]  # itself is at distance 0
    return (_hamming(points, manifold) <= radius).any(axis=1)


def _hamming(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.rint(euclidean_distances(first, second, squared=True))


def _by_piece(hits: np.ndarray, piece: np.ndarray, seed: int) -> Estimate:
    counts = np.bincount(piece)
    present = counts > 0
    return ratio(np.bincount(piece, weights=hits)[present], counts[present], seed)
