"""PCA of measures (section 3.3, Figure 5)."""

from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA


class Projection(NamedTuple):
    """First two principal components of two sets of measures, and the variance they explain."""

    training: np.ndarray
    generated: np.ndarray
    explained: np.ndarray


def project(training: np.ndarray, generated: np.ndarray) -> Projection:
    """Fit two components on training and generated measures (n, 2496) together."""
    both = np.concatenate([training, generated]).astype(np.float32)
    fit = PCA(n_components=2, svd_solver="randomized", random_state=0).fit(both)
    points = fit.transform(both)
    return Projection(
        points[: len(training)], points[len(training) :], fit.explained_variance_ratio_
    )
