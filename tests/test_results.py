"""Numbers, tables and the README that is made from them."""

import json

import numpy as np
import pytest

from musiclib import readme
from musiclib.files import ROOT
from musiclib.published import published
from musiclib.results import markdown, number, seeds_for, shown


def test_number_is_mean_and_sample_deviation_over_the_seeds_that_have_one():
    result = number([1.0, None, 3.0, float("nan")], "nats", published=2.0)
    assert (result["value"], result["seeds"]) == (2.0, 2)
    assert result["spread"] == pytest.approx(np.sqrt(2))
    assert result["per_seed"] == [1.0, None, 3.0, None]


def test_one_seed_has_no_spread_and_no_seed_no_value():
    assert shown(number(-3.14, "nats"), 1) == "−3.1"
    assert shown(number([None], "nats")) == "–"
    assert shown(number([1, 3], "nats"), 1) == "2.0 ± 1.4"


def test_claims_are_counted_seed_by_seed():
    first, second = number([1, 5, 1], ""), number([2, 4, None], "")
    assert seeds_for(first, second) == "1 of 2 seeds"


def test_markdown_table():
    assert markdown(["a", "b"], [[1, 2]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "results").glob("[pq]*/*.json")), ids=lambda p: p.stem
)
def test_every_committed_number_says_what_it_is(path):
    record = json.loads(path.read_text())
    assert {"profile", "corpus", "seeds", "configuration", "numbers"} <= set(record)
    for name, result in record["numbers"].items():
        assert result["n"] is not None, name
        assert {"value", "spread", "unit", "n", "seeds", "published"} <= set(result), name


def test_published_values_are_in_the_results():
    profile = readme.shown_profile()
    numbers = {}
    for path in (ROOT / "results" / profile).glob("*.json"):
        numbers |= json.loads(path.read_text())["numbers"]
    table = published()["table1"]
    for epoch, value in zip(table["epochs"], table["isl"], strict=True):
        assert numbers[f"table 1, epoch {epoch}, ISL"]["published"] == value
    for kind, value in published()["section3.1"].items():
        assert numbers[f"best ISL, {kind}"]["published"] == value


def test_readme_shows_the_numbers_of_the_result_files():
    text = readme.README.read_text(encoding="utf-8")
    assert readme.refreshed(text, readme.shown_profile()) == text, "run python -m musiclib readme"
