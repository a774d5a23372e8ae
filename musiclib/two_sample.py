"""Classifier two-sample test: can a classifier tell generated measures from real ones?

Accuracy 0.5 means that it cannot. The test wants a floor beside it: the same on two sets of real
pieces, which differ too. Folds keep the measures of a piece together, so that pieces are not
recognised by their own measures. Far below 0.5, one side holds copies of the other's pieces.

Reference: Lopez-Paz and Oquab 2017.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from musiclib.bootstrap import Estimate, ratio
from musiclib.measures import draw_measures
from musiclib.parallel import cores

TREES = 200
FOLDS = 5
MOST = 1000  # measures a side


def two_sample_accuracy(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], seed: int = 0
) -> Estimate | None:
    """Accuracy of telling measures of two sets of pieces (T, 78, 2) apart, as many of each.

    None where the measures drawn from a side come from fewer than two pieces.
    """
    sides = [draw_measures(side, MOST, seed) for side in (first, second)]
    count = min(len(table) for table, _ in sides)
    sides = [draw_measures(side, count, seed) for side in (first, second)]
    folds = min(FOLDS, *(len(np.unique(pieces)) for _, pieces in sides))
    if folds < 2:
        return None
    table = np.concatenate([side[0] for side in sides])
    piece = np.concatenate([sides[0][1], sides[1][1] + len(first)])
    truth = np.repeat([0, 1], count)
    trees = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed, n_jobs=cores())
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    guess = cross_val_predict(trees, table, truth, groups=piece, cv=splits)
    right = [guess[piece == name] == truth[piece == name] for name in np.unique(piece)]
    return ratio(np.array([r.sum() for r in right]), np.array([len(r) for r in right]), seed)
