"""Independent jobs side by side, each in a process of its own."""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import current_process, get_context, parent_process

from musiclib.base.progress import Progress

UNGUARDED = "put what your script does below `if __name__ == '__main__':`; workers import it anew"
DIED = f"a worker process was killed, out of memory, or could not begin ({UNGUARDED})"


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
) -> list:
    """Call `function(*a)` for each of `arguments`; the results in order.

    Progress counts finished jobs, or what `done()` says of `total`. The first exception is raised
    as soon as it comes up, and what has not begun then does not begin.
    """
    if not arguments:
        return []
    if getattr(current_process(), "_inheriting", False):  # a worker that imports its script anew
        sys.exit(f"{label}: {UNGUARDED}")
    workers = min(workers or cores(), len(arguments))
    threads = max(1, cores() // workers)
    with (
        ProcessPoolExecutor(workers, get_context("spawn"), _begin, (threads,)) as pool,
        Progress(total or len(arguments), label) as progress,
    ):
        jobs = [pool.submit(function, *a) for a in arguments]
        try:
            waiting = set(jobs)
            while waiting:
                ended, waiting = wait(waiting, timeout=0.5, return_when=FIRST_EXCEPTION)
                for job in ended:
                    job.result()
                progress.to(done() if done else len(jobs) - len(waiting))
        except BrokenProcessPool as error:
            raise BrokenProcessPool(f"{label}: {DIED}") from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [job.result() for job in jobs]


def _begin(threads: int) -> None:
    """Share the cores among the workers, and do not outlive the process that started them."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # the same sums on a GPU each time
    if "torch" in sys.modules:  # the variables come too late for it
        sys.modules["torch"].set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot stop its workers, and a worker at its queue would wait for ever."""
    parent_process().join()
    os._exit(1)
