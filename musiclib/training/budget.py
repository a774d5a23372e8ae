"""How many iterations a run has."""

from typing import Any

from musiclib.base.errors import InputError
from musiclib.corpus.batches import Batches
from musiclib.corpus.sets import Corpus
from musiclib.models import batches_of
from musiclib.training.runs import RunConfig


def total_iterations(config: RunConfig, corpus: Corpus) -> int:
    """Iterations of a run in all; roughly where it is trained on a part of the corpus."""
    levels = len(corpus.levels) if config.curriculum else 0
    main = main_iterations(config, batches_of(config.model, corpus.main), levels)
    return levels * config.model.level_iterations + main


def iterations_of(config: Any, main: Batches) -> int:
    """Iterations on the main corpus: as configured, or the epochs of the last checkpoint."""
    if config.iterations is not None:
        return config.iterations
    return max(config.checkpoints) * main.epoch


def main_iterations(config: RunConfig, main: Batches, levels: int) -> int:
    """Iterations of a run on the main corpus; `levels` are those that it trains on before.

    Raises InputError where an equal budget leaves none.
    """
    before = levels * config.model.level_iterations if config.equal_budget else 0
    left = iterations_of(config.model, main) - before
    if left < 1:
        raise InputError(f"an equal budget: the levels' {before} iterations are all there are")
    return left
