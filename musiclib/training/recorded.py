"""The record of a run, and whether it and the files that belong to it are whole.

A record names its files with their digests, and has its own: so a file of which a single bit has
changed is told from the one that was written.
"""

import json
import os
import re
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

from musiclib.base.files import digest
from musiclib.corpus.levels import MAIN
from musiclib.models import model_of
from musiclib.training.whole import (
    ENDS,
    FINAL,
    PART,
    TABLES,
    Damaged,
    check,
    fault,
    mark,
    outline,
    plain,
    read,
    weights_name,
)

RECORD, PART_RECORD = "run.json", "part.json"
NEEDED = {
    **{"config": dict, "corpus": str, "without_learning": dict, "device": str, "precision": str},
    **{"threads": list, "seconds": (int, float), "stages": dict},
    "iterations_an_epoch": (int, type(None)),
}
WEIGHTS = re.compile(r"weights-\w+\.safetensors")


def faults(folder: Path, config: Any, record: str, *, every: bool = True) -> tuple[str, ...]:
    """What keeps a record, and the files that belong to it, from being whole; nothing if they are.

    In a few words each: "losses.csv is missing", or "run.json is damaged (it is empty)". Looked
    into only if a file has changed since. Without `every` byte, weights on the way are not read,
    but for what they say of themselves. Raises OSError or MemoryError where the machine is at
    fault, and looks again the next time.
    """
    if not os.path.lexists(folder / record):
        return (f"{record} is missing",)
    return _faults(folder, config, record, every, _marks(folder, record))


def _marks(folder: Path, record: str) -> tuple[tuple, ...]:
    names = {path.name for path in folder.glob("weights-*")}
    return tuple((name, mark(folder / name)) for name in sorted({*names, *TABLES, record}))


@lru_cache(maxsize=1_000)
def _faults(folder: Path, config: Any, name: str, every: bool, marks: tuple) -> tuple[str, ...]:
    try:
        record = record_of(folder / name, config)
    except (Damaged, FileNotFoundError) as error:
        return (f"{name} is damaged ({error})",)
    files = record.get("files") or dict.fromkeys(_files_of_older(config, record))
    look = check if every else outline
    told = (
        fault(folder / file, lambda path, known=known: look(path, known, config))
        for file, known in files.items()
    )
    return tuple(filter(None, told))


def record_of(path: Path, config: Any) -> dict[str, Any]:
    """A record that has what readers need; raises Damaged, or FileNotFoundError."""
    try:
        record = json.loads(read(path))
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, Damaged) else Damaged("it is no JSON") from None
    if not isinstance(record, dict):
        raise Damaged("it is no record")
    known = record.pop("digest", None)
    if known not in (None, digest_of_record(record)):
        raise Damaged("it is not as it was written")
    needed = NEEDED | ({"iterations": int} if path.name == PART_RECORD else {})
    for name, kind in needed.items():
        if not isinstance(record.get(name, ...), kind):
            raise Damaged(f"it has no {name}, or one of a wrong kind")
    if record["config"] != plain(config):
        raise Damaged("it is of another run")
    if not (_adds_up(record) and _names(record.get("files", {}), path.name == PART_RECORD)):
        raise Damaged("what it says does not fit together")
    return record


def digest_of_record(record: dict[str, Any]) -> str:
    """What tells a record from another one, but for the order of what it says."""
    return digest(json.dumps(record, sort_keys=True))


def _adds_up(record: dict) -> bool:
    counts = [*record["stages"].values(), *record["threads"], record.get("iterations", 0)]
    numbers = [*record["without_learning"].values(), record["seconds"]]
    return (
        all(type(n) is int and n >= 0 for n in counts)
        and all(type(n) in (int, float) and isfinite(n) for n in numbers)
        and [*record["stages"]][-1:] == [MAIN]
        and iterations_of(record) <= sum(record["stages"].values())
    )


def _names(files: Any, part: bool) -> bool:
    """Whether a record names its files rightly; older ones name none."""
    if not isinstance(files, dict) or not all(isinstance(known, str) for known in files.values()):
        return False
    own = all(name in TABLES or WEIGHTS.fullmatch(name) for name in files)
    return own and (not files or {*TABLES, ENDS[part]} <= files.keys())


def _files_of_older(config: Any, record: dict) -> list[str]:
    """The files that belong to a record which does not name them."""
    done = iterations_of(record) - sum([*record["stages"].values()][:-1])
    unit = record["iterations_an_epoch"] if model_of(config.model).counts_epochs else 1
    reached = {} if config.stop_below else checkpoints_within(config.model, unit, done)
    end = PART if "iterations" in record else FINAL
    return [*TABLES, *(weights_name(label) for label in (*reached, end))]


def checkpoints_within(model: Any, unit: int, iterations: int) -> dict[int, int]:
    """By label, the iterations on the main corpus of the checkpoints that come in so many."""
    every = {label: label * unit for label in model.checkpoints}
    return {label: at for label, at in every.items() if at <= iterations}


def iterations_of(record: dict) -> int:
    """Iterations that are done."""
    return record.get("iterations", sum(record["stages"].values()))
