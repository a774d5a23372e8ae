"""How notes are drawn: a coin a note, its chances raised to a power, P pieces at once."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

Conservativity = Literal["paper", "off"] | float

FEW_NOTES = 2
STEP_DOWN = 0.02
WAY_BACK = 0.3
STEERING = 0.1  # how far a step twice as dense as wished raises the power, in nats
POWERS = (0.05, 20.0)
SOUNDING = 3.5  # notes at a step of classical music


def few_notes(coins: int) -> float:
    """The logit at which so many coins of one chance play as many notes as music does.

    Half of them where there are hardly as many.
    """
    sounding = min(SOUNDING, coins / 2)
    return math.log(sounding / (coins - sounding))


class Coins:
    """Coin flips of one step for P pieces; `noise` (P, ...) is uniform, one number a coin.

    `power` is one number a piece, (P,), `temperature` too or one for all.
    """

    def __init__(self, noise: Tensor, power: Tensor, temperature: Tensor | float) -> None:
        self.noise, self.power = noise, power
        self.temperature = torch.as_tensor(temperature, device=noise.device).expand(len(noise))

    def play(self, logits: Tensor, at: tuple[int, ...] = ()) -> Tensor:
        """Whether notes play: P(play) is raised to the piece's conservativity."""
        return self.noise[:, *at] < self._chance(logits) ** _like(self.power, logits)

    def articulate(self, logits: Tensor, at: tuple[int, ...]) -> Tensor:
        """Whether notes that play are struck."""
        return self.noise[:, *at] < self._chance(logits)

    def _chance(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits / _like(self.temperature, logits))


def _like(values: Tensor, logits: Tensor) -> Tensor:
    """One number a piece, (P,), in as many dimensions as the logits have."""
    return values.view(-1, *[1] * (logits.ndim - 1))


class Powers:
    """The power that P(play) is raised to in each of P pieces, step by step.

    "paper": starts at 1; after a step with fewer than two notes c becomes min(c, 1) - 0.02, after
    any other it moves 30 % of the way back to 1. A number stays as it is; "off" is 1.

    A piece with a wished density (notes sounding per step, one a piece or None) has its power
    rise after a step with more notes, and fall after one with fewer: it starts where its kind does.
    """

    def __init__(
        self,
        kinds: Sequence[Conservativity],
        device: torch.device,
        densities: Sequence[float | None] | None = None,
    ) -> None:
        wished = densities or [None] * len(kinds)
        self.adapts = torch.tensor([kind == "paper" for kind in kinds], device=device)
        self.wished = torch.tensor([w or math.nan for w in wished], device=device)
        start = [1.0 if isinstance(kind, str) else float(kind) for kind in kinds]
        self.values = torch.tensor(start, device=device)

    def hear(self, playing: Tensor) -> None:
        """Adapt to how many notes play, (P,), in the step just composed."""
        lower = self.values.clamp(max=1.0) - STEP_DOWN
        back = self.values + WAY_BACK * (1.0 - self.values)
        adapted = torch.where(playing < FEW_NOTES, lower, back)
        unsteered = torch.where(self.adapts, adapted, self.values)
        self.values = torch.where(self.wished.isnan(), unsteered, self._steered(playing))

    def _steered(self, playing: Tensor) -> Tensor:
        """The power that brings the number of notes nearer to the wished one."""
        off = (playing / self.wished - 1).clamp(max=1.0)
        return (self.values * torch.exp(STEERING * off)).clamp(*POWERS)
