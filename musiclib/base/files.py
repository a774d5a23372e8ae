"""Writing files so that a failure never harms what was there."""

import hashlib
import json
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

from musiclib.base.errors import InputError

# What comes of loading arrays from a damaged file, or from one of another kind.
DAMAGED = (
    *(OSError, EOFError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError),
    *(RuntimeError, BadZipFile, zlib.error, struct.error, TokenError),
)
ROOT = Path(os.environ.get("MUSICLIB_ROOT", Path(__file__).resolve().parents[2]))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` if the block succeeds.

    The temporary file keeps the suffix of `path`, since writers choose the format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside a new one; rename it if the block succeeds."""
    must_be_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".writing-{folder.name}-"))
    try:
        yield aside
        aside.chmod(0o755)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `folder`; it takes its place if the block succeeds.

    What was there before stays whole until then, and for good if the block fails.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    around = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".writing-{folder.name}-"))
    new, old = around / "new", around / "old"
    new.mkdir()
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(around, ignore_errors=True)


def expanded(path: Path | str) -> Path:
    """The path with ~ and ~user in place; raises InputError where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{path}: no such user here; give the whole path") from None


def must_be_new(folder: Path) -> None:
    """Raise InputError where a folder to write exists already."""
    if folder.exists():
        raise InputError(f"{folder} exists already: name a new folder")


def must_be_writable(path: Path) -> None:
    """Raise InputError where nothing can be made at a path, before any work is done for it.

    It is tried: permissions alone do not tell of read-only disks, nor of what root may do.
    """
    try:
        there = next(folder for folder in path.absolute().parents if folder.exists())
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be written ({reason}); name another place") from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one piece.

    Libraries that write files themselves hide a full disk behind errors of their own; this does
    not: it raises OSError.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in one piece.

    Names of files that are not UTF-8 are written as the bytes that they are.
    """
    write_bytes(path, _bytes(text))


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON; NaN and infinity are refused."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode("utf-8", "backslashreplace"))  # an escape of JSON, too


def digest(*parts: bytes | str) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the parts, each preceded by its length."""
    return digest_of(parts)


def digest_of(parts: Iterable[bytes | str]) -> str:
    """The digest of parts that come one after another."""
    total = hashlib.sha256()
    for part in parts:
        data = _bytes(part) if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()[:16]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # as Python decodes the names of files
