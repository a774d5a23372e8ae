"""The paper's claims: quoted as they stand, and judged by a rule that can be told by hand."""

import json
import re

import numpy as np
import pytest
from conftest import SHARED

from musiclib.base.files import ROOT
from musiclib.paper import claims, comparisons, notebooks
from musiclib.paper.claims import CLAIMS, HELD, NOT_HELD, OPEN, PARTLY, Claim
from musiclib.paper.comparisons import COMPARISONS
from musiclib.paper.published import published
from musiclib.paper.results import number, numbers_of

PAPER = SHARED.parent / "paper" / "enhancing-classical-music-generation-with-rnn.md"
KEYS = COMPARISONS["best ISL"]


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
    for name, wanted in {"11-results": comparisons.SHOWN, "13-section-4": ("section 4",)}.items():
        record = json.loads((ROOT / "results" / "quick" / f"{name}.json").read_text())
        rows = [row for group in wanted for row in comparisons.rows(group, numbers)]
        assert rows == record["claims"]


def test_differences_agree_with_the_seeds_that_a_row_counts():
    numbers = numbers_of(ROOT / "results" / "quick")
    ran = [one for one in COMPARISONS.values() if one.known(numbers)]
    assert len(ran) >= 46
    for one in ran:
        differences = one.differences(numbers)
        known = differences[~np.isnan(differences)]
        counted = one.row(numbers)[-1].partition(", ")[0]  # the rest says which are open
        assert counted == f"{(known > 0).sum()} of {len(known)} seeds"


def rows_of(table):
    """The rows of a Markdown table by the title of their claim: column to text."""
    header, _, *rows = (line.strip("| ").split(" | ") for line in table.splitlines() if "|" in line)
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}


@pytest.mark.parametrize("numbers", [{}, numbers_of(ROOT / "results" / "quick")], ids=len)
def test_the_table_has_a_row_with_the_verdict_of_every_claim(numbers):
    rows = rows_of(claims.table(numbers))
    assert list(rows) == [f"{c.title} ({c.section})" for c in CLAIMS]
    for c, row in zip(CLAIMS, rows.values(), strict=True):
        found = claims.judged(c, numbers)
        assert row["verdict"] == found.verdict
        if found.why:
            assert row["why"] == found.why
        else:
            assert row["why"].split("; ") == [one[-1] for one in found.rows]
        if found.rows:
            assert [row[name] for name in claims.HEADER[3:7]] == found.rows[0][:4]


def test_the_table_shows_what_there_is_of_a_claim_of_which_a_part_was_run():
    training = COMPARISONS["biaxial training loss"]
    keys = training.keys({})
    values = [7, 9, 8], [8, 12, 13]
    some = {k: number(v, "nats", published=1.0) for k, v in zip(keys, values, strict=True)}
    [row] = [r for title, r in rows_of(claims.table(some)).items() if "lower minimum" in title]
    assert (row["verdict"], row["why"]) == (OPEN, claims.NOT_RUN)  # the LSTM was not
    assert row["its first comparison"] == training.text and row["published"] == "1 < 1"
    assert row["difference, 95 % interval"] == "3, −2 to 8 (3 seeds)"
    assert row["standardised"] == "1.5"  # 1, 3, 5: mean 3, deviation 2
    one = {k: number(v[0], "nats") for k, v in zip(keys, values, strict=True)}
    [row] = [r for title, r in rows_of(claims.table(one)).items() if "lower minimum" in title]
    assert row["difference, 95 % interval"] == "1, no interval (1 seed)"
    assert (row["verdict"], row["standardised"], row["published"]) == (OPEN, "–", "Figure 3")


def test_the_equal_budget_and_the_forms_are_compared_below_the_plain_runs():
    """What a comparison says is lower, against how it is found from the numbers."""
    for model in ("lstm", "biaxial"):
        for part in ("training", "held-out"):
            name = f"{model} {part} loss, equal budget"
            found = COMPARISONS[name].keys({})
            assert found == (
                (model, "equal budget", f"{part} loss"),
                (model, "plain", f"{part} loss"),
            )
        form = COMPARISONS[f"{model} held-out loss, by form"].keys({})
        assert form == ((model, "plain", "held-out loss"), (model, "published", "held-out loss"))


def test_claims_name_what_is_there_and_nothing_twice():
    assert len({c.name for c in CLAIMS}) == len(CLAIMS) >= 15
    for c in CLAIMS:
        assert c.notebook in notebooks.names()
        assert c.tests and {*c.tests, *c.beside} <= COMPARISONS.keys()
    tested = [name for c in CLAIMS for name in c.tests]
    assert len(tested) == len(set(tested))


@pytest.mark.skipif(not PAPER.exists(), reason="the paper is not in ../shared/paper")
def test_quotations_are_the_papers_words():
    text = re.sub(r"\s+", " ", PAPER.read_text(encoding="utf-8")).lower()
    for c in CLAIMS:
        for part in re.sub(r"\s+", " ", c.quote).lower().split(" [...] "):
            assert part in text, c.name


def test_published_values_stand_where_ours_are_not_there():
    """Those that the paper gives as numbers, also beside comparisons that were not run."""
    theirs = published()
    isl, best = theirs["table1"]["isl"], theirs["section3.1"]
    pairs = {
        "best ISL": (best["plain"], best["curriculum"]),
        "figure 4 ISL": (theirs["figure4"]["isl"][0], theirs["figure4"]["isl"][-1]),
        "table 1 ISL 1": isl[:2],
        "table 1 ISL 2": isl[1:],
    }
    for name, (first, second) in pairs.items():
        assert COMPARISONS[name].said == f"{first:g} < {second:g}".replace("-", "−")
