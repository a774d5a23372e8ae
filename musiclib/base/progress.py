"""Progress of long work: one line for people, in place; a line now and then for logs.

What takes less than a second shows nothing. After that people see how much is done, since when,
about how long the rest takes, and what is being waited for; it is drawn from aside, so that it
moves even while the work itself says nothing. A log gets a line at every tenth, five seconds
apart at least, and none for work under two seconds; one of what is waited for five seconds.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self

from musiclib.base.pace import Pace, done_so_far, so_far
from musiclib.base.screen import Screen, muted, people

PATIENCE = 1.0  # seconds until people are told
EVERY = 0.5  # seconds between two drawings
IN_LOGS = 2.0  # seconds until a log is told of what is counted
APART, LAST = 5.0, 1.0  # seconds between the lines of a log, and before its last one

clock = time.monotonic


class Task:
    """Something long that is under way; use it as a context manager. Tasks may lie in tasks.

    `note` is added for people, in brackets: what is waited for, say.
    """

    def __init__(self, label: str) -> None:
        self.label, self.note = label, ""
        self.started = self.told = clock()

    def line(self, now: float) -> str:
        """What is known of it now, in words."""
        raise NotImplementedError

    def share(self) -> float | None:
        """How much of it is done, 0 to 1, if that can be counted."""
        return None

    def last(self, now: float) -> str:
        """What a screen keeps at its end."""
        return self.line(now)

    def log_now_and_then(self, now: float) -> None:
        """Write a line of a log, if one is due."""

    def log(self, now: float) -> None:
        """Write a line of a log, where nobody watches a screen; of tasks in tasks nothing."""
        if watch.tasks[:1] == [self] and watch.screen is None and not muted():
            print(self.line(now), file=sys.stderr)
        self.told = now

    def __enter__(self) -> Self:
        watch.begin(self)
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watch.end(self)


class Progress(Task):
    """Counts up to `total`: call `to(n)` or `add()`; n may lie between whole numbers."""

    def __init__(self, total: int, label: str) -> None:
        super().__init__(label)
        self.total, self.done, self.tenth = total, 0.0, 0
        self.pace = Pace(total, self.started)

    def begin(self, done: float = 0.0) -> None:
        """Say that the work begins only now, with so much done: the time left counts from here."""
        self.done, self.pace = done, Pace(self.total, clock(), done)

    def to(self, done: float) -> None:
        """Say that `done` of the total are done."""
        now = clock()
        self.pace.to(done, now)
        self.done = done
        tenth = int(done * 10 // self.total) if self.total else 0
        apart = LAST if done >= self.total else APART
        if tenth > self.tenth and now - self.told >= apart and now - self.started >= IN_LOGS:
            self.tenth = tenth
            self.log(now)

    def add(self, count: int = 1) -> None:
        """Say that `count` more are done."""
        self.to(self.done + count)

    def line(self, now: float) -> str:
        """As "training: 3 of 10 after 12 s, about 28 s left"."""
        seconds, left = now - self.started, self.pace.left(now)
        return f"{self.label}: {done_so_far(self.done, self.total, seconds, left)}"

    def share(self) -> float | None:
        """How much is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else None


class Waiting(Task):
    """Something that cannot be counted; `logged` says whether logs are told."""

    def __init__(self, label: str, logged: bool = True) -> None:
        super().__init__(label)
        self.logged = logged

    def line(self, now: float) -> str:
        """As "compiling: 7 s so far"."""
        return f"{self.label}: {so_far(now - self.started)}"

    def last(self, now: float) -> str:
        """Nothing: it is over."""
        return ""

    def log_now_and_then(self, now: float) -> None:
        """One line, once it takes long."""
        if self.logged and self.told == self.started and now - self.started >= APART:
            self.log(now)


class Watch:
    """The tasks under way, the outermost first, and the screen that shows them in one line."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.screen: Screen | None = None
        self.shown = False
        self.lock, self.over = RLock(), Event()

    def begin(self, task: Task) -> None:
        """Watch a task; the first one brings the screen, and what draws on it."""
        with self.lock:
            self.tasks.append(task)
            if len(self.tasks) == 1:
                self.screen, self.shown, self.over = people(), False, Event()
                if not muted():
                    Thread(target=self._draw_until, args=(self.over,), daemon=True).start()

    def end(self, task: Task) -> None:
        """Watch a task no more; with the last one the screen is left."""
        with self.lock:
            self.tasks.remove(task)
            if not self.tasks:
                self.over.set()
                if self.shown and self.screen is not None:
                    self.screen.end(task.last(clock()))
                self.screen = None

    def draw(self, now: float) -> None:
        """Show what is under way, if it takes long enough to be worth it."""
        with self.lock:
            if not self.tasks or now - self.tasks[0].started < PATIENCE:
                return
            first = self.tasks[0]
            if self.screen is None:
                first.log_now_and_then(now)
                return
            inner = [task.line(now) for task in self.tasks[1:]][-1:]
            notes = ", ".join(filter(None, [task.note for task in self.tasks] + inner))
            self.screen.show(first.line(now) + f" ({notes})" * bool(notes), first.share())
            self.shown = True

    def _draw_until(self, over: Event) -> None:
        while not over.wait(EVERY):
            self.draw(clock())


watch = Watch()  # of this process


def say(line: str) -> None:
    """Write a line for people or a log; on a screen above the one that is drawn in place."""
    with watch.lock:
        if watch.screen is not None and watch.shown:
            watch.screen.end(line)
        elif not muted():
            print(line, file=sys.stderr)


@contextmanager
def waiting(label: str, *, logged: bool = True) -> Iterator[None]:
    """Say what is waited for, "compiling" say, where it takes long; or decorate a function."""
    with Waiting(label, logged):
        yield
