"""How long the networks of a profile would train on a corpus here: measured, not known.

A few iterations of each network are timed on the corpus. What training does besides, above all
held-out losses now and then, is not counted: the answers are good to the first figure.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple

import torch

from musiclib.base.cores import threads_each
from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.memory import keep_freed_memory
from musiclib.base.progress import waiting
from musiclib.base.seeds import seed_of
from musiclib.corpus.batches import Batches
from musiclib.corpus.levels import MAIN
from musiclib.corpus.sets import Corpus
from musiclib.models import MODELS, batches_of, build
from musiclib.paper.profiles import Profile
from musiclib.training.budget import iterations_of
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, iterate
from musiclib.training.state import State
from musiclib.training.train import workers

SECONDS, MOST = 2.0, 30  # of iterations that are timed, a network
RUNS = 2 * 3  # side by side: with and without curriculum, three seeds
TOO_SLOW = 15.0  # seconds of a first iteration after which there is no second one
MINUTE, HOUR, DAY = 60, 3600, 86400
ROUNDED = (  # below so many seconds: in which unit, to which multiple of it
    (9.5 * MINUTE, "minute", MINUTE, 1),
    (57 * MINUTE, "minute", MINUTE, 5),
    (4.5 * HOUR, "hour", HOUR, 0.5),
    (47 * HOUR, "hour", HOUR, 1),
    (float("inf"), "day", DAY, 1),
)

Measure = Callable[[Any, Batches], float]


class Expected(NamedTuple):
    """What training a network once is expected to take, or why it cannot be trained.

    `seconds` are those of an iteration; `with_levels` counts the iterations with curriculum.
    """

    model: str
    seconds: float = 0.0
    iterations: int = 0
    with_levels: int = 0
    why_not: str = ""

    def told(self) -> dict[str, Any]:
        """The same as JSON tells it, without and with curriculum."""
        if self.why_not:
            return {"why_not": self.why_not}
        plain, levels = self.seconds * self.iterations, self.seconds * self.with_levels
        return {
            "seconds_per_iteration": self.seconds,
            "iterations": self.iterations,
            "iterations_with_curriculum": self.with_levels,
            "minutes": plain / MINUTE,
            "minutes_with_curriculum": levels / MINUTE,
            "in_words": about(plain),
            "in_words_with_curriculum": about(levels),
        }


@waiting("measuring how long training takes")
def expected(profile: Profile, corpus: Corpus, measure: Measure | None = None) -> list[Expected]:
    """For each network what one run of a profile would take on this machine.

    `measure` tells the seconds of an iteration of a configuration on batches.
    """
    return [_expected(name, profile.config(name), corpus, measure or timed) for name in MODELS]


def _expected(name: str, config: Any, corpus: Corpus, measure: Measure) -> Expected:
    try:
        main = batches_of(config, corpus.main)
    except InputError as error:
        return Expected(name, why_not=str(error))
    iterations = iterations_of(config, main)
    with_levels = iterations + len(corpus.levels) * config.level_iterations
    return Expected(name, measure(config, main), iterations, with_levels)


def timed(config: Any, main: Batches, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median seconds of an iteration, of as many as fit into `SECONDS`, one at least.

    A first one makes ready what the others find; it counts only where it is too slow for a second.
    """
    keep_freed_memory()
    model = build(config).to(device())
    plan, state, taken = Plan([Stage(MAIN, main, MOST)], 0), State(), []
    optimizer = model.optimizer()
    with torch.random.fork_rng(), _on_threads(threads()):
        while not _enough(taken):
            began = clock()
            draws = torch.Generator().manual_seed(seed_of(0, state.iteration, 0))
            batch, fresh = main.draw(state.iteration, draws)
            iterate(model, optimizer, plan, state, batch.to(device()), fresh)
            float(state.losses[-1])  # a GPU is waited for
            taken.append(clock() - began)
    return median(taken[1:] or taken)


def threads() -> int:
    """How many threads a run has where `make paper` trains both kinds with three seeds at once."""
    return threads_each(min(workers(), RUNS))


@contextmanager
def _on_threads(count: int) -> Iterator[None]:
    """Compute on so many threads: more of them than free cores wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _enough(taken: list[float]) -> bool:
    first, rest = taken[:1], taken[1:]
    return sum(first) > TOO_SLOW or len(rest) == MOST or sum(rest) > SECONDS


def about(seconds: float) -> str:
    """A time in words, no more exact than it is known: "about 40 minutes"."""
    if seconds < MINUTE / 2:
        return "under a minute"
    name, unit, step = next(row[1:] for row in ROUNDED if seconds < row[0])
    count = round(seconds / unit / step) * step
    return f"about {count:,g} {name}{'s' * (count != 1)}"
