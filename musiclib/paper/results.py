"""Numbers as the notebooks record them: value, spread, unit, n, seeds and the published value.

A number is found by its key: (experiment, variant, metric), or with a checkpoint as fourth part.
On disk they are one long table, a row for each seed: `table_of` and `numbers_in`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Key = tuple[str, str, str] | tuple[str, str, str, int]
Numbers = dict[Key, dict[str, Any]]
SHIPPED = "shipped chorales"  # the corpus of results that rest on shipped weights
COLUMNS = (
    "experiment",
    "variant",
    "seed",
    "checkpoint",
    "metric",
    "value",
    "unit",
    "n",
    "published",
    "learned",
    "note",
)


def number(
    values: float | Sequence[float | None],
    unit: str,
    *,
    n: int | None = None,
    published: float | None = None,
    note: str | None = None,
    learned: Sequence[bool] | None = None,
) -> dict[str, Any]:
    """One result from its values, one a seed; None or NaN where there is none (ISL of nothing).

    `learned` says of each seed whether the network behind the value learned: what rests on one that
    did not gets no verdict. None where no network is behind it.

    `spread` is the sample standard deviation over the seeds, None for fewer than two; `n` is how
    many items (bars, steps, pieces) stand behind each value.
    """
    listed = np.atleast_1d(np.asarray(values, dtype=np.float64))  # None becomes NaN
    known = listed[np.isfinite(listed)].tolist()
    return {
        "value": float(np.mean(known)) if known else None,
        "spread": float(np.std(known, ddof=1)) if len(known) > 1 else None,
        "unit": unit,
        "n": n,
        "seeds": len(known),
        "per_seed": [v if np.isfinite(v) else None for v in listed.tolist()],
        "published": published,
        **({} if learned is None else {"learned": [bool(seed) for seed in learned]}),
        **({"note": note} if note else {}),
    }


def named(key: Key) -> str:
    """A number's key in words."""
    experiment, variant, metric, *checkpoint = key
    return f"{experiment}, {variant}{''.join(f', at {at}' for at in checkpoint)}: {metric}"


def table_of(numbers: Mapping[Key, dict[str, Any]]) -> pd.DataFrame:
    """Numbers as one long table with the columns `COLUMNS`, a row for each seed."""
    rows = []
    for (experiment, variant, metric, *checkpoint), result in numbers.items():
        learned = result.get("learned") or [None] * len(result["per_seed"])
        for seed, (value, heard) in enumerate(zip(result["per_seed"], learned, strict=True)):
            where = (experiment, variant, seed, *(checkpoint or [None]), metric)
            what = (value, *(result[name] for name in ("unit", "n", "published")))
            rows.append((*where, *what, heard, result.get("note")))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"checkpoint": "Int64", "n": "Int64"})


def read_table(path: Path) -> pd.DataFrame:
    """A long table on disk."""
    return pd.read_csv(path, dtype={"checkpoint": "Int64", "n": "Int64", "learned": "boolean"})


def numbers_in(table: pd.DataFrame) -> Numbers:
    """The numbers of a long table, as `table_of` made it."""
    numbers: Numbers = {}
    where = ["experiment", "variant", "metric", "checkpoint"]
    for (*key, checkpoint), rows in table.groupby(where, sort=False, dropna=False):
        first = rows.iloc[0]
        key += [] if pd.isna(checkpoint) else [int(checkpoint)]
        numbers[tuple(key)] = number(
            rows["value"].tolist(),
            first["unit"],
            n=None if pd.isna(first["n"]) else int(first["n"]),
            published=None if pd.isna(first["published"]) else float(first["published"]),
            note=None if pd.isna(first["note"]) else first["note"],
            learned=None if rows["learned"].isna().any() else rows["learned"].tolist(),
        )
    return numbers


def numbers_of(folder: Path) -> Numbers:
    """The numbers of all notebooks that were run, from the tables in results/<profile>."""
    tables = [numbers_in(read_table(path)) for path in sorted(folder.glob("[0-9]*.csv"))]
    return {key: number for table in tables for key, number in table.items()}


def checkpoints(numbers: Numbers, experiment: str, variant: str, metric: str) -> list[int]:
    """The checkpoints at which a number is known, in order."""
    where = experiment, variant, metric
    return sorted(key[3] for key in numbers if key[:3] == where and len(key) > 3)


def learned_of(*results: dict[str, Any]) -> np.ndarray:
    """For each seed, whether all networks behind the results learned."""
    every = [r.get("learned") or [True] * len(r["per_seed"]) for r in results]
    return np.all(np.broadcast_arrays(*every), axis=0)  # one value without seeds stands for all


def judged_values(result: dict[str, Any]) -> np.ndarray:
    """The values, float64, one a seed; NaN where there is none or the network did not learn."""
    values = np.asarray(result["per_seed"], dtype=np.float64)
    return np.where(learned_of(result), values, np.nan)


UNLEARNED = "†"
FOOTNOTE = f"{UNLEARNED} from a network that did not learn (notebooks 02 and 03): no verdict."


class Markdown(str):
    """Markdown that notebooks show rendered."""

    def _repr_markdown_(self) -> str:
        return str(self)


def footnoted(table: str) -> Markdown:
    """A Markdown table and, where it needs one, the note on networks that did not learn."""
    return Markdown(f"{table}\n{FOOTNOTE}\n" if UNLEARNED in table else table)


def shown(result: dict[str, Any], digits: int = 1) -> str:
    """ "-400.1 ± 3.2", or a dash where there is no number; marked if a network did not learn."""
    mark = "" if learned_of(result).all() else f" {UNLEARNED}"
    if result["value"] is None:
        return f"–{mark}"
    spread = "" if result["spread"] is None else f" ± {result['spread']:.{digits}f}"
    return f"{result['value']:.{digits}f}{spread}".replace("-", "−") + mark


def seeds_for(first: dict[str, Any], second: dict[str, Any]) -> str:
    """In how many seeds `first` is below `second`: "2 of 3 seeds", or a dash without a pair.

    Seeds in which a network did not learn are left open, and counted as such.
    """
    a, b = judged_values(first), judged_values(second)
    known, opened = ~np.isnan(a) & ~np.isnan(b), int((~learned_of(first, second)).sum())
    pairs, wins = int(known.sum()), int((a < b)[known].sum())
    count = f"{wins} of {pairs} seed{'s' * (pairs > 1)}"
    if opened:
        return f"{count}, {opened} open: {WHY_OPEN}" if pairs else f"open: {WHY_OPEN}"
    return count if pairs else "–"


WHY_OPEN = "did not learn"


def says(holds: bool, yes: str, no: str, *behind: dict[str, Any]) -> None:
    """Print the sentence that is true, or that it is open: where a network behind did not learn."""
    if behind and not learned_of(*behind).all():
        mute = int((~learned_of(*behind)).sum())
        print(f"- Open, since {mute} of {len(learned_of(*behind))} seeds did not learn: {yes}")
    else:
        print("-", yes if holds else no)


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Markdown:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return Markdown("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n")
