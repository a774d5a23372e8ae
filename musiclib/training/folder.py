"""How a run stands, read from its folder alone: nothing is trained, made or waited for."""

import fcntl
import os
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple

import torch

from musiclib.base.files import DAMAGED
from musiclib.base.writing import write_text
from musiclib.training.curve import curve_of
from musiclib.training.runs import Run

STATE, LOCK, FAILED = "state.pt", "lock", "failed"
CONTENDED = (BlockingIOError, PermissionError)  # what flock says of a lock that another has


class Saved(NamedTuple):
    """Iterations done in a run's saved state, and the seconds that they took."""

    iteration: int = 0
    seconds: float = 0.0


def held(run: Run) -> bool:
    """Whether another process trains in a run now: it has the lock.

    The lock is tried as readers share it: nobody who looks is taken for one who trains.
    """
    try:
        handle = os.open(run.directory / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except CONTENDED:
        return True
    except OSError:  # no locks on this disk: there the file itself is the lock
        return True
    finally:
        os.close(handle)
    return False


def saved(run: Run) -> Saved:
    """What a run goes on from; nothing where no state is saved, or where it cannot be read.

    Of the file only what is asked for is read, not the weights.
    """
    try:
        path = run.directory / STATE
        state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)["state"]
        return Saved(state["iteration"], state["seconds"])
    except (*DAMAGED, UnpicklingError):
        return Saved()


def damaged(run: Run) -> str:
    """Which file of a run cannot be read, and what to do about it; empty where none is damaged."""
    state = run.directory / STATE
    try:
        if run.begun:
            run.record  # noqa: B018
    except ValueError:
        return f"{run.directory / run.record_name} is damaged: delete it to train the run anew"
    if state.exists() and saved(run) == Saved():
        return f"{state} is damaged: delete it to train the run anew"
    return ""


def touched(run: Run) -> bool:
    """Whether anything of a run is there: more than its folder and the lock."""
    return run.begun or any(
        (run.directory / name).exists() for name in (STATE, "progress", "curve.csv")
    )


def last_held_out(run: Run, most: float = float("inf")) -> float | None:
    """The last loss on held-out music that is known, at iteration `most` at the latest."""
    try:
        table = run.held_out if run.finished else curve_of(run).held_out
        table = table if len(table) or not run.begun else run.held_out
    except FileNotFoundError:
        return None
    known = table[table["iteration"] <= most]["loss"]
    return float(known.iloc[-1]) if len(known) else None


def fail(run: Run, why: str) -> None:
    """Write down why training ended: the reason in the first line, and what else is known."""
    write_text(failed_file(run), why.rstrip() + "\n")


def failure(run: Run) -> str:
    """Why the training of a run ended, in one line; "" where it did not, or went on since."""
    if run.finished:
        return "" if run.weights().exists() else _without_weights(run)
    try:
        when = failed_file(run).stat().st_mtime_ns
        reason = failed_file(run).read_text(encoding="utf-8").partition("\n")[0]
    except FileNotFoundError:
        return ""
    return "" if _later(run.directory / STATE, when) else reason


def failed_file(run: Run) -> Path:
    """Where the reason lies."""
    return run.directory / FAILED


def _without_weights(run: Run) -> str:
    name = run.weights().name
    return f"{run.directory} has a record but no {name}: delete it, and it is trained anew"


def _later(path: Path, when: int) -> bool:
    return path.exists() and path.stat().st_mtime_ns > when
