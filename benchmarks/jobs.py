"""What the benchmark's processes do: ours and the plain port's, training and composing."""

import resource
from collections.abc import Callable

import numpy as np
import torch
from plain_port import PlainBiaxial, PlainLSTM
from rivals import serve
from torch import Tensor, nn

from musiclib.base.device import device
from musiclib.base.memory import keep_freed_memory
from musiclib.composing.compose import compose, piece_seeds
from musiclib.models import PUBLISHED_FORM, BiaxialConfig, LSTMConfig, build
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, State, iterate
from musiclib.training.precision import products_in

Call = Callable[[], None]


def biaxial(
    rival: str, precision: str, batch: int, steps: int, time: list[int], notes: list[int]
) -> Call:
    """A training iteration of the biaxial RNN on random music."""
    states = random_music(batch, steps, 78, 2)
    if rival == "plain":
        return plain_iteration(PlainBiaxial(tuple(time), tuple(notes)), states, precision, True)
    form = PUBLISHED_FORM if rival == "musiclib, published form" else {}
    config = BiaxialConfig(tuple(time), tuple(notes), batch=batch, segment=steps, **form)
    return our_iteration(build(config), states, precision)


def lstm(rival: str, precision: str, hidden: int, batch: int, window: int) -> Call:
    """A training iteration of the baseline on random music, its memory kept."""
    windows = random_music(batch, window + 1, 88)
    config = LSTMConfig(hidden, batch=batch, window=window)
    if rival != "musiclib":
        hop = config.hop if rival == "plain, same memory" else None
        return plain_iteration(PlainLSTM(hidden, hop), windows, precision, False)
    return our_iteration(build(config), windows, precision)


def composing(rival: str, pieces: int, steps: int, time: list[int], notes: list[int]) -> Call:
    """Pieces composed from silence, with the weights as they are before training."""
    if rival == "plain":
        model = PlainBiaxial(tuple(time), tuple(notes)).to(device()).eval()
        return lambda: (model.compose(pieces, steps), wait())
    model = build(BiaxialConfig(tuple(time), tuple(notes))).to(device())
    silence, seeds = np.zeros((pieces, 1, 78, 2), np.uint8), piece_seeds(0, pieces)
    return lambda: compose(model, silence, steps, seeds, fast=rival == "musiclib")


def our_iteration(model: nn.Module, batch: Tensor, precision: str) -> Call:
    """The iteration of `musiclib.training.loop`, on a batch that is drawn already."""
    model, batch = model.to(device()), batch.to(device())
    keep_freed_memory()
    optimizer, state = model.optimizer(), State()
    plan = Plan([Stage("benchmark", None, 10**6)], seed=0, precision=precision)

    def call() -> None:
        with products_in(precision):
            iterate(model, optimizer, plan, state, batch, False)
        wait()

    return call


def plain_iteration(model: nn.Module, batch: Tensor, precision: str, biaxial: bool) -> Call:
    """As one writes it down."""
    model, batch = model.to(device()).train(), batch.to(device())
    optimizer = (
        torch.optim.Adadelta(model.parameters(), lr=1.0, rho=0.95, eps=1e-6)
        if biaxial
        else torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-6)
    )

    def call() -> None:
        with torch.autocast(device().type, torch.bfloat16, enabled=precision == "bf16"):
            loss = model.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        for parameter in model.parameters() if biaxial else ():
            nn.utils.clip_grad_norm_(parameter, 5.0)
        optimizer.step()
        wait()

    return call


def random_music(*shape: int) -> Tensor:
    """Cells that are on in one case of twenty, uint8."""
    return (torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.05).byte()


def wait() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak() -> float:
    """The most memory held so far, GB: on the GPU, or by the whole process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    serve({"biaxial": biaxial, "lstm": lstm, "composing": composing}, peak)
