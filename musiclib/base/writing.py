"""Writing files and folders: what was there, or what is new, and never neither."""

import ctypes
import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from musiclib.base.aside import FULL, beside, held, in_turn, is_aside, sync, sync_all
from musiclib.base.errors import InputError

BEFORE = ".before-"
CURRENT, EXCHANGE = -100, 2  # of the system: paths are relative to this folder; swap two
TRIED = 1 << 24  # bytes that are written to see whether there is room, at most
THERE = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


@contextmanager
def replacing(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Yield a path to write a file to, of the same name; it takes the place of `path` afterwards.

    A link is written through. Raises InputError where `path` is a folder.
    """
    with replacing_all(path, lasting=lasting) as [temporary]:
        yield temporary


@contextmanager
def replacing_all(*paths: Path, lasting: bool = True) -> Iterator[list[Path]]:
    """Yield a path for each file that belongs together: see `replacing`.

    In one folder they take their places in one go. What is written beside them in theirs does, too.
    """
    places = [_through_link(Path(path)).absolute() for path in paths]
    with ExitStack() as stack:
        asides = {
            folder: stack.enter_context(beside(folder, lasting=lasting))
            for folder in dict.fromkeys(place.parent for place in places)
        }
        yield [asides[place.parent] / place.name for place in places]


def _through_link(path: Path) -> Path:
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file")
    return path


@contextmanager
def new_folder(folder: Path, *, partial: bool = False) -> Iterator[Path]:
    """Yield a folder to fill, which becomes the new `folder`.

    Raises InputError where that exists, or another process is writing it. `partial` keeps what was
    written before the disk was full, and raises InputError that says so.
    """
    folder, full = Path(folder), None
    must_be_new(folder)
    try:
        with beside(folder.parent, lasting=False) as aside:
            (place := aside / folder.name).mkdir()
            _must_be_first(place, folder)
            try:
                yield place
                sync_all(place)  # some disks say only then that they are full
            except OSError as error:
                written = sum(path.is_file() for path in place.rglob("*"))
                if not (partial and written and error.errno in FULL):
                    raise
                full = error
        sync(folder.parent)
    except OSError as error:
        if error.errno in THERE and folder.exists():
            raise _there(folder) from error
        raise
    if full:
        raise InputError(
            f"no space left on the disk: {folder} has what was finished, {written} whole files;"
            " free some, and do the rest into another folder"
        ) from full


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill, which takes the place of `folder`: that stays whole until then."""
    with beside(folder.parent, lasting=False) as aside:
        with in_turn(folder.parent):
            _restore(folder)
        (place := aside / folder.name).mkdir()
        yield place
        sync_all(place)
        with in_turn(folder.parent):
            if not folder.exists():
                place.rename(folder)
            elif not _exchanged(place, folder):
                _rename_both(place, folder)
        sync(folder.parent)
        shutil.rmtree(place, ignore_errors=True)  # what was there before


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders at once; False where the system or the disk cannot."""
    system = ctypes.CDLL(None)
    paths = os.fsencode(one), os.fsencode(other)
    if hasattr(system, "renameat2"):  # Linux
        return system.renameat2(CURRENT, paths[0], CURRENT, paths[1], EXCHANGE) == 0
    return hasattr(system, "renamex_np") and system.renamex_np(*paths, EXCHANGE) == 0  # macOS


def _rename_both(place: Path, folder: Path) -> None:
    """The same one after the other; killed in between, a writer leaves the old for `_restore`."""
    before = folder.with_name(f"{BEFORE}{folder.name}")
    folder.rename(before)
    try:
        place.rename(folder)
    finally:
        if not folder.exists():
            before.rename(folder)
    before.rename(place)


def _restore(folder: Path) -> None:
    """Bring back a folder that a killed writer had put out of the way."""
    before = folder.with_name(f"{BEFORE}{folder.name}")
    if before.exists() and not folder.exists():
        before.rename(folder)
    shutil.rmtree(before, ignore_errors=True)


def _must_be_first(place: Path, folder: Path) -> None:
    """Raise InputError where a process that began before this one is writing the same folder."""
    for other in os.scandir(folder.parent):
        earlier = is_aside(other) and other.name < place.parent.name
        if earlier and (Path(other) / folder.name).is_dir() and held(Path(other)):
            raise InputError(f"{folder}: another command is writing it; name a new folder")


def must_be_new(folder: Path) -> None:
    """Raise InputError where a folder to write exists already."""
    if os.path.lexists(folder):
        raise _there(folder)


def _there(folder: Path) -> InputError:
    return InputError(f"{folder} exists already: name a new folder")


def must_be_writable(path: Path, size: int = 4096) -> None:
    """Raise InputError where no file can be made at a path, before any work is done for it.

    It is tried: permissions alone do not tell of read-only disks, nor of what root may do. Raises
    OSError where there is no room for `size` bytes.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file")
    try:
        there = next(folder for folder in path.absolute().parents if folder.exists())
        if not there.is_dir():
            why = f"cannot be written ({there} is no folder)"
            raise InputError(f"{path}: {why}; name another place")
        with beside(there) as aside:
            if shutil.disk_usage(aside).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            room = aside / "room"
            room.write_bytes(bytes(min(size, TRIED)))
            room.unlink()
    except OSError as error:
        if error.errno in FULL:
            raise
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be written ({reason}); name another place") from None


def write_bytes(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Write `content` to `path` in one piece.

    Libraries that write files themselves hide a full disk behind errors of their own; this does
    not: it raises OSError.
    """
    with replacing(path, lasting=lasting) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in one piece.

    Names of files that are not UTF-8 are written as the bytes that they are.
    """
    write_bytes(path, text.encode("utf-8", "surrogateescape"))  # as Python decodes names of files


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON; NaN and infinity are refused."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode("utf-8", "backslashreplace"))  # an escape of JSON, too
