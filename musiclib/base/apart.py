"""Calls each in a process of its own: one that is killed costs its own call, and no other."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from musiclib.base.parallel import begin_worker, cores


class Apart(Executor):
    """Begins a process for each call that is submitted; whoever submits minds how many there are.

    `workers` share the cores. A call whose process is lost raises BrokenProcessPool. Left, it ends
    the processes that still run.
    """

    def __init__(self, workers: int) -> None:
        self.threads = max(1, cores() // workers)
        self.children: set[multiprocessing.Process] = set()

    def submit(self, function: Callable, /, *args: Any) -> Future:
        """Call a function of a module, which is pickled by its name."""
        before = set(multiprocessing.active_children())
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, spawn, begin_worker, (self.threads, ()))
        with _uninterrupted():
            future = pool.submit(function, *args)
        now = set(multiprocessing.active_children())
        self.children = (self.children & now) | (now - before)
        pool.shutdown(wait=False)  # after this call
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: those that still run are killed."""
        for child in self.children:
            child.kill()
        for child in self.children if wait else ():
            child.join()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that begin here ignore Ctrl-C, which whoever waits for them hears, too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
