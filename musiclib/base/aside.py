"""A folder beside a target to write in, from which what is written takes its place in one go.

It is named `.writing-...`. Its writer holds a lock on it, so that what a killed one left behind is
known, and tidied by the next.
"""

import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from socket import gethostname

from musiclib.base.locks import is_held

PREFIX, LOCK = ".writing-", ".lock"
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS, errno.EACCES)  # of a folder, on some disks


@contextmanager
def beside(folder: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Yield a new folder in `folder`; what the block leaves in it takes its place in `folder`.

    Where the block fails, `folder` stays as it was. `lasting` waits until all of it is on the disk,
    so that it is whole after a power cut, too. Several files are put in place in one go: those of
    two writers do not mix.
    """
    within = any(part.startswith(PREFIX) for part in folder.absolute().parts)  # who is around waits
    with ExitStack() as tidying:
        tidying.enter_context(_room(folder))
        aside = tidying.enter_context(_own(folder))
        if not within:
            _tidied(folder.resolve())
        try:
            yield aside
            if lasting and not within:
                sync_all(aside)
            _put(aside, folder)
            if lasting and not within:
                sync(folder)
        except OSError as error:
            if error.errno in FULL and error.filename is None:
                error.filename = str(folder)  # the disk that is full
            raise


def tidy(folder: Path) -> None:
    """Remove what killed writers left in a folder; nothing of those that still write.

    What was written on another machine stays: its locks may not be seen from here.
    """
    with suppress(OSError):
        for left in [entry for entry in os.scandir(folder) if is_aside(entry)]:
            if left.name.endswith(_host()):
                _remove_if_free(Path(left))


def _remove_if_free(aside: Path) -> None:
    with suppress(OSError):
        handle = os.open(aside / LOCK, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(aside, ignore_errors=True)
        finally:
            os.close(handle)


# Once in a process: looking through large folders again and again would take long.
_tidied = lru_cache(maxsize=1_000)(tidy)


def without_aside(path: str | bytes | Path) -> str:
    """A path as people know it, who need not hear of such folders."""
    parts = Path(os.fsdecode(path)).parts
    return str(Path(*(part for part in parts if not part.startswith(PREFIX))))


def is_aside(entry: os.DirEntry) -> bool:
    """Whether it is such a folder, of whatever writer."""
    return entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False)


def held(aside: Path) -> bool:
    """Whether somebody writes there."""
    return is_held(aside / LOCK)


@contextmanager
def _own(folder: Path) -> Iterator[Path]:
    """A new folder, later ones having greater names, locked by who writes in it; then removed."""
    while True:
        aside = folder / f"{PREFIX}{time.time_ns():020}-{secrets.token_hex(4)}{_host()}"
        try:
            aside.mkdir()
            with _locked(aside):
                if aside.exists():  # else somebody has tidied it in this moment
                    yield aside
                    return
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _locked(aside: Path) -> Iterator[None]:
    """Hold its lock: a file, since network disks do not lock what is opened for reading alone."""
    handle = os.open(aside / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        with suppress(OSError):  # no locks on this disk: there nobody tidies, either
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _host() -> str:
    """The end of the names of what is written on this machine."""
    return f"-{gethostname().replace('/', '-')[:64]}"


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Make a folder and those around it; what of it nobody uses afterwards is removed."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for place in new:
            with suppress(OSError):  # in use, or never made
                place.rmdir()


def _put(aside: Path, folder: Path) -> None:
    """Put what was written in place: all of it or, where one thing cannot be, nothing."""
    written = sorted(path for path in aside.iterdir() if path.name != LOCK)
    if len(written) < 2:
        for path in written:
            _replace(path, folder)
        return
    with in_turn(folder), ExitStack() as undo:
        for path in written:
            undo.callback(_way_back(folder / path.name, aside))
            _replace(path, folder)
        undo.pop_all()


def _replace(path: Path, folder: Path) -> None:
    target = folder / path.name
    if target.is_file() and path.is_file():
        path.chmod(target.stat().st_mode & 0o777)
    path.replace(target)


def _way_back(target: Path, aside: Path) -> Callable[[], object]:
    """What makes a target again what it is now."""
    if not target.exists():
        return partial(target.unlink, missing_ok=True)
    (kept := aside / ".before").mkdir(exist_ok=True)
    shutil.copy2(target, kept)
    return partial(os.replace, kept / target.name, target)


@contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """One process at a time puts several things in place in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # no locks on this disk
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sync_all(folder: Path) -> None:
    """Wait until a folder and all in it are on the disk."""
    for place, _, names in os.walk(folder, topdown=False):
        for path in [*(Path(place) / name for name in names), Path(place)]:
            sync(path)


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of files, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        if hasattr(fcntl, "F_FULLFSYNC"):  # macOS, whose fsync leaves it in the disk's own memory
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
        else:
            os.fsync(handle)
    except OSError as error:
        if not (path.is_dir() and error.errno in NO_SYNC):
            raise
    finally:
        os.close(handle)
