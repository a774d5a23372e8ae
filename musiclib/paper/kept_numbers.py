"""The numbers of kept runs, by the keys of the notebooks, so that the same comparisons read them.

What a run that has not come to its end reached is kept apart: nothing is claimed of it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from musiclib.paper.curves import last, learning_curves
from musiclib.paper.kept import Kept, distances_of, of_model, overlaps_of, scores_of
from musiclib.paper.published import published
from musiclib.paper.results import Key, Numbers, number

UNFINISHED = "unfinished "  # before the kind of a run that has not come to its end
SCORED = {
    "ISL": ("isl", "nats per bar"),
    "dropped": ("dropped_share", "% of held-out bars"),
    "bits saved": ("bits", "bits per note"),
    "density": ("density", "notes per step"),
}
LOSS_UNITS = {"lstm": "nats per sample", "biaxial": "nats per batch"}
LOSSES = {"plain": "categorical", "bernoulli": "bernoulli"}


def numbers_of_kept(kept: Kept) -> Numbers:
    """All numbers of kept runs; a seed that is not there, or not finished, has no value."""
    numbers: Numbers = {}
    for part in (_losses, _scores, _best, _densities, _clouds, _one_tune):
        numbers |= dict(part(kept))
    return numbers


def _by_seed(table: pd.DataFrame, column: str, **more: Any) -> dict[str, Any]:
    """A number of a table with a row a seed; None for the seeds between that are missing."""
    rows = table.set_index("seed").reindex(range(int(table["seed"].max()) + 1))
    learned = rows["learned"].fillna(True).astype(bool).tolist() if "learned" in rows else None
    return number(rows[column].astype(float).tolist(), learned=learned, **more)


def _losses(kept: Kept) -> Iterator[tuple[Key, dict]]:
    for model, unit in LOSS_UNITS.items():
        runs = of_model(kept, model, finished=True)
        if not runs:
            continue
        curves = learning_curves(runs, bin_size=1)
        for kind in dict.fromkeys(kind for kind, _ in runs):
            seeds = sorted(seed for k, seed in runs if k == kind)
            for part in ("training", "held-out"):
                table = pd.DataFrame({"seed": seeds, "loss": last(curves, kind, part)})
                table["learned"] = [runs[kind, seed].verdict.learned for seed in seeds]
                yield (model, kind, f"{part} loss"), _by_seed(table, "loss", unit=unit)


def _scores(kept: Kept) -> Iterator[tuple[Key, dict]]:
    for model in LOSS_UNITS:
        scores = scores_of(kept, model)
        if not len(scores):
            continue
        for (kind, at, finished), rows in scores.groupby(
            ["curriculum", "checkpoint", "finished"], sort=False
        ):
            for what, (column, unit) in SCORED.items():
                theirs = _published(model, kind, int(at)) if what == "ISL" else None
                key = model, kind if finished else UNFINISHED + kind, what, int(at)
                n = int(rows["held_out_bars"].iloc[0])
                yield key, _by_seed(rows, column, unit=unit, n=n, published=theirs)


def _published(model: str, kind: str, at: int) -> float | None:
    table = published()["table1" if model == "lstm" else "figure4"]
    places = table["epochs" if model == "lstm" else "iterations"]
    return table["isl"][places.index(at)] if kind == "plain" and at in places else None


def _best(kept: Kept) -> Iterator[tuple[Key, dict]]:
    scores = scores_of(kept, "biaxial")
    for kind in ("plain", "curriculum") if len(scores) else ():
        rows = scores[(scores["curriculum"] == kind) & scores["finished"]]
        if len(rows):
            best = rows.groupby("seed").agg({"isl": "max", "bits": "max", "learned": "first"})
            theirs = {"published": published()["section3.1"][kind]}
            for what, column, unit, more in (
                ("best ISL", "isl", "nats per bar", theirs),
                ("best bits saved", "bits", "bits per note", {}),
            ):
                yield (
                    ("biaxial", kind, what),
                    _by_seed(best.reset_index(), column, unit=unit, **more),
                )


def _densities(kept: Kept) -> Iterator[tuple[Key, dict]]:
    """Real music's density, and how far the networks are from it at their last checkpoints."""
    for run in list(kept.values())[:1]:
        yield (
            ("real music", "main", "density"),
            number(run.record["music"]["density"], "notes per step"),
        )
    lstm, off = scores_of(kept, "lstm"), "density off real music's"
    for kind, loss in LOSSES.items() if len(lstm) else ():
        rows = _at_the_end(lstm, kind)
        for what, column, real in (
            ("predicted", "predicted", "keys per sample of held-out music"),
            ("composed", "density", "density"),
        ):
            if len(rows):
                music = [
                    of_model(kept, "lstm")[kind, s].record["music"][real] for s in rows["seed"]
                ]
                apart = rows.assign(off=np.abs(rows[column] - music))
                yield (
                    ("losses", loss, f"{what} {off}"),
                    _by_seed(apart, "off", unit="notes per step"),
                )
        if len(rows):
            at = int(rows["checkpoint"].iloc[0])
            saved = _by_seed(rows, "bits", unit="bits per note")
            yield ("losses", loss, "bits saved", at), saved
    biaxial = scores_of(kept, "biaxial")
    for kind in ("plain", "curriculum") if len(biaxial) else ():
        rows = _at_the_end(biaxial, kind)
        if len(rows):
            music = [of_model(kept, "biaxial")[kind, s].record["music"] for s in rows["seed"]]
            apart = rows.assign(off=np.abs(rows["density"] - [m["density"] for m in music]))
            key = "biaxial", kind, "density off the corpus's"
            yield key, _by_seed(apart, "off", unit="notes per step")


def _at_the_end(scores: pd.DataFrame, kind: str) -> pd.DataFrame:
    rows = scores[(scores["curriculum"] == kind) & scores["finished"]]
    return rows[rows["checkpoint"] == rows["checkpoint"].max()]


def _clouds(kept: Kept) -> Iterator[tuple[Key, dict]]:
    runs = [
        (seed, run)
        for (kind, seed), run in of_model(kept, "biaxial", finished=True).items()
        if kind == "plain"
    ]
    for what, unit, values in (
        ("distance of centres", "spreads of the training bars", distances_of),
        ("overlap", "share of mass, 0 to 1", _overlap_values),
    ):
        rows = [(seed, at, value) for seed, run in runs for at, value in values(run).items()]
        table = pd.DataFrame(rows, columns=["seed", "at", "value"])
        for at, part in table.groupby("at"):
            yield ("figure 5", "plain", what, int(at)), _by_seed(part, "value", unit=unit)


def _overlap_values(run: Any) -> dict[int, float]:
    return {at: estimate.value for at, estimate in overlaps_of(run).items() if at}


def _one_tune(kept: Kept) -> Iterator[tuple[Key, dict]]:
    scores: Sequence[tuple[int, pd.DataFrame]] = [
        (seed, pd.read_csv(run.directory / "scores.csv"))
        for (kind, seed), run in of_model(kept, "rbm", finished=True).items()
        if kind == "plain"
    ]
    if not scores:
        return
    table = pd.concat([part.assign(seed=seed) for seed, part in scores])
    unit = "F1 of sounding cells"
    inputs = table.groupby("seed", as_index=False)["inputs"].first()
    yield ("windowed RBM", "inputs", "to each other"), _by_seed(inputs, "inputs", unit=unit)
    for at, rows in table.groupby("checkpoint"):
        for output in ("newest", "whole"):
            key = "windowed RBM", f"plain, 1 rounds, same noise, {output}", "to each other", int(at)
            yield key, _by_seed(rows, output, unit=unit)
