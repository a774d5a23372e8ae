"""A run's folder, made ready for training and tidied after it: nobody has to do it by hand."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from musiclib.base.aside import PREFIX, held
from musiclib.base.writing import write_text
from musiclib.training.curve import file_of, must_be_curve
from musiclib.training.folder import LOCK, STATE, damaged
from musiclib.training.locked import alone_in
from musiclib.training.recorded import PART_RECORD, RECORD
from musiclib.training.resuming import aside_of, tell
from musiclib.training.runs import PROGRESS, Run
from musiclib.training.whole import FINAL, PART, TABLES, fault, progress_in

ASIDE = "-set-aside"


def ready(run: Run) -> None:
    """Make the folder, with what is in the way of it and of its lock set aside."""
    if os.path.lexists(run.directory) and not run.directory.is_dir():
        _set_aside(run.directory)
    run.directory.mkdir(parents=True, exist_ok=True)
    _make_way(lock := run.directory / LOCK)
    if not os.access(lock, os.R_OK | os.W_OK):
        with suppress(OSError):  # it is not there yet, or somebody else's
            lock.chmod(0o644)


def heal(run: Run) -> None:
    """Say what is damaged or missing, and set aside what stands where files are written.

    What is wrong with a state that can be read is said once it is read.
    """
    for sentence in damaged(run):
        if not sentence.startswith(STATE):
            tell(run.directory, f"{sentence}: training makes it anew")
        elif not (run.directory / STATE).is_file():
            tell(run.directory, f"{sentence}: training begins anew")
    for path, look in ((run.directory / PROGRESS, progress_in), (file_of(run), must_be_curve)):
        _say_damage(path, look)
    labels = (*run.config.model.checkpoints, PART, FINAL)
    names = (RECORD, PART_RECORD, STATE, PROGRESS, *TABLES)
    for path in [*map(run.weights, labels), *(run.directory / name for name in names)]:
        _make_way(path)
    _make_way(file_of(run))
    _tidy(run.directory)


def settle(run: Run) -> None:
    """Leave of a finished run what belongs to it, and say how far it is: to the end."""
    for path in _left(run):
        clear(path)
    _tidy(run.directory)
    _say_damage(run.directory / PROGRESS, progress_in)
    if run.progress() != (done := len(run.losses)):
        _make_way(run.directory / PROGRESS)
        write_text(run.directory / PROGRESS, str(done))


def settle_left(run: Run) -> None:
    """The same for a run that was finished before, if a try was killed in its last moment.

    Where nothing can be written it stays as it is.
    """
    with suppress(OSError):
        aside = any(run.directory.glob(f"{PREFIX}*"))
        if aside or any(map(os.path.lexists, _left(run))) or run.progress() != len(run.losses):
            ready(run)
            with alone_in(run.directory, LOCK):
                settle(run)


def clear(path: Path) -> None:
    """Remove a file, if it is there; a folder in its place is set aside."""
    _make_way(path)
    path.unlink(missing_ok=True)


def _left(run: Run) -> list[Path]:
    """What a run has while it trains alone."""
    state, record = run.directory / STATE, run.directory / PART_RECORD
    return [state, aside_of(state), record, file_of(run), run.weights(PART)]


def _say_damage(path: Path, look: object) -> None:
    found = fault(path, look)
    if "damaged" in found:
        tell(path.parent, f"{found}: it is written anew")


def _make_way(path: Path) -> None:
    """Let a file be written at a path: a folder is set aside, a pipe or a link removed."""
    if path.is_dir() and not path.is_symlink():
        _set_aside(path)
    elif path.is_symlink() or (path.exists() and not path.is_file()):
        path.unlink()


def _set_aside(path: Path) -> None:
    """Give what is in the way another name; an empty folder is removed."""
    with suppress(OSError):
        path.rmdir()
        return
    free = (path.with_name(f"{path.name}{ASIDE}-{n}") for n in range(1, 10_000))
    new = next(place for place in free if not os.path.lexists(place))
    path.rename(new)
    tell(path.parent, f"{path.name} is in the way: it is named {new.name} now")


def _tidy(folder: Path) -> None:
    """Remove what killed tries left, of any machine, since none but this one trains in the run.

    Files are of older versions.
    """
    for left in folder.glob(f"{PREFIX}*"):
        if not left.is_dir():
            left.unlink(missing_ok=True)
        elif not held(left):
            shutil.rmtree(left, ignore_errors=True)
