"""Composing many pieces at once with either model (sections 2.2 and 2.4)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from musiclib.measures import STEPS_PER_MEASURE
from musiclib.training import seed_of

Conservativity = Literal["paper", "off"] | float

FEW_NOTES = 2
STEP_DOWN = 0.02
WAY_BACK = 0.3


class Coins:
    """Coin flips of one step for P pieces; `noise` (P, ...) is uniform, one number a coin."""

    def __init__(self, noise: Tensor, power: Tensor, temperature: float) -> None:
        self.noise, self.power, self.temperature = noise, power, temperature

    def play(self, logits: Tensor, at: tuple[int, ...] = ()) -> Tensor:
        """Whether notes play: P(play) is raised to the piece's conservativity."""
        power = self.power.view(-1, *[1] * (logits.ndim - 1))
        return self.noise[:, *at] < self._probability(logits) ** power

    def articulate(self, logits: Tensor, at: tuple[int, ...]) -> Tensor:
        """Whether notes that play are struck."""
        return self.noise[:, *at] < self._probability(logits)

    def _probability(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits / self.temperature)


class Powers:
    """The power that P(play) is raised to in each of P pieces, step by step.

    "paper": starts at 1; after a step with fewer than two notes c becomes min(c, 1) - 0.02, after
    any other it moves 30 % of the way back to 1. A number stays as it is; "off" is 1.
    """

    def __init__(self, kind: Conservativity, pieces: int, device: torch.device) -> None:
        self.adapts = kind == "paper"
        start = 1.0 if isinstance(kind, str) else float(kind)
        self.values = torch.full((pieces,), start, device=device)

    def hear(self, playing: Tensor) -> None:
        """Adapt to how many notes play, (P,), in the step just composed."""
        if self.adapts:
            lower = self.values.clamp(max=1.0) - STEP_DOWN
            back = self.values + WAY_BACK * (1.0 - self.values)
            self.values = torch.where(playing < FEW_NOTES, lower, back)


@torch.inference_mode()
def compose(
    model: nn.Module,
    primers: np.ndarray,
    steps: int,
    seeds: Sequence[int],
    *,
    conservativity: Conservativity = "paper",
    temperature: float = 1.0,
) -> np.ndarray:
    """Compose P pieces of `steps` steps, the primer among them: uint8 of shape (P, steps, ...).

    `primers` (P, k, ...) with k >= 1 holds note states (78, 2) or piano-roll rows (88), whichever
    the model reads. A piece depends on its primer and seed alone, not on the others beside it.
    """
    validate(primers, steps, seeds, conservativity, temperature)
    model.eval()
    device = next(model.parameters()).device
    known = torch.from_numpy(primers).to(device).float()
    noise = _noise(seeds, (steps, *primers.shape[2:]))
    powers = Powers(conservativity, len(primers), device)
    memory, notes, piece = model.begin(len(primers)), known[:, 0], []
    for step in range(steps):
        if step < known.shape[1]:
            notes = known[:, step]
        piece.append(notes.byte())
        coins = Coins(noise[:, step].to(device), powers.values, temperature)
        notes, memory = model.step(notes, memory, coins)
        if step + 1 >= known.shape[1]:  # what the primer overrides was never heard
            powers.hear(notes.reshape(len(notes), len(notes[0]), -1)[..., 0].sum(dim=1))
    return torch.stack(piece, dim=1).cpu().numpy()


def validate(
    primers: np.ndarray,
    steps: int,
    seeds: Sequence[int],
    conservativity: Conservativity,
    temperature: float,
) -> None:
    """Raise ValueError for options that cannot be composed with, naming the value."""
    if conservativity not in ("paper", "off") and not float(conservativity) >= 0:
        raise ValueError(f"conservativity {conservativity}: give paper, off or a number from 0 up")
    if len(seeds) != len(primers):
        raise ValueError(f"{len(primers)} primers but {len(seeds)} seeds: give one a piece")
    if not 1 <= primers.shape[1] <= steps:
        raise ValueError(f"a primer of {primers.shape[1]} steps in a piece of {steps}")
    if not temperature > 0:
        raise ValueError(f"temperature {temperature} is not above 0")


def _noise(seeds: Sequence[int], shape: tuple[int, ...]) -> Tensor:
    """Uniform numbers (P, *shape), each piece's from its own seed."""
    draws = [torch.rand(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(draws)


def piece_seeds(seed: int, pieces: int) -> list[int]:
    """One seed a piece from one seed for all."""
    return [seed_of(seed, piece) for piece in range(pieces)]


def draw_primers(
    pieces: Sequence[np.ndarray], count: int, seed: int, segment: int | None = None
) -> np.ndarray:
    """First steps of random segments of `segment` steps, or of random pieces: (count, 1, ...).

    Segments start at a measure, as in training.
    """
    generator = np.random.default_rng(seed)
    usable = [piece for piece in pieces if len(piece) >= (segment or 1)]
    chosen = []
    for _ in range(count):
        piece = usable[generator.integers(len(usable))]
        starts = (len(piece) - segment) // STEPS_PER_MEASURE + 1 if segment else 1
        start = generator.integers(starts) * STEPS_PER_MEASURE
        chosen.append(piece[start : start + 1])
    return np.stack(chosen)
