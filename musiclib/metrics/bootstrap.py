"""Numbers with bootstrap intervals over pieces: bars of one piece are not independent."""

from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 95  # per cent


class Estimate(NamedTuple):
    """A value, its interval (None where there are fewer than two pieces), and the items behind."""

    value: float
    low: float | None
    high: float | None
    n: int


def ratio(totals: np.ndarray, counts: np.ndarray, seed: int = 0) -> Estimate:
    """sum(totals) / sum(counts) over pieces, and its interval from resampling them.

    At least one count must be above 0; resamples without any are left out.
    """
    value, n = float(np.sum(totals) / np.sum(counts)), int(np.sum(counts))
    if len(totals) < 2:
        return Estimate(value, None, None, n)
    drawn = np.random.default_rng(seed).integers(len(totals), size=(RESAMPLES, len(totals)))
    sums, items = totals[drawn].sum(axis=1), counts[drawn].sum(axis=1)
    values = sums[items > 0] / items[items > 0]
    return Estimate(value, *interval(values), n)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of resampled values."""
    tail = (100 - CONFIDENCE) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
