"""Classifier two-sample test: can a classifier tell generated bars from real ones?

Accuracy 0.5 means that it cannot. The test wants a floor beside it: the same on two sets of real
pieces, which differ too. Folds keep the bars of a piece together, so that pieces are not
recognised by their own bars, what is learned from holds as many bars of either side, and no
piece brings more than twice its share.

Reference: Lopez-Paz and Oquab 2017.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedGroupKFold

from musiclib.base.parallel import cores
from musiclib.base.progress import waiting
from musiclib.metrics.bootstrap import Estimate, ratio
from musiclib.music.bars import draw_bars

TREES = 200
FOLDS = 5
MOST = 1000  # bars a side


@waiting("learning to tell bars apart")
def two_sample_accuracy(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], seed: int = 0
) -> Estimate | None:
    """Accuracy of telling bars of two sets of pieces (T, 78, 2) apart, as many of each.

    None where the bars drawn from a side come from fewer than two pieces.
    """
    sides = [_capped(*draw_bars(side, MOST, seed)) for side in (first, second)]
    count = min(len(table) for table, _ in sides)
    sides = [(table[:count], pieces[:count]) for table, pieces in sides]
    folds = min(FOLDS, *(len(np.unique(pieces)) for _, pieces in sides))
    if folds < 2:
        return None
    table = np.concatenate([side[0] for side in sides])
    piece = np.concatenate([sides[0][1], sides[1][1] + len(first)])
    truth = np.repeat([0, 1], count)
    right = np.zeros(len(truth))
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for train, test in splits.split(table, truth, piece):
        known = _balanced(train, truth)
        if not len(known):
            return None
        trees = ExtraTreesClassifier(
            TREES, min_samples_leaf=2, random_state=seed, n_jobs=cores()
        ).fit(table[known], truth[known])
        right[test] = trees.predict(table[test]) == truth[test]
    parts = [right[piece == name] for name in np.unique(piece)]
    return ratio(np.array([part.sum() for part in parts]), np.array([*map(len, parts)]), seed)


def _balanced(rows: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """As many rows of either side; they are in random order already."""
    count = min(np.bincount(truth[rows], minlength=2))
    return np.concatenate([rows[truth[rows] == side][:count] for side in (0, 1)])


def _capped(table: np.ndarray, pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bars, at most twice the mean number per piece of each piece, order kept."""
    _, number, counts = np.unique(pieces, return_inverse=True, return_counts=True)
    most = 2 * -(-len(pieces) // max(len(counts), 1))
    earlier = np.array([np.sum(number[:at] == name) for at, name in enumerate(number)], dtype=int)
    return table[earlier < most], pieces[earlier < most]
