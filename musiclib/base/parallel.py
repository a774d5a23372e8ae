"""Independent jobs side by side, each in a process of its own."""

import sys
from collections.abc import Callable, MutableSequence, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, current_process, get_context
from typing import Any

from musiclib.base.cores import cores, threads_each
from musiclib.base.progress import Progress, waiting
from musiclib.base.workers import be_worker, called, end, uninterrupted

UNGUARDED = "put what your script does below `if __name__ == '__main__':`; workers import it anew"
DIED = f"a worker process was killed, out of memory, or could not begin ({UNGUARDED})"


def side_by_side(
    function: Callable,
    arguments: Sequence[tuple],
    label: str,
    *,
    workers: int | None = None,
    total: int | None = None,
    done: Callable[[], float] | None = None,
    note: Callable[[], str] = lambda: "",
) -> list:
    """Call `function(*a)` for each of `arguments`; the results in order.

    Progress counts jobs, and what jobs say of themselves by `part_done`; or what `done()` says of
    `total`. `note()` is shown beside it. The first exception is raised as soon as it comes up, and
    what has not begun then does not begin. Interrupted, this ends the workers, who tidy up.
    """
    if not arguments:
        return []
    if getattr(current_process(), "_inheriting", False):  # a worker that imports its script anew
        sys.exit(f"{label}: {UNGUARDED}")
    workers, context = min(workers or cores(), len(arguments)), get_context("spawn")
    shares = context.Array("d", [NOT_BEGUN] * len(arguments), lock=False)
    begin, others = (threads_each(workers), shares), set(active_children())
    with (
        Progress(total or len(arguments), label) as progress,
        ProcessPoolExecutor(workers, context, begin_worker, begin) as pool,
    ):
        try:
            with uninterrupted():
                jobs = [pool.submit(_job, i, function, *a) for i, a in enumerate(arguments)]
            with waiting(f"starting {workers} worker{'s' * (workers > 1)}"):
                left = _until(jobs, lambda: max(shares) > NOT_BEGUN)
            progress.begin(done() if done else 0.0)
            while left:
                left = _look(left)
                progress.note = note()
                progress.to(done() if done else sum(share for share in shares if share > 0))
            progress.note = "ending the workers"
        except BrokenProcessPool as error:
            raise BrokenProcessPool(f"{label}: {DIED}") from error
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            if not isinstance(error, Exception):  # nobody waits any more for what is under way
                end(set(active_children()) - others)
            raise
    return [job.result() for job in jobs]


def _until(jobs: Sequence[Future], begun: Callable[[], bool]) -> set[Future]:
    """Jobs that have not ended when the first one has begun."""
    left = _look(set(jobs), 0.0)
    while left and not begun():
        left = _look(left, 0.1)
    return left


def _look(jobs: set[Future], seconds: float = 0.5) -> set[Future]:
    """The jobs that have not ended after so long; raises what one of them raised."""
    ended, left = wait(jobs, timeout=seconds, return_when=FIRST_EXCEPTION)
    for job in ended:
        job.result()
    return left


NOT_BEGUN = -1.0
_shares: MutableSequence[float] = []  # of each job how much is done; in a worker, not here
_mine = 0


def part_done(share: float) -> None:
    """Tell who waits that so much of this job is done, 0 to 1; outside a worker nobody hears."""
    if len(_shares):
        _shares[_mine] = min(share, 1.0)


def _job(index: int, function: Callable, *arguments: Any) -> Any:
    """A job in a worker, which by now has imported what the job needs."""
    global _mine
    _mine = index
    part_done(0.0)
    result = called(function, *arguments)
    part_done(1.0)
    return result


def begin_worker(threads: int, shares: MutableSequence[float]) -> None:
    """Make this process a worker of so many threads, that tells its part in `shares`."""
    global _shares
    _shares = shares
    be_worker(threads)
