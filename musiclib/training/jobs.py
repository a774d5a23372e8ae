"""Runs as independent jobs, a piece each: one that fails or is lost does not disturb the others."""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from typing import NamedTuple

from musiclib.base.errors import InputError
from musiclib.base.progress import Progress
from musiclib.training.folder import fail, saved
from musiclib.training.pieces import Music, Outcome, train_piece
from musiclib.training.runs import Run

TRIES = 3  # of a run whose process is lost, in a row, without getting any further
LOOK = 0.5  # seconds between two looks at how far runs are
GONE = "the scheduler has ended or cannot be reached: start it, and the same command goes on"


class Task(NamedTuple):
    """A run to train, as people call it, and its iterations where they are known."""

    name: str
    run: Run
    total: int


class Jobs:
    """Trains runs in order, `workers` at a time, in pieces of so many seconds.

    A run goes on at once when its piece ends. No piece begins, and none lasts, beyond `stop_after`
    seconds from now. `say` is told what becomes of each run. Raises InputError where the executor
    gives up, as Dask's does without a scheduler.
    """

    def __init__(
        self,
        music: Music,
        executor: Executor,
        workers: int,
        piece: float,
        stop_after: float = math.inf,
        say: Callable[[str], None] = print,
    ) -> None:
        self.music, self.executor, self.workers = music, executor, workers
        self.piece, self.until, self.say = piece, time.monotonic() + stop_after, say
        self.todo: deque[Task] = deque()
        self.active: dict[Future, Task] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.lost: Counter[str] = Counter()
        self.reached: dict[str, int] = {}  # iterations when a run's process was lost

    def train(self, tasks: Sequence[Task]) -> dict[str, Outcome]:
        """Train the runs; how the last piece of each ended, by name, of those that began."""
        self.todo.extend(tasks)

        def done() -> int:
            return sum(task.run.progress() for task in tasks)

        with Progress(sum(task.total for task in tasks), "training") as progress:
            progress.begin(done())
            while self._fill():
                ended, _ = wait(self.active, LOOK, FIRST_COMPLETED)
                for future in ended:
                    self._settle(self.active.pop(future), future)
                progress.note = ", ".join(task.name for task in self.active.values())
                progress.to(done())
        return self.outcomes

    def _fill(self) -> bool:
        """Begin as many pieces as may be under way; whether any is."""
        while self.todo and len(self.active) < self.workers and self._left() > 0:
            task = self.todo.popleft()
            seconds = min(self.piece, self._left())
            self.active[self.executor.submit(train_piece, task.run, self.music, seconds)] = task
        return bool(self.active)

    def _left(self) -> float:
        return self.until - time.monotonic()

    def _settle(self, task: Task, future: Future) -> None:
        """Note how a piece ended; its run goes on first of all where it is not over."""
        outcome = self._outcome(task, future)
        self.outcomes[task.name] = outcome
        if outcome.ending == "part":
            self.todo.appendleft(task)
            return
        if outcome.ending == "failed":
            fail(task.run, outcome.why)
        told = {"elsewhere": "left to the process that trains it"}.get(
            outcome.ending, outcome.ending
        )
        reason = outcome.why.partition("\n")[0]
        self.say(f"{task.name}: {told}" + f": {reason}" * bool(reason))

    def _outcome(self, task: Task, future: Future) -> Outcome:
        """What the piece says; of one whose process is lost, that its run goes on or has failed."""
        try:
            outcome = future.result()
        except CancelledError:  # by nobody here
            raise InputError(GONE) from None
        except Exception as error:
            return self._again(task, error)
        self.lost[task.name] = 0
        return outcome

    def _again(self, task: Task, error: Exception) -> Outcome:
        iteration = saved(task.run).iteration
        if iteration > self.reached.get(task.name, 0):
            self.lost[task.name] = 0
        self.reached[task.name] = iteration
        self.lost[task.name] += 1
        how = f"its process was killed, or out of memory ({type(error).__name__})"
        if self.lost[task.name] < TRIES:
            self.say(f"{task.name}: {how}; it goes on after iteration {iteration}")
            return Outcome("part")
        return Outcome("failed", f"{how}, {TRIES} times in a row after iteration {iteration}")
