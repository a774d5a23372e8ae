"""Paths of users, what loading a damaged file raises, and digests of content."""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

from musiclib.base.errors import InputError

# What comes of loading arrays from a damaged file, or from one of another kind.
DAMAGED = (
    *(OSError, EOFError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError),
    *(RuntimeError, BadZipFile, zlib.error, struct.error, TokenError),
)
ROOT = Path(os.environ.get("MUSICLIB_ROOT", Path(__file__).resolve().parents[2]))


def expanded(path: Path | str) -> Path:
    """The path with ~ and ~user in place; raises InputError where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{path}: no such user here; give the whole path") from None


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
