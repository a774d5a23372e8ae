"""The restricted Boltzmann machine of section 2.4.3: 2,496 visible and 1,500 hidden units.

Visible units are the cells of a window of 16 steps, hidden units see all of them; both are bits.

    p(v, h) = exp(v'Wh + b'v + c'h) / Z         free energy F(v) = -b'v - sum log(1 + exp(c + v'W))

Training is contrastive divergence (Hinton 2002), its chains restarted at the data or kept
(Tieleman 2008); the defaults follow Hinton, A Practical Guide to Training Restricted Boltzmann
Machines (2010). The paper gives neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musiclib.base.typed import Count, Rate, Rounds, Share
from musiclib.corpus.batches import Segments
from musiclib.models.model import Model
from musiclib.music.bars import STEPS_PER_BAR, window_frequencies
from musiclib.music.note_states import NOTES

Random = torch.Generator | Sequence[torch.Generator] | None


@dataclass(frozen=True)
class RBMConfig:
    """Published sizes; `checkpoints` are iterations on the main corpus.

    `biases` says where visible biases start: at the frequencies of the data's cells, or at zero.
    `sparsity` is the share of hidden units that should be on, and `sparsity_cost` how much that
    counts; `weight_decay` is L2 on the weights alone.
    """

    hidden: Count = 1500
    window: Count = STEPS_PER_BAR
    batch: Count = 100
    gibbs_steps: Rounds = 1
    chains: Literal["data", "persistent"] = "data"
    biases: Literal["frequencies", "zero"] = "frequencies"
    learning_rate: Rate = 0.05
    momentum: Share = 0.9
    weight_decay: Rate = 0.0002
    sparsity: Share = 0.1
    sparsity_cost: Rate = 0.0
    level_iterations: int = 500
    checkpoints: tuple[int, ...] = (100, 1000, 10_000)
    iterations: int = 10_000

    @property
    def visible(self) -> int:
        """Cells of a window."""
        return self.window * NOTES * 2


class RBM(Model):
    """Bernoulli-Bernoulli; windows are rows of bits (B, visible), as floats."""

    @staticmethod
    def batches(config: RBMConfig, pieces: Sequence[np.ndarray]) -> Segments:
        """Windows that start at any step."""
        return Segments(pieces, config.batch, config.window, hop=1)

    def __init__(self, config: RBMConfig) -> None:
        super().__init__()
        for name, known in {
            "chains": ("data", "persistent"),
            "biases": ("frequencies", "zero"),
        }.items():
            if getattr(config, name) not in known:
                raise ValueError(
                    f"unknown {name} {getattr(config, name)!r}: choose {' or '.join(known)}"
                )
        self.config = config
        self.weights = nn.Parameter(0.01 * torch.randn(config.visible, config.hidden))
        self.visible_bias = nn.Parameter(torch.zeros(config.visible))
        self.hidden_bias = nn.Parameter(torch.zeros(config.hidden))

    def start_from(self, pieces: Sequence[np.ndarray]) -> None:
        """Visible biases from how often cells are on in all windows of pieces (T, 78, 2)."""
        self.start_biases(torch.from_numpy(window_frequencies(pieces, self.config.window)))

    @torch.no_grad()
    def start_biases(self, frequencies: Tensor) -> None:
        """Visible biases from how often the data's cells are on, (visible,), unless zero is asked.

        Hinton 2010, section 8.1: log(p / (1 - p)). Cells that are never on count as one in 10,000.
        """
        if self.config.biases == "frequencies":
            self.visible_bias.copy_(torch.logit(frequencies.clamp(1e-4, 1 - 1e-4)))

    def hidden_logits(self, visible: Tensor) -> Tensor:
        """Logits (B, hidden) of the hidden units given windows of any dtype."""
        return visible.to(self.weights.dtype) @ self.weights + self.hidden_bias

    def visible_logits(self, hidden: Tensor) -> Tensor:
        """Logits (B, visible) of the cells given hidden units (B, hidden)."""
        return hidden @ self.weights.T + self.visible_bias

    def free_energy(self, visible: Tensor) -> Tensor:
        """F(v) = -log sum_h exp(v'Wh + b'v + c'h), (B,), in nats."""
        biases = visible.to(self.weights.dtype) @ self.visible_bias
        return -biases - F.softplus(self.hidden_logits(visible)).sum(dim=-1)

    def gibbs(self, visible: Tensor, steps: int, generator: Random = None) -> Tensor:
        """Windows after `steps` rounds of sampling hidden units, then cells."""
        for _ in range(steps):
            hidden = flip(self.hidden_logits(visible), generator)
            visible = flip(self.visible_logits(hidden), generator)
        return visible

    def reconstruction(self, visible: Tensor) -> Tensor:
        """Logits (B, visible) one mean-field step from windows."""
        return self.visible_logits(torch.sigmoid(self.hidden_logits(visible)))

    def loss(self, batch: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Value: cross-entropy of a mean-field step, nats per window; gradient: the machine's.

        That is d/dw of F(data) - F(chains), the likelihood's gradient but for where the chains
        are, of the sparsity term and, in the optimiser, of weight decay. The memory handed on is
        the persistent chains, if any.
        """
        data = batch.flatten(1).to(self.weights.dtype)
        with torch.no_grad():
            reconstruction = self.reconstruction(data)
            value = F.binary_cross_entropy_with_logits(reconstruction, data, reduction="none")
            value = value.sum(dim=-1).mean()
        if not self.training:
            return value, memory
        chains = self._chains(data, memory)
        objective = self.free_energy(data).mean() - self.free_energy(chains).mean()
        if self.config.sparsity_cost:
            objective = objective + self.config.sparsity_cost * self._too_active(data)
        kept = chains if self.config.chains == "persistent" else None
        return objective - objective.detach() + value, kept

    @torch.no_grad()
    def _chains(self, data: Tensor, memory: Tensor | None) -> Tensor:
        return self.gibbs(data if memory is None else memory, self.config.gibbs_steps)

    def _too_active(self, data: Tensor) -> Tensor:
        """Its gradient by each unit's logits is mean activity less the wished one (Hinton, 11)."""
        logits = self.hidden_logits(data)
        excess = torch.sigmoid(logits).mean(dim=0).detach() - self.config.sparsity
        return (excess * logits.mean(dim=0)).sum()

    def rate(self, iteration: int, total: int) -> float:
        """The learning rate falls to nothing, so that chains and weights come to rest."""
        return 1.0 - iteration / total

    def optimizer(self) -> torch.optim.Optimizer:
        """Gradient descent with momentum; weight decay on the weights alone."""
        groups = [
            {"params": [self.weights], "weight_decay": self.config.weight_decay},
            {"params": [self.visible_bias, self.hidden_bias], "weight_decay": 0.0},
        ]
        return torch.optim.SGD(groups, self.config.learning_rate, self.config.momentum)


def flip(logits: Tensor, generator: Random = None) -> Tensor:
    """Bits drawn with the given logits, of the same shape and dtype; a generator a row, or one."""
    if not isinstance(generator, Sequence):
        return torch.bernoulli(torch.sigmoid(logits), generator=generator)
    noise = [torch.rand(logits.shape[1:], generator=g, device=g.device) for g in generator]
    return (torch.stack(noise) < torch.sigmoid(logits)).to(logits.dtype)
