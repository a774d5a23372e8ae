"""Progress of long work: a bar for people, a line every tenth for logs."""

import os
import sys
import time

from tqdm import tqdm


class Progress:
    """Counts up to `total`. Use as a context manager and call `to(n)` or `add()`.

    A terminal and an interactive Jupyter session get a bar after a second. Anything else (a pipe,
    papermill, which sets MUSICLIB_LOG) gets a line at every tenth, and none for work under two
    seconds.
    """

    def __init__(self, total: int, label: str) -> None:
        self.total, self.label, self.done, self.tenth = total, label, 0, 0
        self.started = time.monotonic()
        self.bar = (
            tqdm(total=total, desc=label, mininterval=0.5, delay=1) if _for_people() else None
        )

    def to(self, done: int) -> None:
        """Say that `done` of the total are done."""
        if self.bar is not None:
            self.bar.update(done - self.done)
        elif self.total and done * 10 // self.total > self.tenth:
            self.tenth = done * 10 // self.total
            self._line(done)
        self.done = done

    def add(self, count: int = 1) -> None:
        """Say that `count` more are done."""
        self.to(self.done + count)

    def _line(self, done: int) -> None:
        seconds = time.monotonic() - self.started
        if seconds > 2:
            print(f"{self.label}: {done} of {self.total} after {seconds:.0f} s", file=sys.stderr)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.bar is not None:
            self.bar.close()


def _for_people() -> bool:
    if os.environ.get("MUSICLIB_LOG"):
        return False
    return sys.stderr.isatty() or "ipykernel" in sys.modules
