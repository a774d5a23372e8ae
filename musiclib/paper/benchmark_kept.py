"""What is kept of the benchmark in results/likelihood: a row for each run, and its learning curve.

A run is measured on the test pieces once, when its row is kept with them; from then on the row is
read. Who changes a recipe after having seen a test value has other runs, which have other rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.base.writing import write_text
from musiclib.paper.benchmark import likelihoods
from musiclib.training.runs import Run

RESULTS = ROOT / "results" / "likelihood"
ROWS, CURVES = "runs.csv", "curves.csv"
RECIPE = "recipe"  # of what is not a trial
PARTS = ("validation", "test")


def kept(name: str = ROWS, folder: Path = RESULTS) -> pd.DataFrame:
    """A kept table.

    `ROWS` has the columns network, set, change, seed, run, iterations, minutes, threads, weights
    (how many), validation, test (nats per frame, or nothing); `CURVES` run, iteration, loss.
    Raises InputError where it is not there.
    """
    if not (folder / name).exists():
        raise InputError(f"no {folder / name}: python -m musiclib benchmark --keep writes it")
    return pd.read_csv(folder / name)


def keep(
    network: str,
    name: str,
    runs: Sequence[Run],
    change: str = RECIPE,
    *,
    test: bool = False,
    folder: Path = RESULTS,
) -> pd.DataFrame:
    """Keep finished runs of a network on a set, and give their rows.

    `change` names a trial. With `test` those that were not measured on the test pieces are now.
    """
    before = _values(folder)
    rows = {run.directory.name: _row(network, name, run, change) for run in runs}
    for part in PARTS[: 1 + test]:
        missing = [run for run in runs if pd.isna(before.get(run.directory.name, {}).get(part))]
        for run, value in zip(missing, likelihoods(missing, name, part), strict=True):
            rows[run.directory.name][part] = value
    for run, row in rows.items():
        row |= {part: before[run][part] for part in PARTS if run in before and part not in row}
    table = pd.DataFrame(rows.values()).reindex(columns=[*_columns(rows), *PARTS])
    curves = [run.held_out.assign(run=run.directory.name) for run in runs]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):  # sets may be trained side by side
        _write(table, folder / ROWS)
        _write(pd.concat(curves)[["run", "iteration", "loss"]], folder / CURVES)
    return table


def _values(folder: Path) -> dict[str, dict[str, float]]:
    """What runs were measured to be, by run and part."""
    if not (folder / ROWS).exists():
        return {}
    return kept(ROWS, folder).set_index("run")[[*PARTS]].to_dict("index")


def _row(network: str, name: str, run: Run, change: str) -> dict[str, Any]:
    record = run.record
    return {
        **{"network": network, "set": name, "change": change, "seed": run.config.seed},
        **{"run": run.directory.name, "iterations": len(run.losses)},
        "minutes": round(record["seconds"] / 60, 1),
        "threads": " then ".join(map(str, record["threads"])),
        "weights": sum(weights.numel() for weights in run.model().parameters()),
    }


def _columns(rows: dict[str, dict[str, Any]]) -> list[str]:
    return [column for column in next(iter(rows.values())) if column not in PARTS]


def _write(new: pd.DataFrame, path: Path) -> None:
    """Put rows in the place of those of the same runs, or behind the others."""
    old = [pd.read_csv(path).query("run not in @new.run")] if path.exists() else []
    write_text(path, pd.concat([*old, new], ignore_index=True).to_csv(index=False))
