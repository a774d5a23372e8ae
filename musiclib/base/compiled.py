"""Loops compiled by numba, which runs them at the speed of C."""

from collections.abc import Callable
from functools import partial

from numba import njit


def compiled(function: Callable | None = None, **how: object) -> Callable:
    """Compiled once for all processes, or in each where no folder to keep it in can be written."""
    if function is None:
        return partial(compiled, **how)
    try:
        return njit(cache=True, nogil=True, **how)(function)
    except RuntimeError:
        return njit(nogil=True, **how)(function)
