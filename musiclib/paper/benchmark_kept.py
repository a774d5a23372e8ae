"""What is kept of the benchmark in results/likelihood: a row for each run, and its learning curve.

A run is measured on the test pieces once, when its row is kept with them; from then on the row is
read, as long as the run has the weights that were measured. Who changes a recipe after having seen
a test value has other runs, which have other rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT, digest
from musiclib.base.writing import write_text
from musiclib.models import describe
from musiclib.paper.benchmark import likelihoods
from musiclib.training.runs import Run

RESULTS = ROOT / "results" / "likelihood"
ROWS, CURVES = "runs.csv", "curves.csv"
RECIPE = ""  # the change of what is no trial
PARTS = ["validation", "test"]
TEXT = ["network", "set", "change", "run", "configuration", "digest", "threads"]
COLUMNS = {
    ROWS: ["network", "set", "change", "seed", "run", "configuration", "digest", "iterations",
           "minutes", "threads", "weights", *PARTS],
    CURVES: ["run", "iteration", "loss"],
}  # fmt: skip


def kept(name: str = ROWS, folder: Path = RESULTS) -> pd.DataFrame:
    """A kept table, with the columns `COLUMNS`.

    `change` names a trial; `configuration` and `digest` tell recipes and weights apart; `weights`
    is how many there are; `validation` and `test` are nats per frame, or nothing. Raises InputError
    where it is not there, or something else.
    """
    if not (folder / name).exists():
        raise InputError(f"no {folder / name}: python -m musiclib benchmark writes it")
    try:
        table = pd.read_csv(
            folder / name,
            dtype=dict.fromkeys(TEXT, str),
            keep_default_na=False,
            na_values=dict.fromkeys(PARTS, ""),
        )
        return table[COLUMNS[name]]
    except (ValueError, KeyError) as error:  # pandas' own among them
        said = str(error).splitlines()[0]
        raise InputError(f"{folder / name}: not what was kept ({said}); move it away") from None


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
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.resolve().name}.lock")):  # sets go side by side
        rows = [_row(network, name, run, change) for run in runs]
        known = _measured(folder)
        for row in rows:
            row |= known.get((row["run"], row["digest"]), dict.fromkeys(PARTS))
        for part in PARTS[: 1 + test]:
            _measure(rows, runs, name, part)
        table = pd.DataFrame(rows)[COLUMNS[ROWS]]
        _write(table, folder, ROWS, ["run", "change"])
        curves = [run.held_out.assign(run=run.directory.name) for run in runs]
        _write(pd.concat(curves)[COLUMNS[CURVES]], folder, CURVES, ["run"])
    return table


def _row(network: str, name: str, run: Run, change: str) -> dict[str, Any]:
    record, config = run.record, run.config
    return {
        **{"network": network, "set": name, "change": change, "seed": config.seed},
        **{"run": run.directory.name, "configuration": configuration(config.model)},
        "digest": digest(run.weights().read_bytes())[:16],
        "iterations": len(run.losses),
        "minutes": round(record["seconds"] / 60, 1),
        "threads": " then ".join(map(str, record["threads"])),
        "weights": sum(weights.numel() for weights in run.model().parameters()),
    }


def configuration(model: Any) -> str:
    """What tells a model's configuration from another one."""
    return digest(repr(sorted(describe(model).items())))[:16]


def _measured(folder: Path) -> dict[tuple[str, str], dict[str, float | None]]:
    """What the weights of runs were measured to be, whatever they were kept as."""
    if not (folder / ROWS).exists():
        return {}
    return kept(ROWS, folder).groupby(["run", "digest"])[PARTS].first().to_dict("index")


def _measure(rows: list[dict[str, Any]], runs: Sequence[Run], name: str, part: str) -> None:
    """Put values where there are none."""
    missing = [i for i, row in enumerate(rows) if pd.isna(row[part])]
    for i, value in zip(missing, likelihoods([runs[i] for i in missing], name, part), strict=True):
        rows[i][part] = value


def _write(new: pd.DataFrame, folder: Path, name: str, key: list[str]) -> None:
    """Put rows in the place of those of the same key, or behind the others."""
    if (folder / name).exists():
        old = kept(name, folder)
        again = pd.MultiIndex.from_frame(old[key]).isin(pd.MultiIndex.from_frame(new[key]))
        new = pd.concat([old[~again], new], ignore_index=True)
    write_text(folder / name, new.to_csv(index=False))
