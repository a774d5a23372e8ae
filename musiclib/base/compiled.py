"""Loops compiled by numba, which runs them at the speed of C."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from numba import njit
from numba.core import event

from musiclib.base.progress import waiting


def compiled(function: Callable | None = None, **how: object) -> Callable:
    """Compiled once for all processes, or in each where no folder to keep it in can be written."""
    if function is None:
        return partial(compiled, **how)
    try:
        return njit(cache=True, nogil=True, **how)(function)
    except RuntimeError:
        return njit(nogil=True, **how)(function)


class _Compiling(event.Listener):
    """Says that people wait for the compiler, wherever a loop is met for the first time."""

    def __init__(self) -> None:
        self.under_way: list[AbstractContextManager] = []

    def on_start(self, event: event.Event) -> None:
        self.under_way.append(waiting("compiling"))
        self.under_way[-1].__enter__()

    def on_end(self, event: event.Event) -> None:
        self.under_way.pop().__exit__(None, None, None)


event.register("numba:compile", _Compiling())
