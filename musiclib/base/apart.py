"""Calls each in a process of its own: one that is killed costs its own call, and no other."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from musiclib.base.cores import threads_each
from musiclib.base.workers import be_worker, called, end, uninterrupted


class Apart(Executor):
    """Begins a process for each call that is submitted; whoever submits minds how many there are.

    `workers` share the cores. A call whose process is lost raises BrokenProcessPool. Left, it ends
    the processes that still run.
    """

    def __init__(self, workers: int) -> None:
        self.threads = threads_each(workers)
        self.children: set[multiprocessing.Process] = set()

    def submit(self, function: Callable, /, *args: Any) -> Future:
        """Call a function of a module, which is pickled by its name."""
        before = set(multiprocessing.active_children())
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, spawn, be_worker, (self.threads,))
        with uninterrupted():
            future = pool.submit(called, function, *args)
            now = set(multiprocessing.active_children())
            self.children = (self.children & now) | (now - before)
        pool.shutdown(wait=False)  # after this call
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes that still run."""
        end(self.children)
