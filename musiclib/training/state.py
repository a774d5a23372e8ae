"""The state of a training, and the file from which a run that was stopped goes on."""

import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from musiclib.base.errors import InputError
from musiclib.base.files import DAMAGED
from musiclib.base.writing import write_bytes
from musiclib.models.model import Model
from musiclib.training.data_parallel import Crew


@dataclass
class State:
    """All that changes while training, besides the model and its optimiser."""

    iteration: int = 0
    memory: Any = None
    losses: list[Tensor] = field(default_factory=list)
    held_out: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    threads: list[int] = field(default_factory=list)  # of each stretch of training
    processes: list[int] = field(default_factory=list)  # likewise


def save_state(
    model: Model, optimizer: torch.optim.Optimizer, state: State, path: Path, crew: Crew
) -> None:
    """Write all that training goes on from; every process of the crew calls it, one writes."""
    state = replace(state, memory=crew.memory_of_all(state.memory, model.lanes))
    if not crew.leads:
        return
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "state": {**vars(state), "losses": losses_of(state)},
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())


def load_state(model: Model, optimizer: torch.optim.Optimizer, path: Path) -> State:
    """The state at `path`, with the model and the optimiser brought to it; fresh without a file.

    Raises InputError for a damaged file.
    """
    if not path.exists():
        return State()
    try:
        content = torch.load(path, map_location=next(model.parameters()).device, weights_only=True)
        model.load_state_dict(content["model"])
        optimizer.load_state_dict(content["optimizer"])
    except (*DAMAGED, UnpicklingError) as error:
        raise InputError(f"{path} is damaged: delete it to train the run anew") from error
    state = State(**{"processes": [1], **content["state"]})  # saved by a version that knew one
    state.losses = list(state.losses)
    return state


def losses_of(state: State) -> Tensor:
    """Loss of every iteration, float32 of shape (iterations,)."""
    return torch.stack(state.losses).float().cpu() if state.losses else torch.empty(0)
