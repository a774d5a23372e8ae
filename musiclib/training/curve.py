"""The learning curve of a run: kept in `curve.csv` while it trains, from `losses.csv` afterwards.

A row of `curve.csv` has an iteration, the mean loss since the row before, and the held-out loss
where it was measured then. Rows come fast at first and then a hundredth of the way apart, so that
the file stays small.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from musiclib.base.writing import write_text
from musiclib.training.runs import Run
from musiclib.training.state import State
from musiclib.training.whole import Damaged, read_note

COLUMNS = ("iteration", "loss", "held_out", "without_learning")
NUMBER = r"(?:nan|-?inf|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
ROW = re.compile(rf"\d{{1,15}},{NUMBER}(?:,(?:{NUMBER})?){{2}}")
SECONDS = 0.5  # between rows, at least
A_HUNDREDTH = 100
POINTS = 200  # of the training curve of a finished run


class Curve(NamedTuple):
    """Columns iteration and loss of `training`, means, and of `held_out`; the bar to clear."""

    training: pd.DataFrame
    held_out: pd.DataFrame
    without_learning: float | None
    finished: bool = False


class CurveFile:
    """Writes a run's `curve.csv`: call it with the state after each iteration.

    A run that goes on takes out what an earlier try wrote beyond the state that it goes on from.
    """

    def __init__(
        self, path: Path, without: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path, self.without, self.clock = path, without, clock
        self.last: int | None = None  # iteration of the last row
        self.at = clock()

    def __call__(self, state: State) -> None:
        """Add a row where one is due: in time, or since held-out loss was measured."""
        if self.last is None:
            self.last = self._go_on(state.iteration)
        measured = bool(state.held_out) and state.held_out[-1][0] == state.iteration
        far = state.iteration - self.last >= max(1, state.iteration // A_HUNDREDTH)
        if measured or (far and self.clock() - self.at >= SECONDS):
            self._add(state, state.held_out[-1][1] if measured else None)

    def _add(self, state: State, held_out: float | None) -> None:
        loss = float(torch.stack(state.losses[self.last :]).float().mean())
        values = (f"{v:.6g}" if v is not None else "" for v in (loss, held_out, self.without))
        with self.path.open("a") as file:
            file.write(f"{state.iteration},{','.join(values)}\n")
        self.last, self.at = state.iteration, self.clock()

    def _go_on(self, iteration: int) -> int:
        """Keep the rows of before this iteration; the iteration of the last of them, or 0."""
        rows = _read(self.path)
        rows = rows[rows["iteration"] < iteration]
        write_text(self.path, rows.to_csv(index=False, float_format="%.6g"))
        return int(rows["iteration"].max()) if len(rows) else 0


def _read(path: Path) -> pd.DataFrame:
    """The whole rows of a file that may be written to just now, damaged, or not be there."""
    rows = pd.DataFrame(_rows(path)[0], columns=COLUMNS, dtype=float)
    return rows.astype({"iteration": int})


def _rows(path: Path) -> tuple[list[list[float]], int]:
    """Rows of numbers, NaN where there is none, and how many lines are none."""
    try:
        lines = read_note(path).decode(errors="replace").split("\n")[:-1]  # the last may be torn
    except (FileNotFoundError, Damaged):
        return [], 0
    rows: list[list[float]] = []
    for line in lines[1:]:
        if ROW.fullmatch(line) and int(line.partition(",")[0]) > (rows[-1][0] if rows else 0):
            rows.append([float(value or "nan") for value in line.split(",")])
    return rows, len(lines[1:]) - len(rows) + (lines[:1] != [",".join(COLUMNS)])


def must_be_curve(path: Path) -> None:
    """Raise Damaged where a file has anything but rows of a curve, FileNotFoundError without one.

    What is behind the last end of a line is not finished, and no damage.
    """
    read_note(path)
    if _rows(path)[1]:
        raise Damaged("some of its lines are no losses")


def file_of(run: Run) -> Path:
    """Where a run's curve is while it trains."""
    return run.directory / "curve.csv"


def curve_of(run: Run) -> Curve:
    """The curve of a run so far, or of a finished one; without rows before it begins."""
    rows = _read(file_of(run))
    if not len(rows) and run.finished:
        return _finished(run)
    held_out = rows.dropna(subset=["held_out"])[["iteration", "held_out"]]
    known = rows["without_learning"].dropna()
    return Curve(
        rows[["iteration", "loss"]],
        held_out.rename(columns={"held_out": "loss"}),
        float(known.iloc[-1]) if len(known) else None,
    )


def _finished(run: Run) -> Curve:
    losses, without = run.losses["loss"], run.record["without_learning"]
    size = -(-len(losses) // POINTS)
    ends = (np.arange(len(losses)) // size * size + size).clip(max=len(losses))
    means = losses.groupby(ends).mean().rename_axis("iteration").reset_index()
    return Curve(means, run.held_out, min(without.values(), default=None), True)
