"""Memory that a process has freed, kept for its next use."""

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # glibc's names of its settings, in malloc.h
SPARE = 256 << 20


def keep_freed_memory() -> None:
    """Tell glibc, where it is, to keep what tensors gave back.

    Training frees and takes tensors of 100 MB all the time. Left alone, glibc hands each back to
    the system, which clears every page anew.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for setting, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, -1), (TOP_PAD, SPARE)):
        if mallopt is not None:
            mallopt(setting, value)
