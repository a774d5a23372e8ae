"""How likely an RBM finds windows: its partition function, estimated.

**Conventions.** log Z in nats, in float64. `log_likelihood(v) = -F(v) - log Z`.

**References.** Annealed importance sampling: Neal, Statistics and Computing 11 (2001); for RBMs:
Salakhutdinov and Murray, On the Quantitative Analysis of Deep Belief Networks, ICML 2008.
"""

import math
from copy import deepcopy
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from musiclib.models.rbm import RBM, flip


class LogZ(NamedTuple):
    """An estimate of log Z and its standard error."""

    value: float
    error: float


@torch.no_grad()
def ais(
    machine: RBM,
    *,
    temperatures: int = 1000,
    chains: int = 100,
    seed: int = 0,
    start: Tensor | None = None,
) -> LogZ:
    """log Z by annealed importance sampling from independent cells with logits `start` (visible,).

    `start` is best the logits of the data's frequencies; by default the visible biases. Raises
    ValueError for less than one temperature or two chains.
    """
    if temperatures < 1 or chains < 2:
        raise ValueError(f"{temperatures} temperatures, {chains} chains: at least 1 and 2 needed")
    machine = deepcopy(machine).double()
    start = machine.visible_bias.clone() if start is None else start.to(machine.visible_bias)
    generator = torch.Generator(start.device).manual_seed(seed)
    visible = flip(start.expand(chains, -1), generator)
    log_weights = torch.zeros_like(visible[:, 0])
    betas = torch.linspace(0, 1, temperatures + 1, dtype=torch.float64).tolist()
    for before, beta in pairwise(betas):
        log_weights += _log_p(machine, visible, start, beta)
        log_weights -= _log_p(machine, visible, start, before)
        hidden = flip(beta * machine.hidden_logits(visible), generator)
        logits = (1 - beta) * start + beta * machine.visible_logits(hidden)
        visible = flip(logits, generator)
    base = F.softplus(start).sum() + machine.hidden_bias.numel() * math.log(2)
    return _averaged(log_weights, float(base))


def _log_p(machine: RBM, visible: Tensor, start: Tensor, beta: float) -> Tensor:
    """Unnormalised log probability of windows at an inverse temperature, (chains,)."""
    bias = visible @ ((1 - beta) * start + beta * machine.visible_bias)
    return bias + F.softplus(beta * machine.hidden_logits(visible)).sum(dim=-1)


def _averaged(log_weights: Tensor, base: float) -> LogZ:
    """The log of the mean weight, and its error to first order."""
    largest = log_weights.max()
    weights = (log_weights - largest).exp()
    error = weights.std() / (weights.mean() * math.sqrt(len(weights)))
    return LogZ(base + float(largest + weights.mean().log()), float(error))


@torch.no_grad()
def log_likelihood(machine: RBM, windows: Tensor, log_z: float) -> Tensor:
    """log p(v) of windows (B, visible), nats, (B,)."""
    return -deepcopy(machine).double().free_energy(windows) - log_z
