"""Independent jobs side by side, each in a process of its own."""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import get_context, parent_process
from typing import Any

from musiclib.progress import Progress


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(
    function: Callable,
    arguments: Sequence[tuple],
    label: str,
    *,
    workers: int | None = None,
    total: int | None = None,
    done: Callable[[], int] | None = None,
) -> list[Future]:
    """Call `function(*a)` for each of `arguments`; the finished futures, in order.

    Progress counts finished jobs, or what `done()` says of `total`.
    """
    if not arguments:
        return []
    workers = min(workers or cores(), len(arguments))
    threads = max(1, cores() // workers)
    with (
        ProcessPoolExecutor(workers, get_context("spawn"), _limit_threads, (threads,)) as pool,
        Progress(total or len(arguments), label) as progress,
    ):
        jobs = [pool.submit(function, *a) for a in arguments]
        waiting = set(jobs)
        while waiting:
            _, waiting = wait(jobs, timeout=0.5)
            progress.to(done() if done else len(jobs) - len(waiting))
    return jobs


def _limit_threads(threads: int) -> None:
    """Share the cores among the workers: threads that compete cost far more than they bring."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    if "torch" in sys.modules:  # the variables come too late for it
        sys.modules["torch"].set_num_threads(threads)


def orphaned() -> bool:
    """Whether the process that started this worker is gone."""
    parent: Any = parent_process()
    return parent is not None and not parent.is_alive()
