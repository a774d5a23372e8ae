"""The training loop: it knows none of the models, only what `musiclib.models` promises.

Everything random in iteration i comes from (seed, i). So a run that is killed and started again
goes on from its last saved state as if nothing had happened: model, optimiser, memory and losses
are all there is to save.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from musiclib.base.errors import InputError
from musiclib.base.memory import keep_freed_memory
from musiclib.base.seeds import seed_of
from musiclib.models.checkpoints import within
from musiclib.models.model import Model
from musiclib.training.averaging import average, averaged, take_mean
from musiclib.training.data_parallel import ALONE, Crew, must_share
from musiclib.training.plan import Plan, device_of, draw
from musiclib.training.precision import Precision, autocast, products_in
from musiclib.training.resuming import go_on
from musiclib.training.state import State, losses_of, save_state
from musiclib.training.stretches import change

SAVE_SECONDS = 20.0  # between two states that are saved


def train(
    model: Model,
    plan: Plan,
    saved: Path,
    *,
    checkpoint: Callable[[int], str] = lambda iteration: "",
    progress: Callable[[int], None] = lambda iteration: None,
    watch: Callable[[State], None] = lambda state: None,
    save_seconds: float = SAVE_SECONDS,
    seconds: float = math.inf,
    rests_on: Callable[[State], str] = lambda state: "",
    crew: Crew = ALONE,
) -> State:
    """Train `model` in place by `plan`, going on from the file `saved` if it exists and is whole.

    At the end it has the mean of its weights, if it asks for one.

    `checkpoint` is called after the iterations that the plan names, and gives the digest of what it
    wrote; `progress` is called after each, and so is `watch` with the state, to be read alone. Once
    `save_seconds` have passed, `saved` holds a whole state at most that old, whatever happens.
    After `seconds` training stops, with its state saved; `ended` tells this from the end. A state
    that is damaged, or of which `rests_on` says that something it rests on is missing, counts as
    absent, and this is said. Where several processes train, all of `crew` call this, and the one
    that leads writes, and says when. Raises InputError where losses are no numbers any more.
    """
    must_share(type(model), getattr(model, "config", None), crew.size, plan.stages)
    optimizer = model.optimizer()
    with torch.random.fork_rng(), products_in(plan.precision):
        state = go_on(model, optimizer, plan, saved, rests_on, crew)
        _note_stretch(state, saved, crew)
        keep_freed_memory()
        begun, checked = (last_saved := time.monotonic()), state.iteration
        began = begun - state.seconds
        for batch, fresh in _batches(plan, state.iteration, device_of(model)):
            if ended(plan, state):
                break
            iterate(model, optimizer, plan, state, batch, fresh, crew)
            _evaluate_when_due(model, plan, state, crew)
            if state.iteration in plan.checkpoints:
                checked = _must_be_numbers(model, state, checked)
                with averaged(model, state):
                    state.written[state.iteration] = checkpoint(state.iteration)
            watch(state)
            progress(state.iteration)
            over = crew.agree(time.monotonic() - begun >= seconds)
            if crew.agree(time.monotonic() - last_saved > save_seconds) or over:
                state.seconds, last_saved = time.monotonic() - began, time.monotonic()
                checked = _must_be_numbers(model, state, checked)
                save_state(model, optimizer, state, saved, crew)
            if over:
                break
    _must_be_numbers(model, state, checked)
    take_mean(model, state)
    state.seconds = time.monotonic() - began
    return state


def ended(plan: Plan, state: State) -> bool:
    """Whether all iterations are done, or the held-out loss is as low as was asked for."""
    low = bool(state.held_out) and state.held_out[-1][1] < plan.stop_below
    return low or state.iteration == plan.total


def _batches(plan: Plan, first: int, device: torch.device) -> Iterator[tuple[Tensor, bool]]:
    """The batches from iteration `first` on, each drawn while the one before it is trained on."""
    with ThreadPoolExecutor(1) as aside:
        ahead = None
        for iteration in range(first, plan.total):
            batch, fresh = ahead.result() if ahead else draw(plan, iteration, device)
            if iteration + 1 < plan.total:
                ahead = aside.submit(draw, plan, iteration + 1, device)
            yield batch.to(device, non_blocking=True), fresh


def iterate(
    model: Model,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    state: State,
    batch: Tensor,
    fresh: bool,
    crew: Crew = ALONE,
) -> None:
    """One iteration on a batch; `fresh` says that the model's memory starts anew with it."""
    torch.manual_seed(seed_of(plan.seed, state.iteration, 1, crew.rank))  # dropout
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = optimizer.defaults["lr"] * model.rate(state.iteration, plan.total)
    optimizer.zero_grad(set_to_none=True)
    memory = None if fresh else state.memory
    loss, state.memory = _gradients(model, batch, memory, plan.precision, crew)
    if model.clip_norm is not None:
        for gradients in model.clip_groups():
            _clip(gradients, model.clip_norm)
    optimizer.step()
    state.losses.append(loss)
    state.iteration += 1
    average(model, state)


def _gradients(
    model: Model, batch: Tensor, memory: Any, precision: Precision, crew: Crew
) -> tuple[Tensor, Any]:
    """The batch's loss and memory; gradients are left in the parameters.

    A model whose loss is a sum over sequences may take them in parts: the gradients add up.
    """
    losses = []
    parts = model.parts(crew.share(batch))
    for part in parts:
        with crew.exchange(model, last=part is parts[-1]):
            with autocast(precision, batch.device):
                loss, memory = crew.loss(model, part, memory, batch)
            loss.backward()
        losses.append(loss.detach())
    return crew.mean(sum(losses)), memory


def _clip(gradients: list[Tensor], most: float) -> None:
    """Scale gradients, in place, so that their norm taken together is at most `most`."""
    norm = nn.utils.get_total_norm(gradients)
    for gradient in gradients:
        gradient.mul_((most / (norm + 1e-6)).clamp(max=1.0))


def _evaluate_when_due(model: Model, plan: Plan, state: State, crew: Crew) -> None:
    if plan.measures(state.iteration):
        with averaged(model, state):
            state.held_out.append((state.iteration, held_out_loss(model, plan.held_out, crew)))


@torch.no_grad()
def held_out_loss(
    model: Model, batches: Sequence[tuple[Tensor, bool]], crew: Crew = ALONE
) -> float:
    """Mean loss over held-out batches in order, without dropout, memory kept as in training."""
    model.eval()
    losses, memory = [], None
    for batch, fresh in batches:
        share = crew.share(batch.to(device_of(model)))
        loss, memory = crew.loss(model, share, None if fresh else memory, batch)
        losses.append(float(loss))
    return float(np.mean(crew.mean(torch.tensor(losses, dtype=torch.float64)).numpy()))


def _must_be_numbers(model: Model, state: State, checked: int) -> int:
    """Raise InputError where training has gone astray, before anything of it is written.

    Losses are looked at after iteration `checked`; how far they are then.
    """
    held_out = torch.tensor([loss for _, loss in state.held_out], dtype=torch.float64)
    new = losses_of(replace(state, losses=state.losses[checked:]))
    finite = all(bool(losses.isfinite().all()) for losses in (new, held_out))
    if not finite or not all(map(within, model.state_dict().values())):
        raise InputError(
            f"after iteration {state.iteration} the losses, those on held-out music or the weights"
            " are no numbers any more: training has diverged; ask for a lower learning rate"
        )
    return state.iteration


def _note_stretch(state: State, saved: Path, crew: Crew) -> None:
    """Keep how many threads and processes compute; say so where a run goes on with others."""
    now = {"threads": torch.get_num_threads(), "processes": crew.size}
    for said in [change(name, getattr(state, name), number) for name, number in now.items()]:
        if said and crew.leads:
            print(f"{saved.parent.name}: {said}", file=sys.stderr)
