"""How a run stands, read from its folder alone: nothing is trained, made or waited for."""

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from musiclib.base.locks import is_held
from musiclib.base.writing import write_text
from musiclib.training.curve import curve_of
from musiclib.training.recorded import PART_RECORD, RECORD
from musiclib.training.runs import PROGRESS, Run
from musiclib.training.state import read_state
from musiclib.training.whole import Damaged, mark, read

STATE, LOCK, FAILED = "state.pt", "lock", "failed"


class Saved(NamedTuple):
    """Iterations done in a run's saved state, and the seconds that they took."""

    iteration: int = 0
    seconds: float = 0.0


def held(run: Run) -> bool:
    """Whether another process trains in a run now: it has the lock."""
    return is_held(run.directory / LOCK)


def saved(run: Run) -> Saved:
    """What a run goes on from; nothing where no state is saved, or where it is damaged."""
    return _saved(path := run.directory / STATE, mark(path))[0]


@lru_cache(maxsize=1_000)
def _saved(path: Path, mark: tuple) -> tuple[Saved, str]:
    """What a file of a state says, and what is wrong with it."""
    try:
        state = read_state(path)["state"]
    except FileNotFoundError:
        return Saved(), ""
    except Damaged as error:
        return Saved(), f"{path.name} is damaged ({error})"
    return Saved(state.iteration, state.seconds), ""


def damaged(run: Run) -> tuple[str, ...]:
    """What is missing or damaged of what a run left, and of its state, in a few words each."""
    if run.whole:
        return ()
    left = [name for name in (RECORD, PART_RECORD) if os.path.lexists(run.directory / name)]
    faults = [fault for name in left[:1] for fault in run.faults(name)]
    state = _saved(path := run.directory / STATE, mark(path))[1]
    return (*faults, *filter(None, [state]))


def touched(run: Run) -> bool:
    """Whether anything of a run is there: more than its folder and the lock."""
    names = (RECORD, PART_RECORD, STATE, PROGRESS, "curve.csv")
    return any(os.path.lexists(run.directory / name) for name in names)


def last_held_out(run: Run, most: float = float("inf")) -> float | None:
    """The last loss on held-out music that is known, at iteration `most` at the latest."""
    try:
        table = run.held_out if run.finished else curve_of(run).held_out
        table = table if len(table) or not run.begun else run.held_out
    except (FileNotFoundError, ValueError, LookupError):  # it is written just now
        return None
    known = table[table["iteration"] <= most]["loss"]
    return float(known.iloc[-1]) if len(known) else None


def fail(run: Run, why: str) -> None:
    """Write down why training ended: the reason in the first line, and what else is known."""
    write_text(failed_file(run), why.rstrip() + "\n")


def failure(run: Run) -> str:
    """Why the training of a run ended, in one line; "" where it did not, or went on since."""
    if run.finished:
        return ""
    try:
        reason = read(failed_file(run)).decode(errors="replace").partition("\n")[0]
        when = failed_file(run).stat().st_mtime_ns
    except (OSError, Damaged):
        return ""
    return "" if _later(run.directory / STATE, when) else reason


def failed_file(run: Run) -> Path:
    """Where the reason lies."""
    return run.directory / FAILED


def _later(path: Path, when: int) -> bool:
    return path.exists() and path.stat().st_mtime_ns > when
