"""Being told to stop: by SIGTERM as by Ctrl-C, so that what is under way is tidied up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """Somebody has ended this process, or closed the terminal that it runs in."""


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and SIGHUP raise Terminated in the block, where this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in asked}
    for number in asked:
        if before[number] is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(*_: object) -> None:
    raise Terminated
