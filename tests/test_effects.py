"""Differences over seeds: against scipy's paired test, by hand, and by how often they cover."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from musiclib.paper.comparisons import COLUMNS, COMPARISONS
from musiclib.paper.effects import Effect, effect_of
from musiclib.paper.results import number

ISL = COMPARISONS["best ISL"]


def of(first, second, **more):
    """The effect between two numbers, a value a seed each."""
    keys = ISL.keys({})
    both = (number(values, "nats", **more) for values in (first, second))
    return ISL.effect(dict(zip(keys, both, strict=True)))


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_an_effect_is_scipys_paired_one(seeds):
    first, second = np.random.default_rng(seeds).normal(size=(2, seeds)) * [[1], [30]]
    found, theirs = of(first, second), ttest_rel(second, first)
    assert found.mean == pytest.approx((second - first).mean())
    assert found.interval == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert found.standardised == pytest.approx(theirs.statistic / seeds**0.5)
    assert (found.seeds, found.open) == (seeds, 0)


def test_an_effect_by_hand():
    found = of([1, 1, 1], [2, 3, 4])  # differences 1, 2, 3; t of two degrees of freedom: 4.303
    assert (found.mean, found.standardised) == (2, pytest.approx(1 / 0.5))
    assert found.interval == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)
    assert found.shown(2) == "2.00, −0.48 to 4.48 (3 seeds)" and found.size == "2.0"
    assert of([2, 3, 4], [1, 1, 1]).shown(1) == "−2.0, −4.5 to 0.5 (3 seeds)"


def test_open_seeds_do_not_count_but_are_counted():
    missing = of([1, None, 1, 5], [2, 3, 4, None])
    assert (missing.mean, missing.seeds, missing.open) == (2, 2, 2)
    mute = of([1, 1, 1], [2, 90, 4], learned=[True, False, True])
    assert (mute.mean, mute.interval, mute.open) == (2, missing.interval, 1)
    assert mute.shown(0).endswith("(2 seeds, 1 open)")


def test_one_seed_has_no_interval_and_says_so():
    one = of([1.0], [3.0])
    assert one == Effect(2.0, None, None, 1, 0)
    assert one.shown(1) == "2.0, no interval (1 seed)" and one.size == "–"
    left = of([1, 1], [3, 3], learned=[True, False])
    assert left.shown(1) == "2.0, no interval (1 seed, 1 open)"


def test_no_seed_has_no_difference():
    none = of([1, 1], [3, 3], learned=[False, False])
    assert none == Effect(None, None, None, 0, 2)
    assert none.shown(1) == "– (0 seeds, 2 open)" and none.size == "–"


def test_what_is_the_same_in_every_seed_has_an_interval_without_width_and_no_size():
    same = of([1, 2, 3], [1.5, 2.5, 3.5])
    assert same.interval == (0.5, 0.5) and same.standardised is None
    assert of([0.004, 0], [0, 0.003]).shown(1).startswith("0.0, 0.0 to 0.0")  # no −0.0


def test_a_second_number_without_seeds_stands_beside_every_first():
    assert of([1, 2, 3], [4]) == of([1, 2, 3], [4, 4, 4])


def test_the_interval_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(loc=1.0, size=(4000, 3))
    covered = [low <= 1 <= high for low, high in (effect_of(d).interval for d in draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)  # three and a half deviations


def test_a_row_shows_the_difference_under_its_name():
    first, second = ISL.keys({})
    row = ISL.row({first: number([1, 1, 1], "nats"), second: number([2, 3, 4], "nats")})
    named = dict(zip(COLUMNS, row, strict=True))
    assert named["difference, 95 % interval"] == "2.0, −0.5 to 4.5 (3 seeds)"
    assert named["holds in"] == "3 of 3 seeds" and named["second"] == "3.0 ± 1.0"
