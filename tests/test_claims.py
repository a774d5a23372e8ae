"""The paper's claims: quoted as they stand, and judged by a rule that can be told by hand."""

import json
import re

import numpy as np
import pytest
from conftest import SHARED

from musiclib.base.files import ROOT
from musiclib.paper import claims, comparisons, notebooks
from musiclib.paper.claims import CLAIMS, HELD, NOT_HELD, OPEN, PARTLY, Claim
from musiclib.paper.results import number, numbers_of

PAPER = SHARED.parent / "paper" / "enhancing-classical-music-generation-with-rnn.md"
KEYS = comparisons.COMPARISONS["best ISL"]


def claim(**more):
    return Claim("x", "X", "x", "3.1", "11-results", ["best ISL"], **more)


def of(first, second, **more):
    """The numbers of one comparison, a value a seed each."""
    where = KEYS.keys({})
    return dict(zip(where, (number(v, "nats", **more) for v in (first, second)), strict=True))


@pytest.mark.parametrize(
    ("first", "second", "verdict", "why"),
    [
        ([1, 1, 1], [2, 2, 2], HELD, ""),
        ([3, 3, 3], [2, 2, 2], NOT_HELD, ""),
        ([2, 2, 2], [2, 2, 2], NOT_HELD, ""),  # below, not as low
        ([1, 3, 1], [2, 2, 2], PARTLY, ""),
        ([1, 3], [2, 2], OPEN, claims.TOO_FEW),
        ([1, 1], [2, 2], OPEN, claims.TOO_FEW),
        ([3], [2], OPEN, claims.TOO_FEW),
        ([1, 1, None], [2, 2, 2], OPEN, claims.TOO_FEW),
        ([1, 1, 1, None], [2, 2, 2, 2], HELD, ""),
        ([1, 1, 1], [2], HELD, ""),  # the second has nothing random in it
    ],
)
def test_a_claim_holds_in_every_one_of_three_seeds_or_not(first, second, verdict, why):
    found = claims.judged(claim(), of(first, second))
    assert (found.verdict, found.why) == (verdict, why)
    assert len(found.rows) == 1


def test_a_claim_is_open_where_it_was_not_run_or_a_network_did_not_learn():
    missing = claims.judged(claim(), {})
    assert (missing.verdict, missing.why, missing.rows) == (OPEN, claims.NOT_RUN, [])
    mute = claims.judged(claim(), of([1, 1, 1], [2, 2, 2], learned=[True, True, False]))
    assert (mute.verdict, mute.why) == (OPEN, "did not learn")


def test_that_there_is_no_difference_can_fail_but_not_be_shown_by_few_seeds():
    equal = claim(equal=True)
    assert claims.judged(equal, of([1] * 6, [2] * 6)).verdict == NOT_HELD
    assert claims.judged(equal, of([3] * 6, [2] * 6)).verdict == NOT_HELD
    for few in ([1, 3, 1], [1, 1, 1], [2, 2, 2]):
        seeds = claims.judged(equal, of(few, [2, 2, 2]))
        assert (seeds.verdict, seeds.why) == (OPEN, claims.NO_PROOF)


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([HELD, HELD], HELD),
        ([NOT_HELD, NOT_HELD], NOT_HELD),
        ([HELD, NOT_HELD], PARTLY),
        ([PARTLY, OPEN], PARTLY),
        ([HELD, OPEN], OPEN),
        ([NOT_HELD, OPEN, NOT_HELD], OPEN),
        ([HELD, NOT_HELD, OPEN], PARTLY),
    ],
)
def test_several_comparisons_together(verdicts, whole):
    assert claims.together(verdicts) == whole


def test_rows_are_those_that_notebooks_11_and_13_have_written():
    """What was recorded before the comparisons had a module of their own."""
    numbers = numbers_of(ROOT / "results" / "quick")
    groups = ("training", "isl", "silence", "rbm", "style")
    for name, wanted in {"11-results": groups, "13-section-4": ("section 4",)}.items():
        record = json.loads((ROOT / "results" / "quick" / f"{name}.json").read_text())
        rows = [row for group in wanted for row in comparisons.rows(group, numbers)]
        assert rows == record["claims"]


def test_differences_agree_with_the_seeds_that_a_row_counts():
    numbers = numbers_of(ROOT / "results" / "quick")
    for one in comparisons.COMPARISONS.values():
        differences = one.differences(numbers)
        known = differences[~np.isnan(differences)]
        assert one.row(numbers)[-1] == f"{(known > 0).sum()} of {len(known)} seeds"


def test_claims_name_what_is_there_and_nothing_twice():
    assert len({c.name for c in CLAIMS}) == len(CLAIMS) >= 15
    for c in CLAIMS:
        assert c.notebook in notebooks.names()
        assert c.tests and {*c.tests, *c.beside} <= comparisons.COMPARISONS.keys()
    tested = [name for c in CLAIMS for name in c.tests]
    assert len(tested) == len(set(tested))


@pytest.mark.skipif(not PAPER.exists(), reason="the paper is not in ../shared/paper")
def test_quotations_are_the_papers_words():
    text = re.sub(r"\s+", " ", PAPER.read_text(encoding="utf-8")).lower()
    for c in CLAIMS:
        for part in re.sub(r"\s+", " ", c.quote).lower().split(" [...] "):
            assert part in text, c.name
