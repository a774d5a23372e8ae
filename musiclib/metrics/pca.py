"""PCA of bars (section 3.3, Figure 5), and how far two clouds of bars overlap."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.decomposition import PCA

from musiclib.metrics.bootstrap import RESAMPLES, Estimate

BINS, BLUR = 32, 1.5  # of the histograms behind an overlap; the blur in bins
DEVIATIONS = 1.96  # for 95 %


class Projection(NamedTuple):
    """First two principal components of two sets of bars, and the variance they explain."""

    training: np.ndarray
    generated: np.ndarray
    explained: np.ndarray


def project(training: np.ndarray, generated: np.ndarray) -> Projection:
    """Fit two components on training and generated bars (n, 2496) together (paper)."""
    return project_together(training, {0: generated})[0]


def project_together(
    training: np.ndarray, panels: Mapping[int, np.ndarray]
) -> dict[int, Projection]:
    """One pair of components for all panels, fitted on training and all generated bars."""
    whole = np.concatenate([training, *panels.values()]).astype(np.float32)
    fit = PCA(n_components=2, svd_solver="randomized", random_state=0).fit(whole)
    points, ends = fit.transform(whole), np.cumsum([len(training), *map(len, panels.values())])
    known, *clouds = np.split(points, ends[:-1])
    return {
        name: Projection(known, cloud, fit.explained_variance_ratio_)
        for name, cloud in zip(panels, clouds, strict=True)
    }


def overlap(first: Sequence[np.ndarray], second: Sequence[np.ndarray], seed: int = 0) -> Estimate:
    """The mass that two clouds in the plane share, 0 to 1; the interval resamples their pieces.

    Each cloud is a list of points (n, 2), one a piece. The clouds are blurred histograms; two
    finite samples of the same music stay below 1, so compare with real music against itself.
    """
    everything = np.concatenate([*first, *second])
    edges = [np.linspace(column.min(), column.max(), BINS + 1) for column in everything.T]
    clouds = [np.array([_histogram(part, edges) for part in cloud]) for cloud in (first, second)]
    value = _shared(*(cloud.sum(axis=0) for cloud in clouds))
    rng = np.random.default_rng(seed)
    draws = [_shared(*(_redrawn(cloud, rng) for cloud in clouds)) for _ in range(RESAMPLES // 4)]
    # resampling makes clouds patchier and so moves the overlap down: its spread is used alone
    error = DEVIATIONS * float(np.std(draws, ddof=1))
    alone = min(map(len, clouds)) < 2
    bounds = (None, None) if alone else (max(0.0, value - error), min(1.0, value + error))
    return Estimate(value, *bounds, len(everything))


def _histogram(points: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    return gaussian_filter(np.histogram2d(*points.T, bins=edges)[0], BLUR, mode="constant")


def _redrawn(cloud: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return cloud[rng.integers(len(cloud), size=len(cloud))].sum(axis=0)


def _shared(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.minimum(first / first.sum(), second / second.sum()).sum())
