"""How many cores there are, and how many threads a process computes with."""

import os
import re

COUNT = re.compile(r"[1-9]\d{0,3}")  # threads; what is more than that is a slip
THREADS = "OMP_NUM_THREADS"  # torch's own setting, too
OTHERS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_each(processes: int) -> int:
    """Threads of each of so many processes: OMP_NUM_THREADS, else their share of the cores.

    What is no whole number from 1 up does not count.
    """
    return _asked(THREADS) or max(1, cores() // processes)


def compute_with(threads: int) -> None:
    """Tell the libraries that this process will load; a number of their own that is set stays."""
    os.environ[THREADS] = str(threads)
    for name in OTHERS:
        os.environ[name] = str(_asked(name) or threads)


def _asked(name: str) -> int:
    """The threads that the environment asks for; 0 where it does not."""
    found = COUNT.fullmatch(os.environ.get(name, "").strip())
    return int(found[0]) if found else 0
