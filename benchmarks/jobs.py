"""What is timed, by ours and by the plain port: an iteration of training, pieces composed."""

from functools import partial

import numpy as np
import torch
from plain_port import PlainBiaxial, PlainLSTM
from timing import Call
from torch import Tensor, nn

from musiclib.base.device import device
from musiclib.base.memory import keep_freed_memory
from musiclib.composing.compose import compose, piece_seeds
from musiclib.models import PUBLISHED_FORM, BiaxialConfig, LSTMConfig, build
from musiclib.music.note_states import NOTES
from musiclib.music.piano_roll import KEYS
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, iterate
from musiclib.training.precision import products_in
from musiclib.training.state import State

PUBLISHED = "musiclib, published form"
ADADELTA = partial(torch.optim.Adadelta, lr=1.0, rho=0.95, eps=1e-6)
RMSPROP = partial(torch.optim.RMSprop, lr=0.001, alpha=0.9, eps=1e-6)


def biaxial(by: str, precision: str, batch: int, steps: int, time: tuple, notes: tuple) -> Call:
    """A training iteration of the biaxial RNN on random music."""
    states = random_music(batch, steps, NOTES, 2)
    if by == "plain":
        return plain_iteration(PlainBiaxial(time, notes), states, precision)
    form = PUBLISHED_FORM if by == PUBLISHED else {}
    config = BiaxialConfig(time, notes, batch=batch, segment=steps, **form)
    return our_iteration(build(config), states, precision)


def lstm(by: str, precision: str, hidden: int, batch: int, window: int) -> Call:
    """A training iteration of the baseline on random music, its memory kept."""
    windows = random_music(batch, window + 1, KEYS)
    config = LSTMConfig(hidden, batch=batch, window=window)
    if by == "musiclib":
        return our_iteration(build(config), windows, precision)
    hop = config.hop if by == "plain, same memory" else None
    return plain_iteration(PlainLSTM(hidden, hop), windows, precision)


def composing(by: str, pieces: int, steps: int, time: tuple, notes: tuple) -> Call:
    """Pieces composed from silence, with the weights as they are before training."""
    if by == "plain":
        model = PlainBiaxial(time, notes).to(device()).eval()
        return lambda: model.compose(pieces, steps)
    model = build(BiaxialConfig(time, notes)).to(device())
    silence, seeds = np.zeros((pieces, 1, NOTES, 2), np.uint8), piece_seeds(0, pieces)
    return lambda: compose(model, silence, steps, seeds, fast=by == "musiclib")


def our_iteration(model: nn.Module, batch: Tensor, precision: str) -> Call:
    """The iteration of `musiclib.training.loop`, on a batch that is drawn already."""
    model, batch = model.to(device()), batch.to(device())
    keep_freed_memory()
    optimizer, state = model.optimizer(), State()
    plan = Plan([Stage("benchmark", None, 10**6)], seed=0, precision=precision)

    def call() -> None:
        with products_in(precision):
            iterate(model, optimizer, plan, state, batch, False)

    return call


def plain_iteration(model: nn.Module, batch: Tensor, precision: str) -> Call:
    """As one writes it down."""
    model, batch = model.to(device()).train(), batch.to(device())
    clipped = isinstance(model, PlainBiaxial)
    optimizer = (ADADELTA if clipped else RMSPROP)(model.parameters())

    def call() -> None:
        with torch.autocast(device().type, torch.bfloat16, enabled=precision == "bf16"):
            loss = model.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        for parameter in model.parameters() if clipped else ():
            nn.utils.clip_grad_norm_(parameter, 5.0)
        optimizer.step()

    return call


def random_music(*shape: int) -> Tensor:
    """Cells that are on in one case of twenty, uint8."""
    return (torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.05).byte()
