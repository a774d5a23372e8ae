"""How fast long work goes, and the words for it: what is done, since when, how long the rest takes.

What is written here for logs is what `PROGRESS` knows again, to take it out of executed notebooks.
"""

import re
from collections import deque

SPACING = 0.5  # seconds between what is remembered
MINUTE, HOUR = 60, 3600

_TIME = r"\d+ (?:s|min|h \d+ min)"
PROGRESS = re.compile(
    rf".+: (?:\d+ of \d+ after {_TIME}(?:, about {_TIME} left)?|{_TIME} so far)\n?"
)


class Pace:
    """What was done when, of `total`; the rate is that of the later half of the time so far.

    So work that begins with what a cache has, or goes on from an earlier try, is not taken to go on
    as fast as it began.
    """

    def __init__(self, total: float, now: float, done: float = 0.0) -> None:
        self.total, self.began = total, now
        self.marks = deque([(now, done)])  # the first is the last one of the earlier half

    def to(self, done: float, now: float) -> None:
        """Remember that so much is done now."""
        if done == self.marks[-1][1]:
            return
        if len(self.marks) > 1 and now - self.marks[-2][0] < SPACING:
            self.marks.pop()
        self.marks.append((now, done))
        half = self.began + (now - self.began) / 2
        while len(self.marks) > 2 and self.marks[1][0] <= half:
            self.marks.popleft()

    def left(self, now: float) -> float | None:
        """About how many seconds the rest takes; None as long as nothing is known."""
        (before, old), (last, done) = self.marks[0], self.marks[-1]
        if done <= old or last <= before:
            return None
        return max(0.0, (self.total - done) * (last - before) / (done - old) - (now - last))


def done_so_far(done: float, total: float, seconds: float, left: float | None) -> str:
    """As "3 of 10 after 12 s, about 28 s left"; nothing is left of what is all done."""
    text = f"{int(done)} of {int(total)} after {in_words(seconds)}"
    return text if left is None or done >= total else f"{text}, about {in_words(left)} left"


def so_far(seconds: float) -> str:
    """How long something takes that cannot be counted."""
    return f"{in_words(seconds)} so far"


def in_words(seconds: float) -> str:
    """A time as "12 s", "12 min" or "2 h 10 min"."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    minutes = round(seconds / MINUTE)
    return f"{minutes // 60} h {minutes % 60} min"
