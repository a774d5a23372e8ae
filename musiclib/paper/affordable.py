"""Whether `make paper` at published size may train without being asked twice: it can take weeks."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from musiclib.base.progress import waiting
from musiclib.corpus.batches import Batches
from musiclib.exploring.shipped import chorales
from musiclib.models import batches_of, model_of, name_of
from musiclib.paper.expected import HOUR, about, timed
from musiclib.paper.experiments import jobs
from musiclib.paper.kept import Kept, corpora_of, kept_runs, of_model
from musiclib.paper.profiles import PAPER
from musiclib.paper.variants import run_config
from musiclib.training.budget import iterations_of
from musiclib.training.runs import RunConfig
from musiclib.training.train import workers

UNASKED = 12 * HOUR  # longer training is only begun when it is asked for by name
LEVELS = 4  # of the curriculum, where the corpus is not read to count them


class Cost(NamedTuple):
    """What all runs of published size are expected to take here, and what is kept already."""

    seconds: float
    runs: int
    speeds: dict[str, float]
    kept: Kept

    @property
    def affordable(self) -> bool:
        """Whether it may begin unasked."""
        return self.seconds <= UNASKED

    def told(self) -> str:
        """What is there and what training all would take, in lines."""
        speeds = ", ".join(f"{model} {seconds:.2g} s" for model, seconds in self.speeds.items())
        lines = [
            f"Published size: {self.runs} runs would take {about(self.seconds)} on this machine,"
            f" also those that are trained already (an iteration: {speeds})."
        ]
        if not self.affordable:
            lines += [
                "Not begun: it was not asked for. To train: make paper PROFILE=paper TRAIN=yes; or"
                " run by run, in pieces, on many machines: musiclib runs --profile paper --start,"
                " with --corpus for the music of what is kept",
                self._there(),
            ]
        return "\n".join(lines)

    def _there(self) -> str:
        if not self.kept:
            return "results/paper keeps no run of published size."
        ended = [name for name, run in self.kept.items() if run.finished]
        parts = [
            f"{name} ({run.record['iterations']:,} iterations)"
            for name, run in self.kept.items()
            if not run.finished
        ]
        music = "; ".join(corpora_of(self.kept).values())
        return (
            f"There: {', '.join([*ended, *parts])}, on {music}. Figures 3 to 5 and Table 1 are made"
            " of these, in figures/paper."
        )


@waiting("measuring how long training takes")
def cost(seeds: int, measure: Callable[[Any, Batches], float] = timed) -> Cost:
    """What training every run of the experiment table with so many seeds would take.

    An iteration of each network is timed on the chorales that come with the package; epochs are as
    long as those of the kept runs, where there are any.
    """
    kept, main, every = kept_runs(PAPER.name), chorales().main, jobs(seeds)
    speeds: dict[str, float] = {}
    total = 0.0
    for job in every:
        config = run_config(PAPER, job.model, job.kind, job.seed, "fp32")
        batches = batches_of(config.model, main)
        if job.model not in speeds:
            speeds[job.model] = measure(config.model, batches)
        total += speeds[job.model] * _iterations(config, batches, kept)
    # four side by side share one GPU, cores are each one's own: there alone they divide the time
    apart = 1 if torch.cuda.is_available() else min(workers(), len(every))
    return Cost(total / apart, len(every), speeds, kept)


def _iterations(config: RunConfig, batches: Batches, kept: Kept) -> int:
    """Iterations of a run; epochs are those of the first kept run of its model."""
    main = iterations_of(config.model, batches)
    if model_of(config.model).counts_epochs:
        runs = of_model(kept, name_of(config.model)).values()
        epoch = next((run.record["iterations_an_epoch"] for run in runs), batches.epoch)
        main = main // batches.epoch * epoch
    longer = config.curriculum and not config.equal_budget
    return main + LEVELS * config.model.level_iterations * longer
