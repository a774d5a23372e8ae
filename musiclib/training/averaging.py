"""The running mean of a model's weights, which is less noisy than the last of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from musiclib.models.model import Model
from musiclib.training.state import State

SOON = 10  # else the first weights, which are drawn, stayed in the mean for long


@torch.no_grad()
def average(model: Model, state: State) -> None:
    """Take the weights after an iteration into the mean.

    It keeps a share of itself that grows with the iterations, to what is asked for.
    """
    if not model.averaging:
        return
    now = model.state_dict()
    if not state.average:
        state.average = {name: weights.clone() for name, weights in now.items()}
    keep = min(model.averaging, state.iteration / (SOON + state.iteration))
    for name, mean in state.average.items():
        mean.lerp_(now[name], 1 - keep)


@contextmanager
def averaged(model: Model, state: State) -> Iterator[None]:
    """Within it the model has the mean of its weights, where there is one."""
    if not state.average:
        yield
        return
    last = {name: weights.clone() for name, weights in model.state_dict().items()}
    take_mean(model, state)
    try:
        yield
    finally:
        model.load_state_dict(last)


def take_mean(model: Model, state: State) -> None:
    """Give the model the mean of its weights, where there is one."""
    if state.average:
        model.load_state_dict(state.average)
