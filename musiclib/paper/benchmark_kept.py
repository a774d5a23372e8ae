"""What is kept of the benchmark in results/likelihood: a row for each run, and its learning curve.

A run is measured on the test pieces once, when its row is kept with them; from then on the row is
read, as long as the run has the weights that were measured. Other weights, as another machine's,
have a row of their own: one with a test value is never taken away. Trials are not tested.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT, digest
from musiclib.base.writing import replacing_all
from musiclib.models import describe
from musiclib.models.likelihood import per_frame
from musiclib.paper.benchmark import likelihoods
from musiclib.training.runs import Run

RESULTS = ROOT / "results" / "likelihood"
ROWS, CURVES, PIECES = "runs.csv", "curves.csv", "pieces.csv"
RECIPE = ""  # the change of what is no trial
PARTS = ["validation", "test"]
TEXT = ["network", "set", "change", "run", "configuration", "digest", "threads"]
COLUMNS = {
    ROWS: ["network", "set", "change", "seed", "run", "configuration", "digest", "iterations",
           "minutes", "threads", "weights", *PARTS],
    CURVES: ["run", "iteration", "loss"],
    PIECES: ["run", "digest", "piece", "frames", "nats"],
}  # fmt: skip
KEYS = {ROWS: ["run", "change"], CURVES: ["run"], PIECES: ["run", "digest"]}


def kept(name: str = ROWS, folder: Path = RESULTS) -> pd.DataFrame:
    """A kept table, with the columns `COLUMNS`.

    `change` names a trial; `configuration` and `digest` tell recipes and weights apart; `weights`
    is how many there are; `validation` and `test` are nats per frame, or nothing. Of `PIECES`, the
    test pieces in their order, `nats` is the log-likelihood of all frames of one. Raises InputError
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

    `change` names a trial. With `test` those that were not measured on the test pieces are now,
    unless they are a trial's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.resolve().name}.lock")):  # sets go side by side
        rows = [_row(network, name, run, change) for run in runs]
        known = _measured(folder)
        parts = PARTS[:1] if change != RECIPE else PARTS
        for row in rows:
            before = known.get((row["run"], row["digest"]), {})
            row |= {part: before.get(part) if part in parts else None for part in PARTS}
        _measure(rows, runs, name, "validation")
        pieces = _measure(rows, runs, name, "test") if test and "test" in parts else []
        table = pd.DataFrame(rows)[COLUMNS[ROWS]]
        curves = pd.concat([run.held_out.assign(run=run.directory.name) for run in runs])
        _write(folder, {ROWS: table, CURVES: curves, PIECES: pd.DataFrame(pieces)})
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


def _measure(
    rows: list[dict[str, Any]], runs: Sequence[Run], name: str, part: str
) -> list[dict[str, Any]]:
    """Put values where there are none; the rows of the pieces that were measured."""
    missing = [i for i, row in enumerate(rows) if pd.isna(row[part])]
    pieces = []
    for i, each in zip(missing, likelihoods([runs[i] for i in missing], name, part), strict=True):
        rows[i][part] = per_frame(each)
        of = {key: rows[i][key] for key in ("run", "digest")}
        pieces += [
            {**of, "piece": place, "frames": len(frames), "nats": frames.sum()}
            for place, frames in enumerate(each)
        ]
    return pieces


def _write(folder: Path, new: dict[str, pd.DataFrame]) -> None:
    """Put tables in the place of what they have anew, and behind the rest; all or none."""
    tables = {name: _with_new(folder, name, rows) for name, rows in new.items() if len(rows)}
    with replacing_all(*(folder / name for name in tables)) as places:
        for place, table in zip(places, tables.values(), strict=True):
            table.to_csv(place, index=False)


def _with_new(folder: Path, name: str, new: pd.DataFrame) -> pd.DataFrame:
    """A kept table with new rows; one with a test value goes only for the same weights."""
    new = new[COLUMNS[name]]
    if not (folder / name).exists():
        return new
    old, key = kept(name, folder), KEYS[name]
    again = _are_in(old, new, key)
    if name == ROWS:
        again &= old["test"].isna() | _are_in(old, new, [*key, "digest"])
    return pd.concat([old[~again], new], ignore_index=True)


def _are_in(old: pd.DataFrame, new: pd.DataFrame, key: list[str]) -> Any:
    return pd.MultiIndex.from_frame(old[key]).isin(pd.MultiIndex.from_frame(new[key]))
