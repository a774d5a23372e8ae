"""Curriculum learning (section 2.3): a list of stages, each a source of batches and a budget."""

from collections.abc import Mapping
from typing import NamedTuple

from musiclib.corpus.batches import Batches


class Stage(NamedTuple):
    """Train on `batches` for `iterations`."""

    name: str
    batches: Batches
    iterations: int


def curriculum(
    levels: Mapping[str, Batches], level_iterations: int, main: Batches, iterations: int
) -> list[Stage]:
    """Each level in order, from easy to hard, then the main corpus.

    An empty `levels` is training without curriculum: the main corpus has the same budget.
    """
    easier = [Stage(name, batches, level_iterations) for name, batches in levels.items()]
    return [*easier, Stage("main", main, iterations)]


def locate(stages: list[Stage], iteration: int) -> tuple[Stage, int]:
    """The stage that an overall iteration belongs to, and the iteration within that stage."""
    for stage in stages:
        if iteration < stage.iterations:
            return stage, iteration
        iteration -= stage.iterations
    raise IndexError("past the last stage")
