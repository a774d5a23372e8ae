"""Numbers, tables and the README that is made from them."""

import json
import re

import numpy as np
import pytest

from musiclib.base.files import ROOT
from musiclib.paper import readme
from musiclib.paper.results import (
    COLUMNS,
    markdown,
    number,
    numbers_in,
    numbers_of,
    read_table,
    seeds_for,
    shown,
    table_of,
)


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


def test_numbers_come_back_from_the_long_table_as_they_were(tmp_path):
    numbers = {
        ("lstm", "plain", "loss"): number([0.1 + 0.2, None, 3.0], "nats", n=3, published=2.5),
        ("lstm", "plain", "loss", 70): number(
            [1.0, 2.0, float("nan")], "nats", n=9, learned=[True, False, True], note="late"
        ),
        ("corpus", "main", "pieces"): number(269, "pieces", n=1),
        ("lstm", "silent", "ISL"): number([None], "nats per bar", n=1),
    }
    table = table_of(numbers)
    assert tuple(table.columns) == COLUMNS and len(table) == 3 + 3 + 1 + 1
    table.to_csv(tmp_path / "results.csv", index=False)
    assert numbers_in(read_table(tmp_path / "results.csv")) == numbers


COMMITTED = sorted(path for path in (ROOT / "results").glob("[pq]*/[0-9]*.json"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda p: p.stem)
def test_every_committed_number_says_what_it_is(path):
    record = json.loads(path.read_text())
    assert {"profile", "corpus", "seeds", "configuration", "trained_with"} <= set(record)
    table = read_table(path.with_suffix(".csv"))
    assert len(table)
    assert table[["experiment", "variant", "seed", "metric", "unit", "n"]].notna().all(axis=None)
    keys = ["experiment", "variant", "metric", "checkpoint", "seed"]
    assert not table.duplicated(keys).any()


@pytest.mark.parametrize("profile", ["quick", "paper"])
def test_the_long_table_has_the_numbers_of_all_notebooks(profile):
    folder = ROOT / "results" / profile
    if not (folder / "results.csv").exists():
        pytest.skip(f"nothing is kept of profile {profile}")
    assert numbers_in(read_table(folder / "results.csv")) == numbers_of(folder)


def test_pages_show_the_numbers_of_the_result_files():
    for page in readme.PAGES:
        text = page.read_text(encoding="utf-8")
        made = readme.refreshed(text, readme.shown_profile())
        assert made == text, f"{page.name}: run python -m musiclib readme"


def test_blocks_and_pictures_of_a_page_follow_the_profile(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    (tmp_path / "figures" / "paper").mkdir(parents=True)
    (tmp_path / "figures" / "paper" / "table1.md").write_text("| new |\n")
    text = "![x](figures/quick/a.png)\n<!-- table1 -->\nold\n<!-- /table1 -->\n"
    text += "<!-- other -->\n<!-- /other -->\nend\n"
    assert readme.refreshed(text, "paper") == (
        "![x](figures/paper/a.png)\n<!-- table1 -->\n| new |\n<!-- /table1 -->\n"
        "<!-- other -->\nNot made in this profile yet.\n<!-- /other -->\nend\n"
    )


def test_the_claims_of_a_page_are_of_what_the_profile_has_so_far(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    assert "| partly |" not in readme.block("claims", "paper")
    folder = tmp_path / "results" / "paper"
    folder.mkdir(parents=True)
    losses = {
        ("lstm", kind, "training loss"): number(values, "nats")
        for kind, values in {"plain": [5, 5, 5], "curriculum": [4, 4, 6]}.items()
    }
    table_of(losses).to_csv(folder / "04-figure-3.csv", index=False)
    text = readme.block("claims", "paper")
    assert "| 0.33, −2.54 to 3.20 (3 seeds) | 0.3 | Figure 3 |" in text
    assert text.count("| partly | 2 of 3 seeds |") == 1 and text.count("| open | not run |") > 10


def test_the_readme_is_a_landing_page():
    text = readme.PAGES[0].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert len(text.split()) <= 900


@pytest.mark.parametrize("page", readme.PAGES, ids=str)
def test_links_of_the_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
