"""Whether another process has the lock on a file."""

import fcntl
import os
from pathlib import Path

CONTENDED = (BlockingIOError, PermissionError)  # what flock says of a lock that another has


def is_held(path: Path) -> bool:
    """Whether a process has the lock.

    It is tried as readers share it: nobody who looks is taken for one who has it. On a disk without
    locks nobody has it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except CONTENDED:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False
