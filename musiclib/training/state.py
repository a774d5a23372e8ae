"""The state of a training, and the file from which a run that was stopped goes on.

A file that is damaged, or of another training, counts as absent: it is looked through before
anything of it is used.
"""

import copy
import io
import zipfile
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musiclib.base.passing import passing
from musiclib.base.writing import write_bytes
from musiclib.models.model import Model
from musiclib.training.data_parallel import Crew
from musiclib.training.whole import Damaged, read

PARTS = {"model", "optimizer", "state"}


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
    written: dict[int, str] = field(default_factory=dict)  # digests of checkpoints, by iteration
    average: dict[str, Tensor] = field(default_factory=dict)  # of the weights, if there is one


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
        "of": path.parent.name,
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(path, buffer.getbuffer())  # without another copy


def read_state(path: Path) -> dict[str, Any]:
    """What a file of a state holds, on the processor: PARTS, the state being a `State`.

    Runs no code from it. Raises Damaged, or FileNotFoundError.
    """
    content = read(path)
    try:
        _check_sums(content)
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if found.get("of", path.parent.name) != path.parent.name:
            raise Damaged("it is of another run")
        state = _state_of(found["state"])
        return {"model": dict(found["model"]), "optimizer": found["optimizer"], "state": state}
    except Damaged:
        raise
    except Exception as error:  # of whatever a parser meets in it
        if passing(error) and not isinstance(error, OSError):  # it is read already
            raise
        raise Damaged(f"it is no state: {type(error).__name__}") from None


def _check_sums(content: bytes) -> None:
    """Torch does not compare the sums that it writes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if any(entry.compress_type for entry in packed.infolist()):
                raise Damaged("it is no state")
            if packed.testzip():
                raise Damaged("it is not as it was written")
    except zipfile.BadZipFile:
        raise Damaged("it is cut off, or no state") from None


def _state_of(values: dict[str, Any]) -> State:
    state = State(**{"processes": [1], **values})  # saved by a version that knew one
    numbers = [state.seconds, *(loss for _, loss in state.held_out)]
    counts = [state.iteration, *state.threads, *state.processes, *(at for at, _ in state.held_out)]
    whole = (
        all(type(n) is int and n >= 0 for n in counts)
        and all(type(n) in (int, float) and isfinite(n) for n in numbers)
        and isinstance(state.losses, Tensor)
        and (state.losses.dtype, *state.losses.shape) == (torch.float32, state.iteration)
        and bool(state.losses.isfinite().all())
        and all(type(n) is list for n in (state.held_out, state.threads, state.processes))
        and all(type(some) is dict for some in (state.written, state.average))
    )
    if not whole:
        raise Damaged("what it says does not fit together")
    return state


def take(content: dict[str, Any], model: Model, optimizer: torch.optim.Optimizer) -> State:
    """Bring the model and the optimiser to a state that fits them."""
    device = next(model.parameters()).device
    model.load_state_dict(content["model"])
    groups = optimizer.state_dict()["param_groups"]  # whose settings are the configuration's
    optimizer.load_state_dict({"state": content["optimizer"]["state"], "param_groups": groups})
    state = content["state"]
    mean = {name: weights.to(device) for name, weights in state.average.items()}
    losses = list(state.losses.to(device))
    return replace(state, losses=losses, memory=moved(state.memory, device), average=mean)


def must_fit(content: dict[str, Any], model: Model, optimizer: torch.optim.Optimizer) -> None:
    """Raise Damaged where a state is not one of this model and this optimiser."""
    if shapes(content["model"]) != shapes(dict(model.state_dict())):
        raise Damaged("it is of another network")
    mean = content["state"].average
    averages = model.averaging and content["state"].iteration
    if shapes(mean) != (shapes(dict(model.state_dict())) if averages else {}):
        raise Damaged("its mean of weights is not this network's")
    if not _finite(content["model"]) or not _finite(mean):
        raise Damaged("some of its weights are no numbers")
    try:
        ours, theirs = _stepped(optimizer), content["optimizer"]
        same = _same_settings(theirs["param_groups"], ours["param_groups"])
        kept, template = theirs["state"], ours["state"]
        same = same and (bool(kept) == bool(template) or not content["state"].iteration)
        same = same and all(shapes(kept[i]) == shapes(template[i]) for i in kept)
    except (LookupError, TypeError, ValueError, AttributeError):
        same = False
    if not same:
        raise Damaged("it is of another optimiser")
    if not _finite(kept):
        raise Damaged("its optimiser has what is no number")


def _stepped(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What an optimiser like this one keeps once it has made a step."""
    twin = copy.deepcopy(optimizer)
    for group in twin.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    twin.step()
    return twin.state_dict()


def _same_settings(theirs: list[dict], ours: list[dict]) -> bool:
    """Whether groups of parameters are as ours, but for the rate, which changes."""
    return len(theirs) == len(ours) and all(
        all(one.get(k, v) == v for k, v in other.items() if k not in ("lr", "initial_lr"))
        for one, other in zip(theirs, ours, strict=True)
    )


def shapes(value: Any) -> Any:
    """What a nested value is made of: names, shapes and kinds of tensors; numbers are scalars."""
    if isinstance(value, dict):
        return {name: shapes(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [shapes(part) for part in value]
    if isinstance(value, Tensor):
        return ("number",) if not value.dim() else (value.dtype, tuple(value.shape))
    return ("number",) if isinstance(value, int | float) else value


def moved(value: Any, device: torch.device) -> Any:
    """A memory on a device: None, a tensor, or tuples and lists of them."""
    if isinstance(value, list | tuple):
        return type(value)(moved(part, device) for part in value)
    return value.to(device) if isinstance(value, Tensor) else value


def _finite(value: Any) -> bool:
    if isinstance(value, dict | list | tuple):
        return all(map(_finite, value.values() if isinstance(value, dict) else value))
    return bool(torch.as_tensor(value).isfinite().all()) if value is not None else True


def losses_of(state: State) -> Tensor:
    """Loss of every iteration, float32 of shape (iterations,)."""
    return torch.stack(state.losses).float().cpu() if state.losses else torch.empty(0)
