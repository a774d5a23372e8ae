"""How a model is trained: what it hears at which iteration, and what is measured on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from musiclib.base.seeds import seed_of
from musiclib.models.model import Model
from musiclib.training.curriculum import Stage, locate
from musiclib.training.precision import Precision


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

    def measures(self, iteration: int) -> bool:
        """Whether held-out loss is measured after an iteration."""
        due = iteration % self.held_out_every == 0 or iteration == self.total
        return bool(self.held_out) and due


def draw(plan: Plan, iteration: int, device: torch.device) -> tuple[Tensor, bool]:
    """The batch of an iteration, and whether the memory starts anew with it."""
    stage, within = locate(plan.stages, iteration)
    draws = torch.Generator().manual_seed(seed_of(plan.seed, iteration, 0))
    batch, fresh = stage.batches.draw(within, draws)
    return (batch.contiguous().pin_memory() if device.type == "cuda" else batch), fresh


def device_of(model: Model) -> torch.device:
    """Where a model is computed."""
    return next(model.parameters()).device
