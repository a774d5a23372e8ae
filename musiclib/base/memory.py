"""Memory: how much is free, and what a process has freed kept for its next use."""

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # glibc's names of its settings, in malloc.h
SPARE = 256 << 20
UNLIMITED = 1 << 60  # bytes: what control groups of the first version say where there is no limit


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


def free_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that this process may still take: the machine's, its container's or its own limit's.

    The smallest of them. What cannot be found out does not limit.
    """
    return max(0, min(_of_machine(proc), _of_address_space(proc), *_of_groups(proc, groups)))


def size(count: int) -> str:
    """Bytes in words, as "3.1 GB"."""
    for unit, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}" if count < 1e21 else "more than any machine has"
    return f"{count} bytes"


def _of_machine(proc: Path) -> int:
    """Free memory and what the system can take back."""
    found = _table(proc / "meminfo")
    if "MemAvailable:" in found:
        return found["MemAvailable:"] * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return UNLIMITED


def _of_address_space(proc: Path) -> int:
    """What `ulimit -v` leaves."""
    try:
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = int((proc / "self" / "statm").read_text().split()[0])
    except (ImportError, OSError, ValueError, IndexError):
        return UNLIMITED
    return UNLIMITED if most < 0 else most - pages * os.sysconf("SC_PAGE_SIZE")


def _of_groups(proc: Path, groups: Path) -> Iterator[int]:
    """What the control groups that this process is in leave, of either version."""
    yield UNLIMITED
    for line in _text(proc / "self" / "cgroup").splitlines():
        _, kinds, path = (*line.split(":", 2), "", "")[:3]
        if kinds == "":
            yield from _left(groups, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(groups / "memory", path, *names)


def _left(top: Path, path: str, most: str, used: str, spare: str) -> Iterator[int]:
    """What each group from a process's own up to the top leaves, a container's own at the top."""
    own = top / path.lstrip("/")
    for group in (own, *own.parents):
        if group != top and top not in group.parents:
            return
        limit, taken = _text(group / most).strip(), _text(group / used).strip()
        if limit.isdigit() and taken.isdigit():
            yield int(limit) - int(taken) + _table(group / "memory.stat").get(spare, 0)


def _table(path: Path) -> dict[str, int]:
    """Numbers by name, a line each."""
    rows = (line.split() for line in _text(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""
