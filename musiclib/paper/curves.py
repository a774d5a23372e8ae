"""Learning curves of runs as one table, for Figure 3 and the numbers drawn from it."""

from collections.abc import Mapping

import pandas as pd

from musiclib.models import BiaxialConfig
from musiclib.paper.profiles import PUBLISHED_SIZE
from musiclib.training.runs import Run

Runs = Mapping[tuple[str, int], Run]


def learning_curves(
    runs: Runs, *, bin_size: int, unit: float = 1, scale: float = 1.0, whole: bool = False
) -> pd.DataFrame:
    """Loss on the main corpus: columns curriculum, seed, set, at, loss, learned (did the run).

    Training losses are means over `bin_size` iterations. `at` counts iterations on the main corpus
    in units of `unit` (an epoch, say), and losses are multiplied by `scale`. With `whole` a last
    mean of fewer losses is left out.
    """
    tables = []
    for (kind, seed), run in runs.items():
        curves = {"training": _training(run, bin_size, whole), "held-out": _held_out(run)}
        for name, curve in curves.items():
            table = curve.assign(curriculum=kind, seed=seed, set=name, learned=run.verdict.learned)
            tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    table["at"], table["loss"] = table["at"] / unit, table["loss"] * scale
    return table[["curriculum", "seed", "set", "at", "loss", "learned"]]


def _training(run: Run, bin_size: int, whole: bool) -> pd.DataFrame:
    main = run.losses.query("stage == 'main'")
    end_of_bin = (main["iteration"] - 1) // bin_size * bin_size + bin_size
    if whole and len(main) >= bin_size:
        main = main[end_of_bin <= main["iteration"].max()]
    means = main["loss"].groupby(end_of_bin.clip(upper=main["iteration"].max())).mean()
    return means.rename_axis("at").reset_index()


def _held_out(run: Run) -> pd.DataFrame:
    before_main = sum(n for name, n in run.record["stages"].items() if name != "main")
    curve = run.held_out.rename(columns={"iteration": "at"})
    return curve.assign(at=curve["at"] - before_main).query("at >= 0")


def last(curves: pd.DataFrame, kind: str, part: str, share: float = 0.1) -> list[float]:
    """Each seed's mean loss over the last `share` of the curve."""
    rows = curves[(curves["curriculum"] == kind) & (curves["set"] == part)]
    late = rows[rows["at"] >= (1 - share) * rows["at"].max()]
    return late.groupby("seed")["loss"].mean().tolist()


def published_batch(config: BiaxialConfig) -> float:
    """Factor that brings a batch's loss to the published size of 10 segments of 128 steps."""
    steps = config.batch * (config.segment - 1)
    return PUBLISHED_SIZE.batch * (PUBLISHED_SIZE.segment - 1) / steps
