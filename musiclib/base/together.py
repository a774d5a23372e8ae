"""Jobs that need one another, each in a process of its own: where one fails, all of them end."""

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

from musiclib.base.cores import threads_each
from musiclib.base.parallel import DIED
from musiclib.base.progress import Progress, waiting
from musiclib.base.workers import be_worker, called, end, uninterrupted

LOOK = 0.5  # seconds between two looks
GRACE = 1.0  # seconds that the others have to say what went wrong, too


class Job:
    """A function that is called in a process of its own, and what came of it."""

    def __init__(self, function: Callable, arguments: tuple, threads: int) -> None:
        context = get_context("spawn")
        self.told, tell = context.Pipe(duplex=False)
        self.process = context.Process(target=_job, args=(tell, threads, function, arguments))
        with tell:
            self.process.start()

    @property
    def failed(self) -> bool:
        """Whether its process has ended before the job was done."""
        return bool(self.process.exitcode)

    def error(self) -> tuple[float, BaseException] | None:
        """When it failed, and by what; None where its process was killed."""
        try:
            return self.told.recv() if self.told.poll() else None
        except (EOFError, OSError):
            return None


def together(
    function: Callable,
    arguments: Sequence[tuple],
    label: str,
    *,
    total: int,
    done: Callable[[], float],
    note: Callable[[], str] = lambda: "",
) -> None:
    """Call `function(*a)` for each of `arguments` at the same time, and wait for all of them.

    The cores are shared among them. Progress counts what `done()` says of `total`; `note()` is
    shown beside it. Where one raises, the others are ended, and that is raised which was first;
    BrokenProcessPool where one is killed. Interrupted, or killed itself, this leaves none behind.
    """
    threads, jobs = threads_each(len(arguments)), []
    try:
        with Progress(total, label) as progress:
            with waiting(f"starting {len(arguments)} processes"), uninterrupted():
                jobs += [Job(function, each, threads) for each in arguments]
            progress.begin(done())
            while left := [job.process for job in jobs if job.process.exitcode is None]:
                wait([process.sentinel for process in left], LOOK)
                if any(job.failed for job in jobs):
                    raise _what_went_wrong(jobs, label)
                progress.note = note()
                progress.to(done())
    finally:
        end([job.process for job in jobs])
        for job in jobs:
            job.told.close()


def _what_went_wrong(jobs: Sequence[Job], label: str) -> BaseException:
    """What was raised first; who is killed says nothing, and others only that they miss it."""
    until = time.monotonic() + GRACE
    for job in jobs:
        job.process.join(max(0.0, until - time.monotonic()))
    if any((job.process.exitcode or 0) < 0 for job in jobs):
        return BrokenProcessPool(f"{label}: {DIED}")
    errors = [error for job in jobs if (error := job.error())]
    if not errors:
        return BrokenProcessPool(f"{label}: {DIED}")
    return min(errors, key=lambda error: error[0])[1]


def _job(tell: Connection, threads: int, function: Callable, arguments: tuple) -> None:
    """In a process of its own."""
    be_worker(threads)
    try:
        called(function, *arguments)
    except BaseException as error:
        _tell(tell, error)
        raise SystemExit(1) from None


def _tell(tell: Connection, error: BaseException) -> None:
    """Say what was raised, or its words where it cannot be said itself."""
    at = time.monotonic()
    error.add_note(traceback.format_exc())
    try:
        tell.send((at, error))
    except Exception:
        tell.send((at, RuntimeError(f"{type(error).__name__}: {error}")))
