"""What a process is that works for another: quiet, gone with it, tidy when told to end."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

from musiclib.base.cores import compute_with
from musiclib.base.screen import mute
from musiclib.base.stopping import EVERY, handled

UNHEARD = tuple(getattr(signal, n) for n in ("SIGINT", "SIGHUP") if hasattr(signal, n))
GRACE = 3.0  # seconds to tidy up in
TOLD = 128 + signal.SIGTERM  # the status of a worker that was told to end

_working = False


class Ended(BaseException):
    """This worker is told to end: it unwinds what it does."""


def be_worker(threads: int) -> None:
    """Compute with so many threads, end with the parent, and leave Ctrl-C to it."""
    mute()
    compute_with(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # the same sums on a GPU each time
    if "torch" in sys.modules:  # the variables come too late for it
        sys.modules["torch"].set_num_threads(threads)
    if threading.current_thread() is threading.main_thread():
        for number in UNHEARD:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, set(UNHEARD))
        signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def called(function: Callable, *arguments: Any) -> Any:
    """What a function returns in a worker; told to end, it unwinds, and then the process ends."""
    global _working
    try:
        _working = True
        return function(*arguments)
    except Ended:
        os._exit(TOLD)
    finally:
        _working = False


def end(workers: Collection[BaseProcess]) -> None:
    """Tell workers to end; those that do not in time are killed."""
    until = time.monotonic() + GRACE
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        if worker.exitcode is None:
            worker.kill()
            worker.join()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Processes that begin here do not hear Ctrl-C, which whoever waits for them hears, too.

    That one is interrupted by it, or told to end, after the block: no process is lost sight of.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, set(UNHEARD))  # which processes inherit
    try:
        with handled(EVERY, lambda number, _frame: heard.append(number)):
            resource_tracker.ensure_running()
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number in heard[:1]:
            signal.raise_signal(number)


def _end(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    if not _working:
        os._exit(TOLD)
    raise Ended


def _end_with_parent() -> None:
    """A killed parent cannot stop its workers, and a worker at its queue would wait for ever."""
    parent_process().join()
    os._exit(1)
