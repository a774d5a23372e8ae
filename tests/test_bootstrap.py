"""Bootstrap intervals: against scipy's."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from musiclib.metrics.bootstrap import ratio


def test_the_interval_of_a_ratio_is_that_of_scipy():
    rng = np.random.default_rng(0)
    counts = rng.integers(5, 200, 30)
    totals = counts * rng.normal(0.4, 0.3, 30)
    ours = ratio(totals, counts)
    theirs = bootstrap(
        (totals, counts),
        lambda t, c, axis: t.sum(axis=axis) / c.sum(axis=axis),
        paired=True,
        method="percentile",
        n_resamples=20000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert ours.value == pytest.approx(sum(totals) / sum(counts))
    assert ours.n == sum(counts)
    width = theirs.high - theirs.low
    assert ours[1:3] == pytest.approx((theirs.low, theirs.high), abs=0.05 * width)


def test_one_piece_has_a_value_but_no_interval():
    assert ratio(np.array([3.0]), np.array([4])) == (0.75, None, None, 4)


def test_pieces_that_agree_leave_no_doubt():
    assert ratio(np.array([1.0, 2, 4]), np.array([2, 4, 8])) == (0.5, 0.5, 0.5, 14)
