"""Being told to stop: by SIGTERM as by Ctrl-C, so that what is under way is tidied up."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NAMES = ("SIGTERM", "SIGHUP")  # the latter comes of a terminal that is closed
EVERY = ("SIGINT", *NAMES)
SOON = 0.05  # seconds, in which such code ends
STOPPED = "musiclib: stopped; {}"


class Terminated(KeyboardInterrupt):
    """Somebody has ended this process, or closed the terminal that it runs in."""


@contextmanager
def stoppable() -> Iterator[None]:
    """In the block such signals raise Terminated, and Ctrl-C KeyboardInterrupt.

    Where that comes to nothing, as in code that tidies up an object, it is raised once more.
    """
    before = sys.unraisablehook

    def again(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            number = signal.SIGTERM if issubclass(lost.exc_type, Terminated) else signal.SIGINT
            threading.Timer(SOON, os.kill, (os.getpid(), number)).start()
        else:
            before(lost)

    sys.unraisablehook = again
    try:
        with handled(NAMES, _stop):
            yield
    finally:
        sys.unraisablehook = before


def deaf() -> None:
    """From now on such signals and Ctrl-C come to nothing: all is done, and the process ends.

    Where processes that it began still run, which it waits for, they end it at once.
    """
    started = sys.modules.get("multiprocessing")
    waits = bool(started and started.active_children())
    for name in EVERY:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _end if waits else signal.SIG_IGN)


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


@contextmanager
def stopping_at_once(remark: str) -> Iterator[None]:
    """In the block, which has nothing to tidy up, such signals and Ctrl-C end the process.

    An exception may come to nothing where Python imports modules. `remark` goes with what is said.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        print(STOPPED.format(remark), file=sys.stderr, flush=True)
        os._exit(128 + number)

    with handled(EVERY, end):
        yield


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


@contextmanager
def handled(names: tuple[str, ...], handler: Callable) -> Iterator[None]:
    """Signals have this handler in the block, where they have one: not those that nohup ignores."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in asked}
    heard = [number for number in asked if before[number] not in (signal.SIG_IGN, None)]
    for number in heard:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
