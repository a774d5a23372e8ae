"""The benchmark's table: what needs no network, our networks, and what others have published."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import product, zip_longest
from typing import Any

import pandas as pd

from musiclib.metrics.bootstrap import ratio
from musiclib.paper.benchmark import NETWORKS, SETS, run_config
from musiclib.paper.benchmark_kept import RECIPE, configuration
from musiclib.paper.results import markdown, number, shown

OURS = "ours, mean ± deviation over seeds"
BEFORE = "ours, an earlier recipe, mean ± deviation over seeds"
BEST = "ours, the seed that is best on validation"
NAMED = ("earlier recipe", "cooled recipe", "warmed recipe", "recipe")  # which trials change
BESIDE = {"TCN": "TCN (Bai et al. 2018)", "Johnson": "biaxial LSTM (Johnson 2017)"}


@cache
def published() -> dict[str, Any]:
    """Published test values, and how each is known: likelihoods.json."""
    return json.loads(files("musiclib.paper").joinpath("likelihoods.json").read_text())


def published_lines() -> pd.DataFrame:
    """The published values as a long table: columns set, model, status, value."""
    rows = [
        (name, row["model"], row["status"], row[name])
        for row in published()["rows"]
        for name in SETS
        if name in row
    ]
    return pd.DataFrame(rows, columns=["set", "model", "status", "value"])


def of_recipe(rows: pd.DataFrame, network: str, name: str) -> pd.DataFrame:
    """The runs of a network on a set by today's recipe, of each seed the one that was kept last."""
    today = configuration(run_config(network, name, 0).model)
    of = _no_trials(rows, network, name)
    return of[of["configuration"] == today].drop_duplicates("seed", keep="last")


def tested(rows: pd.DataFrame, network: str, name: str) -> pd.DataFrame:
    """Those of them that were measured on the test pieces."""
    runs = of_recipe(rows, network, name)
    return runs[runs["test"].notna()]


def trials_beside(rows: pd.DataFrame) -> pd.DataFrame:
    """Trials beside the recipe that they change: same set, seed and number of iterations.

    Columns network, set, of (the recipe that is changed), change, iterations, seeds; validation, a
    mean over them; and, of the `pairs` of seeds that both have, `beside`, the mean of the trial
    minus the recipe, with its spread: above 0 music is likelier with it; missing without any.
    Earlier recipes stand beside today's.
    """
    names = rows["change"].str.removeprefix("trial: ").str.partition(": ")
    named = names[0].isin(NAMED)
    changes = named & (names[2] != "")
    trials = rows.assign(
        of=names[0].where(changes, NAMED[-1]),
        change=names[2].where(changes, names[0] + names[1] + names[2]),
    )[rows["change"] != RECIPE]
    today = [of_recipe(rows, *pair).assign(of=NAMED[-1]) for pair in product(NETWORKS, SETS)]
    recipes = pd.concat([*today, rows.assign(of=names[0])[named & ~changes]])
    same = ["network", "set", "of", "seed", "iterations"]
    recipes = recipes.drop_duplicates(same)  # a trial may be named "recipe" and be as long
    both = trials.merge(recipes[[*same, "validation"]], "left", same, suffixes=("", " of recipe"))
    both["beside"] = both["validation"] - both["validation of recipe"]
    grouped = both.groupby(["network", "set", "of", "change", "iterations"], sort=False)
    columns = {"seeds": ("seed", "count"), "validation": ("validation", "mean")}
    columns |= {"pairs": ("beside", "count"), "beside": ("beside", "mean")}
    columns |= {"spread": ("beside", "std")}
    return grouped.agg(**columns).reset_index()


def superseded(rows: pd.DataFrame, network: str, name: str) -> list[pd.DataFrame]:
    """Runs that were measured on the test pieces before their recipe was changed, by recipe."""
    of = _no_trials(rows, network, name)
    today = of_recipe(rows, network, name)["configuration"]
    of = of[of["test"].notna() & ~of["configuration"].isin(today)]
    return [recipe for _, recipe in of.groupby("configuration", sort=False)]


def over_pieces(rows: pd.DataFrame, pieces: pd.DataFrame) -> pd.DataFrame:
    """How certain the means over seeds are, given how few test pieces there are.

    Columns network, set, seeds, pieces, test, low, high: 95 % of resampled pieces; and `within`,
    which published values lie there.
    """
    found, others = [], published_lines()
    for network, name in product(NETWORKS, SETS):
        measured = pieces.merge(tested(rows, network, name)[["run", "digest"]])
        each = measured.groupby("piece")[["frames", "nats"]].mean()
        if len(each):
            value = ratio(each["nats"].to_numpy(), each["frames"].to_numpy())
            within = others["value"].between(value.low, value.high) & (others["set"] == name)
            named = ", ".join(model.partition(" (")[0] for model in others["model"][within])
            seeds = measured["run"].nunique()
            found.append((network, name, seeds, len(each), *value[:3], named))
    columns = ["network", "set", "seeds", "pieces", "test", "low", "high", "within"]
    return pd.DataFrame(found, columns=columns)


def best(runs: pd.DataFrame) -> pd.Series:
    """The run that is best on the validation pieces; the test pieces have no say."""
    return runs.loc[runs["validation"].idxmax()]


def table(rows: pd.DataFrame) -> str:
    """All rows in Markdown: test log-likelihood per frame, ours with that on validation beside."""
    known = published()
    lines = [[name, "recomputed", *(_plain(values.get(s)) for s in SETS)]
             for name, values in known["baselines"].items()]  # fmt: skip
    lines += [[row["model"], row["status"], *(_plain(row.get(s)) for s in SETS)]
              for row in known["rows"]]  # fmt: skip
    lines += [line for network in NETWORKS for line in _ours(rows, network)]
    return markdown(["model", "status", *SETS], lines)


def in_a_sentence(rows: pd.DataFrame) -> str:
    """What the biaxial RNN reaches on test pieces, each set beside two published rows.

    Where today's recipe was not tested yet, an earlier one speaks. That is said, and a single seed.
    """
    known = {row["model"]: row for row in published()["rows"]}
    found = []
    for name in SETS:
        of = rows, "biaxial RNN", name
        today, before = tested(*of), superseded(*of)
        runs = today if len(today) or not before else before[-1]
        theirs = [f"{short} {_plain(known[model][name])}" for short, model in BESIDE.items()
                  if name in known[model]]  # fmt: skip
        if len(runs):
            by = ("" if len(today) else "earlier recipe; ") + "one seed; " * (len(runs) == 1)
            found.append(f"{name} {_plain(runs['test'].mean())} ({by}{', '.join(theirs)})")
    said = "nats per test frame; ours means over seeds, Johnson's his best"
    return f"{'; '.join(found) or 'nothing is measured yet'}: {said}."


def _no_trials(rows: pd.DataFrame, network: str, name: str) -> pd.DataFrame:
    """Rows of a network on a set that are no trials: of today's recipe and of earlier ones."""
    return rows[(rows["network"] == network) & (rows["set"] == name) & (rows["change"] == RECIPE)]


def _ours(rows: pd.DataFrame, network: str) -> list[list[str]]:
    today = [[runs] if len(runs := tested(rows, network, name)) else [] for name in SETS]
    before = [superseded(rows, network, name) for name in SETS]
    kinds = (OURS, today, _both), (BEST, today, _one), (BEFORE, before, _both)
    return [line for kind in kinds for line in _lines(network, *kind)]


def _lines(
    network: str, status: str, by_set: list[list[pd.DataFrame]], cell: Callable[[pd.DataFrame], str]
) -> Iterator[list[str]]:
    """Lines of the table, as many as the set with most recipes needs."""
    for of_each in zip_longest(*by_set):
        yield [network, status, *("" if runs is None else cell(runs) for runs in of_each)]


def _both(runs: pd.DataFrame) -> str:
    test, validation = (
        shown(number(runs[part].tolist(), ""), 2) for part in ("test", "validation")
    )
    seeds = f"{len(runs)} seed{'s' * (len(runs) > 1)}"
    return f"**{test}** (validation {validation}; {seeds})"


def _one(runs: pd.DataFrame) -> str:
    run = best(runs)
    return f"{_plain(run['test'])} (validation {_plain(run['validation'])})"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".replace("-", "−")
