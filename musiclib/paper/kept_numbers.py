"""The numbers of kept runs, by the keys of the notebooks, so that the same comparisons read them.

What a run that has not come to its end reached is kept apart: nothing is claimed of it.
"""

from collections.abc import Iterator
from math import comb
from typing import Any

import pandas as pd

from musiclib.corpus.levels import MAIN
from musiclib.paper.curves import last, learning_curves
from musiclib.paper.kept import Kept, distances_of, job_of, of_model, overlaps_of, scores_of
from musiclib.paper.published import published
from musiclib.paper.results import Key, Numbers, number
from musiclib.training.runs import Run

UNFINISHED = "unfinished "  # before the kind of a run that has not come to its end
SCORED = {
    "ISL": ("isl", "nats per bar"),
    "dropped": ("dropped_share", "% of held-out bars"),
    "bits saved": ("bits", "bits per note"),
    "density": ("density", "notes per step"),
}
LOSS_UNITS = {"lstm": "nats per sample", "biaxial": "nats per batch"}
LOSSES = {"plain": "categorical", "bernoulli": "bernoulli"}
FIRST = 4  # iterations, as in notebook 04
HEARD = 512  # samples of held-out music that the LSTM hears, as in notebook 08
PAIRS = comb(4, 2)  # of the excerpts of `one_tune`, each with each
SECTION_4 = {
    "held-out loss": "nats per batch of published size",
    "held-out loss, major pieces": "nats per batch of published size",
    "ends on the tonic": "% of pieces",
    "on the tonic anywhere": "% of steps",
}


def numbers_of_kept(kept: Kept) -> Numbers:
    """All numbers of kept runs; a seed that is not there, or not finished, has no value.

    Every number has as many seeds, so that the same place is the same seed in all of them.
    """
    numbers: Numbers = {}
    for part in (_losses, _scores, _best, _densities, _section_4, _clouds, _one_tune):
        numbers |= dict(part(kept))
    return numbers | _real(kept)


def _by_seed(kept: Kept, table: pd.DataFrame, column: str, **more: Any) -> dict[str, Any]:
    """A number of a table with a row a seed; None for the seeds that are missing in it."""
    seeds = 1 + max(job_of(run).seed for run in kept.values())
    rows = table.set_index("seed").reindex(range(seeds))
    learned = None
    if "learned" in rows:
        learned = rows["learned"].astype("boolean").fillna(True).astype(bool).tolist()
    return number(rows[column].astype(float).tolist(), learned=learned, **more)


def _losses(kept: Kept) -> Iterator[tuple[Key, dict]]:
    for model, unit in LOSS_UNITS.items():
        runs = of_model(kept, model, finished=True)
        for kind in dict.fromkeys(kind for kind, _ in runs):
            own = {seed: run for (k, seed), run in runs.items() if k == kind}
            curves = learning_curves({(kind, s): own[s] for s in sorted(own)}, bin_size=1)
            record = next(iter(own.values())).record
            counts = record["stages"][MAIN] // 10, record["config"]["held_out_batches"]
            for part, n in zip(("training", "held-out"), counts, strict=True):
                table = _table(own, dict(zip(sorted(own), last(curves, kind, part), strict=True)))
                yield (model, kind, f"{part} loss"), _by_seed(kept, table, "value", unit=unit, n=n)
            first = {seed: _beginning(run, model) for seed, run in own.items()}
            place = ("loss of the first epoch",) if model == "lstm" else ("loss", 0)
            of = model if model == "lstm" else "figure 3b"
            n = record["iterations_an_epoch"] if model == "lstm" else FIRST
            yield (of, kind, *place), _by_seed(kept, _table(own, first), "value", unit=unit, n=n)


def _table(runs: dict[int, Run], values: dict[int, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"seed": seed, "value": value, "learned": runs[seed].verdict.learned}
        for seed, value in values.items()
    )


def _beginning(run: Run, model: str) -> float:
    """The loss as the main corpus begins: of the first epoch, or of the first iterations."""
    main = run.losses.query("stage == 'main'")["loss"]
    return float(main[: 1 if model == "lstm" else FIRST].mean())


def _scores(kept: Kept) -> Iterator[tuple[Key, dict]]:
    by = ["curriculum", "checkpoint", "finished"]
    for model in LOSS_UNITS:
        for (kind, at, finished), rows in scores_of(kept, model).groupby(by, sort=False):
            for what, (column, unit) in SCORED.items():
                theirs = _published(model, kind, int(at)) if what == "ISL" else None
                key = model, kind if finished else UNFINISHED + kind, what, int(at)
                about = {"unit": unit, "n": int(rows["held_out_bars"].iloc[0]), "published": theirs}
                yield key, _by_seed(kept, rows, column, **about)


def _published(model: str, kind: str, at: int) -> float | None:
    table = published()["table1" if model == "lstm" else "figure4"]
    places = table["epochs" if model == "lstm" else "iterations"]
    return table["isl"][places.index(at)] if kind == "plain" and at in places else None


def _finished(kept: Kept, model: str, kind: str) -> pd.DataFrame:
    scores = scores_of(kept, model)
    return scores[(scores["curriculum"] == kind) & scores["finished"].astype(bool)]


def _at_the_end(kept: Kept, model: str, kind: str) -> pd.DataFrame:
    rows = _finished(kept, model, kind)
    return rows[rows["checkpoint"] == rows["checkpoint"].max()]


def _best(kept: Kept) -> Iterator[tuple[Key, dict]]:
    for kind in ("plain", "curriculum"):
        rows = _finished(kept, "biaxial", kind)
        best = rows.groupby("seed", as_index=False)[["isl", "bits", "learned"]].max()
        if len(best):
            n = int(rows["held_out_bars"].iloc[0])
            isl = {"unit": "nats per bar", "n": n, "published": published()["section3.1"][kind]}
            yield ("biaxial", kind, "best ISL"), _by_seed(kept, best, "isl", **isl)
            saved = _by_seed(kept, best, "bits", unit="bits per note", n=n)
            yield ("biaxial", kind, "best bits saved"), saved


def _densities(kept: Kept) -> Iterator[tuple[Key, dict]]:
    """How far the networks are from the density of real music at their last checkpoints."""
    heard, composed = "keys per sample of held-out music", "density"
    for kind, loss in LOSSES.items():
        rows, off = _at_the_end(kept, "lstm", kind), "density off real music's"
        if len(rows):
            n = int(rows["held_out_bars"].iloc[0])
            saved = _by_seed(kept, rows, "bits", unit="bits per note", n=n)
            yield ("losses", loss, "bits saved", int(rows["checkpoint"].iloc[0])), saved
            for what, column, real in (
                ("predicted", "predicted", heard),
                ("composed", "density", composed),
            ):
                key = "losses", loss, f"{what} {off}"
                yield key, _off(kept, "lstm", kind, rows, column, real)
    for kind in ("plain", "curriculum"):
        rows = _at_the_end(kept, "biaxial", kind)
        if len(rows):
            key = "biaxial", kind, "density off the corpus's"
            yield key, _off(kept, "biaxial", kind, rows, "density", composed)


def _off(
    kept: Kept, model: str, kind: str, rows: pd.DataFrame, column: str, real: str
) -> dict[str, Any]:
    runs = of_model(kept, model)
    music = [runs[kind, seed].record["music"] for seed in rows["seed"]]
    apart = rows.assign(off=(rows[column] - [m[real] for m in music]).abs())
    steps = music[0]["profile"]["pieces"] * music[0]["profile"]["steps"]
    n = HEARD - 1 if column == "predicted" else steps
    return _by_seed(kept, apart, "off", unit="notes per step", n=n)


def _section_4(kept: Kept) -> Iterator[tuple[Key, dict]]:
    runs = of_model(kept, "biaxial", finished=True)
    for kind in dict.fromkeys(kind for kind, _ in runs):
        own = {seed: run for (k, seed), run in runs.items() if k == kind}
        rows = _at_the_end(kept, "biaxial", kind)
        n = int(rows["held_out_bars"].iloc[0])
        for what, unit in SECTION_4.items():
            values = {seed: run.record["section 4"][what] for seed, run in own.items()}
            key = "section 4", kind, what
            yield key, _by_seed(kept, _table(own, values), "value", unit=unit, n=n)
        for what, (column, unit) in SCORED.items():
            yield ("section 4", kind, what), _by_seed(kept, rows, column, unit=unit, n=n)


def _clouds(kept: Kept) -> Iterator[tuple[Key, dict]]:
    runs = of_model(kept, "biaxial", finished=True)
    plain = {seed: run for (kind, seed), run in runs.items() if kind == "plain"}
    for what, unit, values in (
        ("distance of centres", "spreads of the training bars", distances_of),
        ("overlap", "share of mass, 0 to 1", _overlap_values),
    ):
        found = [(seed, at, v) for seed, run in plain.items() for at, v in values(run).items()]
        table = pd.DataFrame(found, columns=["seed", "at", "value"])
        for at, rows in table.groupby("at"):
            key = "figure 5", "plain", what, int(at)
            yield key, _by_seed(kept, rows, "value", unit=unit, n=len(plain))


def _overlap_values(run: Run) -> dict[int, float]:
    return {at: estimate.value for at, estimate in overlaps_of(run).items() if at}


def _one_tune(kept: Kept) -> Iterator[tuple[Key, dict]]:
    runs = of_model(kept, "rbm", finished=True)
    own = {seed: run for (kind, seed), run in runs.items() if kind == "plain"}
    if not own:
        return
    scores = scores_of(kept, "rbm").query("curriculum == 'plain' and finished")
    unit = "F1 of sounding cells"
    inputs = scores.groupby("seed", as_index=False)["inputs"].first()
    key = "windowed RBM", "inputs", "to each other"
    yield key, _by_seed(kept, inputs, "inputs", unit=unit, n=PAIRS)
    for at, rows in scores.drop(columns="learned").groupby("checkpoint"):
        for output in ("newest", "whole"):
            key = "windowed RBM", f"plain, 1 rounds, same noise, {output}", "to each other", int(at)
            yield key, _by_seed(kept, rows, output, unit=unit, n=PAIRS)


def _real(kept: Kept) -> Numbers:
    """The density of the main corpus, of a run that heard all of it."""
    whole = [run for run in kept.values() if job_of(run).kind in ("plain", "curriculum")]
    music = [run.record["music"] for run in whole[:1]]
    known = [number(m["density"], "notes per step", n=m["pieces"][MAIN]) for m in music]
    return dict.fromkeys([("real music", "main", "density")], *known) if known else {}
