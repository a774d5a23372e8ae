"""The training loop: it knows neither of the models, only what `musiclib.models` promises.

Everything random in iteration i comes from (seed, i). So a run that is killed and started again
goes on from its last saved state as if nothing had happened: model, optimiser, memory and losses
are all there is to save.
"""

import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from musiclib.curriculum import Stage, locate
from musiclib.errors import InputError
from musiclib.files import write_bytes
from musiclib.memory import keep_freed_memory

Precision = Literal["fp32", "tf32", "bf16"]


@dataclass(frozen=True)
class Plan:
    """How a model is trained; `checkpoints` and `held_out_every` count overall iterations."""

    stages: Sequence[Stage]
    seed: int
    checkpoints: frozenset[int] = frozenset()
    held_out: Sequence[tuple[Tensor, bool]] = ()
    held_out_every: int = 100
    precision: Precision = "fp32"
    stop_below: float = 0.0  # training ends once a held-out loss is below this

    @property
    def total(self) -> int:
        """Iterations in all."""
        return sum(stage.iterations for stage in self.stages)


@dataclass
class State:
    """All that changes while training, besides the model and its optimiser."""

    iteration: int = 0
    memory: Any = None
    losses: list[Tensor] = field(default_factory=list)
    held_out: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    threads: list[int] = field(default_factory=list)  # of each stretch of training


def train(
    model: nn.Module,
    plan: Plan,
    saved: Path,
    *,
    checkpoint: Callable[[int], None] = lambda iteration: None,
    progress: Callable[[int], None] = lambda iteration: None,
    save_seconds: float = 20.0,
) -> State:
    """Train `model` in place by `plan`, going on from the file `saved` if it exists.

    `checkpoint` is called after the iterations that the plan names. Whatever happens, `saved`
    holds a whole state, at most `save_seconds` old.
    """
    optimizer = model.optimizer()
    state = _load(model, optimizer, saved)
    _note_threads(state, saved)
    set_precision(plan.precision)
    keep_freed_memory()
    began, last_saved = time.monotonic() - state.seconds, time.monotonic()
    with torch.random.fork_rng():
        for batch, fresh in _batches(plan, state.iteration, _device(model)):
            if state.held_out and state.held_out[-1][1] < plan.stop_below:
                break
            iterate(model, optimizer, plan, state, batch, fresh)
            _evaluate_when_due(model, plan, state)
            if state.iteration in plan.checkpoints:
                checkpoint(state.iteration)
            progress(state.iteration)
            if time.monotonic() - last_saved > save_seconds:
                state.seconds, last_saved = time.monotonic() - began, time.monotonic()
                _save(model, optimizer, state, saved)
    state.seconds = time.monotonic() - began
    return state


def _batches(plan: Plan, first: int, device: torch.device) -> Iterator[tuple[Tensor, bool]]:
    """The batches from iteration `first` on, each drawn while the one before it is trained on."""
    with ThreadPoolExecutor(1) as aside:
        ahead = None
        for iteration in range(first, plan.total):
            batch, fresh = ahead.result() if ahead else _draw(plan, iteration, device)
            if iteration + 1 < plan.total:
                ahead = aside.submit(_draw, plan, iteration + 1, device)
            yield batch.to(device, non_blocking=True), fresh


def _draw(plan: Plan, iteration: int, device: torch.device) -> tuple[Tensor, bool]:
    stage, within = locate(plan.stages, iteration)
    draws = torch.Generator().manual_seed(seed_of(plan.seed, iteration, 0))
    batch, fresh = stage.batches.draw(within, draws)
    return (batch.contiguous().pin_memory() if device.type == "cuda" else batch), fresh


def iterate(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    state: State,
    batch: Tensor,
    fresh: bool,
) -> None:
    """One iteration on a batch; `fresh` says that the model's memory starts anew with it."""
    torch.manual_seed(seed_of(plan.seed, state.iteration, 1))  # dropout
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = optimizer.defaults["lr"] * model.rate(state.iteration, plan.total)
    optimizer.zero_grad(set_to_none=True)
    loss, state.memory = _gradients(model, batch, None if fresh else state.memory, plan.precision)
    if model.clip_norm is not None:
        for gradients in _clip_groups(model):
            _clip(gradients, model.clip_norm)
    optimizer.step()
    state.losses.append(loss)
    state.iteration += 1


def _gradients(
    model: nn.Module, batch: Tensor, memory: Any, precision: Precision
) -> tuple[Tensor, Any]:
    """The batch's loss and memory; gradients are left in the parameters.

    A model whose loss is a sum over sequences may take them in parts: the gradients add up.
    """
    losses = []
    for part in model.parts(batch) if hasattr(model, "parts") else [batch]:
        with _autocast(precision, batch.device):
            loss, memory = model.loss(part, memory)
        loss.backward()
        losses.append(loss.detach())
    return sum(losses), memory


def _clip_groups(model: nn.Module) -> Iterable[list[Tensor]]:
    """Each tensor's gradient by itself, as published, unless the model says otherwise."""
    if hasattr(model, "clip_groups"):
        return model.clip_groups()
    return [[parameter.grad] for parameter in model.parameters() if parameter.grad is not None]


def _clip(gradients: list[Tensor], most: float) -> None:
    """Scale gradients, in place, so that their norm taken together is at most `most`."""
    norm = nn.utils.get_total_norm(gradients)
    for gradient in gradients:
        gradient.mul_((most / (norm + 1e-6)).clamp(max=1.0))


def _evaluate_when_due(model: nn.Module, plan: Plan, state: State) -> None:
    due = state.iteration % plan.held_out_every == 0 or state.iteration == plan.total
    if plan.held_out and due:
        state.held_out.append((state.iteration, held_out_loss(model, plan.held_out)))


@torch.no_grad()
def held_out_loss(model: nn.Module, batches: Sequence[tuple[Tensor, bool]]) -> float:
    """Mean loss over held-out batches in order, without dropout, memory kept as in training."""
    model.eval()
    losses, memory = [], None
    for batch, fresh in batches:
        loss, memory = model.loss(batch.to(_device(model)), None if fresh else memory)
        losses.append(float(loss))
    return float(np.mean(losses))


def seed_of(*parts: int) -> int:
    """A well-mixed seed below 2^63 from several small integers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


@cache
def computes_bf16() -> bool:
    """Whether LSTMs train in bfloat16 here: tried out, since a processor's flags can mislead."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    x = torch.zeros(1, 1, 1)
    try:
        with torch.random.fork_rng(), torch.autocast("cpu", torch.bfloat16):
            nn.LSTM(1, 1)(x)[0].sum().backward()
    except RuntimeError:
        return False
    return True


def check_precision(precision: Precision) -> None:
    """Raise InputError for a precision that does not exist, or that this machine has not."""
    if precision not in get_args(Precision):
        choices = ", ".join(get_args(Precision))
        raise InputError(f"unknown precision {precision!r}: choose one of {choices}")
    if precision == "tf32" and not torch.cuda.is_available():
        raise InputError("tf32 is a precision of GPUs, and there is none: use fp32")
    if precision == "bf16" and not computes_bf16():
        raise InputError(
            "this processor does not compute LSTMs in bf16 (it needs AVX-512): use fp32"
        )


def set_precision(precision: Precision) -> None:
    """Whether products of float32 on a GPU may be rounded to TF32."""
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def _autocast(precision: Precision, device: torch.device):  # noqa: ANN202
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def _save(model: nn.Module, optimizer: torch.optim.Optimizer, state: State, path: Path) -> None:
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "state": {**vars(state), "losses": losses_of(state)},
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())


def _load(model: nn.Module, optimizer: torch.optim.Optimizer, path: Path) -> State:
    if not path.exists():
        return State()
    content = torch.load(path, map_location=_device(model), weights_only=True)
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    state = State(**content["state"])
    state.losses = list(state.losses)
    return state


def _note_threads(state: State, saved: Path) -> None:
    """Keep how many threads compute; say so where a run goes on with another number."""
    threads = torch.get_num_threads()
    if state.threads and threads != state.threads[-1]:
        print(
            f"{saved.parent.name}: begun with threads: {state.threads[-1]}, goes on with {threads};"
            " the last digits may differ from those of an uninterrupted run",
            file=sys.stderr,
        )
    if not state.threads or threads != state.threads[-1]:
        state.threads.append(threads)


def losses_of(state: State) -> Tensor:
    """Loss of every iteration, float32 of shape (iterations,)."""
    return torch.stack(state.losses).float().cpu() if state.losses else torch.empty(0)
