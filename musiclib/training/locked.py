"""One process at a time trains in a run's folder: it has the lock on a file there."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from musiclib.base.locks import CONTENDED
from musiclib.training.resuming import tell

LOOKED_AT = 0.2  # seconds, at most, that somebody has it who only looks


@contextmanager
def alone_in(folder: Path, name: str) -> Iterator[bool]:
    """Wait, and say so, until no other process trains in a folder: whether there are locks."""
    handle = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o644)
    try:
        yield _locked(handle, folder)
    finally:
        os.close(handle)


def _locked(handle: int, folder: Path) -> bool:
    try:
        if not _had(handle):
            print(f"another process trains {folder}: waiting for it", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        reason = error.strerror or error
        tell(folder, f"no locks on this disk ({reason}): let no other process train it meanwhile")
        return False
    return True


def _had(handle: int) -> bool:
    until = time.monotonic() + LOOKED_AT
    while True:
        with suppress(*CONTENDED):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > until:
            return False
        time.sleep(LOOKED_AT / 20)
