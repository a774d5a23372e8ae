"""Going on from a state that was saved: it is used where it is whole, and fits what is trained."""

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from musiclib.base.errors import InputError
from musiclib.models.model import Model
from musiclib.training.data_parallel import Crew
from musiclib.training.plan import Plan, device_of, draw
from musiclib.training.precision import autocast
from musiclib.training.state import State, must_fit, read_state, shapes, take
from musiclib.training.whole import Damaged


def go_on(
    model: Model,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    saved: Path,
    rests_on: Callable[[State], str],
    crew: Crew,
) -> State:
    """The state to go on from, the model and the optimiser brought to it; else a fresh one.

    Says which file is damaged, or missing, where training has to begin anew for it. The process
    that leads decides for all of a crew; raises InputError where another one has not its state.
    """
    content, fault = _usable(model, optimizer, plan, saved, rests_on)
    if not crew.agree(content is not None):
        if fault and crew.leads:
            tell(saved.parent, f"{fault}: training begins anew{_set_aside(saved)}")
        return State()
    if content is None:
        raise InputError(
            f"{saved}: {fault or 'it is missing'}; the first process has it whole: let all of them"
            " see the same folder of runs"
        )
    state = take(content, model, optimizer)
    state.memory = crew.memory_of_share(state.memory, model.lanes)
    return state


def aside_of(saved: Path) -> Path:
    """Where a state that is not gone on from lies until the run is finished."""
    return saved.with_name(f"{saved.name}-set-aside")


def _set_aside(saved: Path) -> str:
    """Keep a state from being written over, one at most; what is to be said of it."""
    try:
        saved.replace(new := aside_of(saved))
    except OSError:  # it is not there, or a folder has this name
        return ""
    return f" ({saved.name} is named {new.name} until the run is finished)"


def tell(folder: Path, sentence: str) -> None:
    """Say something of a run, also from a worker: nobody else knows it."""
    print(f"{folder.name}: {sentence}", file=sys.stderr)


def _usable(
    model: Model,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    saved: Path,
    rests_on: Callable[[State], str],
) -> tuple[dict[str, Any] | None, str]:
    """What the file holds, or None and what is wrong with it: nothing, where it is not there."""
    try:
        content = read_state(saved)
        must_fit(content, model, optimizer)
        _must_fit_plan(content["state"], model, plan)
    except FileNotFoundError:
        return None, ""
    except Damaged as error:
        return None, f"{saved.name} is damaged ({error})"
    fault = rests_on(content["state"])
    return (None, fault) if fault else (content, "")


def _must_fit_plan(state: State, model: Model, plan: Plan) -> None:
    if state.iteration > plan.total:
        raise Damaged(f"it is beyond the end, iteration {plan.total}")
    measured = [n for n in range(1, state.iteration + 1) if plan.measures(n)]
    if [at for at, _ in state.held_out] != measured:
        raise Damaged("its held-out losses are not those of its iterations")
    if state.iteration and shapes(state.memory) != shapes(_memory(state, model, plan)):
        raise Damaged("its memory is not this network's")


@torch.no_grad()
def _memory(state: State, model: Model, plan: Plan) -> Any:
    """A memory like that which the last iteration has left."""
    device = device_of(model)
    batch, _ = draw(plan, state.iteration - 1, device)
    twin = copy.deepcopy(model).train()
    with autocast(plan.precision, device):
        return twin.loss(twin.parts(batch.to(device))[0])[1]
