"""Whether a file of a run's folder is whole: one that is damaged counts as absent."""

import io
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from musiclib.base.errors import InputError
from musiclib.base.files import digest
from musiclib.base.memory import size
from musiclib.base.passing import passing
from musiclib.models import describe
from musiclib.models.checkpoints import described, load_weights

FINAL, PART = "final", "part"  # labels of weights: at the end, and after a piece of training
TABLES = {"losses.csv": ("stage", "iteration", "loss"), "held-out.csv": ("iteration", "loss")}
LAST_OF_ZIP, AFTER_IT = b"PK\x05\x06", 18  # how a zip without a comment ends, and bytes after that
LARGE = 1 << 28  # bytes; no record or table has more
DIGITS = re.compile(rb"\d{1,15}")


class Damaged(ValueError):
    """What is wrong with a file, in a few words."""


def read(path: Path) -> bytes:
    """A file's content; raises FileNotFoundError, or Damaged where there is no file to use.

    What is far too large is not read. Raises OSError where the disk is at fault, or access: then
    nothing is known of the file.
    """
    try:
        _must_be_file(path)
        if content := path.read_bytes():
            return content
    except FileNotFoundError:
        raise
    except OSError as error:
        if passing(error):
            raise
        raise Damaged(error.strerror or str(error)) from None
    raise Damaged("it is empty")


def read_note(path: Path) -> bytes:
    """The same of a file that nothing rests on: it is Damaged, too, where the disk is at fault."""
    try:
        return read(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Damaged(error.strerror or str(error)) from None


def _must_be_file(path: Path) -> None:
    """Raise Damaged for what is no file, or so large that nobody wrote it here."""
    _must_be_regular(there := path.stat())
    if there.st_size <= LARGE:
        return
    if path.suffix == ".pt":
        _must_end(path)
    elif path.suffix == ".safetensors":
        with _as_damage(path):
            described(path)  # which compares its size with what is in it
    else:
        raise Damaged(f"it has {size(there.st_size)}, where {size(LARGE)} are the most")


def _must_be_regular(there: os.stat_result) -> None:
    if not stat.S_ISREG(there.st_mode):
        raise Damaged("it is no file")


def _must_end(path: Path) -> None:
    """Raise Damaged where a file does not end as what torch saves does."""
    with path.open("rb") as file:
        file.seek(-len(LAST_OF_ZIP) - AFTER_IT, os.SEEK_END)
        if file.read(len(LAST_OF_ZIP)) != LAST_OF_ZIP:
            raise Damaged("it is cut off, or no state")


def mark(path: Path) -> tuple:
    """What changes when a file does."""
    try:
        s = path.stat()
    except OSError:
        return ()
    return s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, s.st_mode


def fault(path: Path, look: Callable[[Path], object]) -> str:
    """What is wrong with a file in a few words, "" where nothing is that `look` would raise."""
    try:
        look(path)
    except FileNotFoundError:
        return f"{path.name} is missing"
    except Damaged as error:
        return f"{path.name} is damaged ({error})"
    return ""


def outline(path: Path, known: str | None, config: Any) -> None:
    """As `check`, but of weights on the way only what they say of themselves, and their size."""
    if path.suffix == ".csv" or path.name in ENDS:
        return check(path, known, config)
    _must_be_regular(path.stat())
    with _as_damage(path):
        found, about = described(path)
    return _must_be_of(found, about, config)


def check(path: Path, known: str | None, config: Any) -> None:
    """Raise Damaged where a table or weights of a run are not those of this digest, if it is known.

    And where they cannot be used; FileNotFoundError where they are not there.
    """
    content = read(path)
    if known and known != digest(content):
        raise Damaged("it is not as it was written")
    if path.suffix == ".csv":
        _check_table(path.name, content)
    elif path.name in ENDS or not known:
        _check_weights(path, config)


def _check_table(name: str, content: bytes) -> None:
    try:
        table = pd.read_csv(io.BytesIO(content))
        numbers = table[["iteration", "loss"]].to_numpy(float)
    except (ValueError, LookupError):
        raise Damaged("it is no table of losses") from None
    if tuple(table.columns) != TABLES[name] or not isfinite(numbers.sum()):
        raise Damaged("it is no table of losses")


def _check_weights(path: Path, config: Any) -> None:
    with _as_damage(path), torch.random.fork_rng(devices=[]):
        model, about = load_weights(path)
    _must_be_of(model.config, about, config)


@contextmanager
def _as_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise Damaged(str(error).removeprefix(f"{path}: ")) from None


def _must_be_of(model: Any, about: dict, config: Any) -> None:
    found = json.loads(json.dumps(about | {"model": describe(model)}))
    if found != plain(config):
        raise Damaged("it is of another run")


def progress_in(path: Path) -> int:
    """The iterations that a file of progress has; raises Damaged, or FileNotFoundError."""
    content = read_note(path)
    if not DIGITS.fullmatch(content):
        raise Damaged("it is no number")
    return int(content)


def weights_name(label: int | str) -> str:
    """The file of weights at a checkpoint, at the end, or after a piece."""
    return f"weights-{label}.safetensors"


ENDS = tuple(map(weights_name, (FINAL, PART)))


def plain(config: Any) -> dict:
    """A run's configuration as a record has it."""
    return json.loads(json.dumps(config.describe()))
