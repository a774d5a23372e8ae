"""Composing many pieces at once with any network (sections 2.2 and 2.4)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from musiclib.base.errors import InputError
from musiclib.base.seeds import seed_of
from musiclib.corpus.batches import Grids, starts_of_segments
from musiclib.models.model import Network
from musiclib.models.sampling import Coins, Conservativity, Powers
from musiclib.music.bars import STEPS_PER_BAR

PIECES_AT_ONCE_ON_GPU = 500
PIECES_AT_ONCE = 25  # on a processor, so that memory and cost a piece stay the same for more


def compose(
    model: Network,
    primers: np.ndarray,
    steps: int,
    seeds: Sequence[int],
    *,
    conservativity: Conservativity | Sequence[Conservativity] = "paper",
    temperature: float | Sequence[float] = 1.0,
    density: float | None = None,
    bar: int = STEPS_PER_BAR,
    fast: bool = True,
    progress: Callable[[int], None] = lambda steps: None,
) -> np.ndarray:
    """Compose P pieces of `steps` steps, the primer among them: uint8 of shape (P, steps, ...).

    `primers` (P, k, ...) with k >= 1 holds note states (78, 2) or piano-roll rows (88), whichever
    the model reads. Conservativity and temperature are one for all, or one a piece. A piece depends
    on its own primer, seed and settings alone, not on the others beside it. A bar of a network that
    hears bars has `bar` steps, 12 for 3/4 or 6/8; a piece begins with one. Raises ValueError for
    options that cannot be composed with. `fast=False` steps through the model as it is written.
    `progress` is told every step how many steps of all pieces are composed.
    """
    powers = _one_a_piece(conservativity, "conservativity", len(primers))
    temperatures = _one_a_piece(temperature, "temperature", len(primers))
    validate(primers, steps, seeds, powers, temperatures)
    _validate_bar(model, bar)
    stepper = model.eval().fast() if fast else model.eval()
    device = next(model.parameters()).device
    at_once = PIECES_AT_ONCE if device.type == "cpu" else PIECES_AT_ONCE_ON_GPU
    blocks = []
    for first in range(0, len(primers), at_once):
        some = slice(first, first + at_once)
        block = _compose(
            stepper,
            torch.from_numpy(primers[some]).to(device).float(),
            _noise(seeds[some], (steps, *primers.shape[2:])).to(device),
            Powers(powers[some], device, [density] * len(powers[some])),
            torch.tensor(temperatures[some], dtype=torch.float32, device=device),
            lambda done, before=first * steps: progress(before + done),
            **({"bar": bar} if model.hears_bars else {}),
        )
        blocks.append(block)
    return np.concatenate(blocks)


@torch.inference_mode()
def _compose(
    stepper: Any,
    known: Tensor,
    noise: Tensor,
    powers: Powers,
    temperature: Tensor,
    progress: Callable[[int], None],
    **bar: int,
) -> np.ndarray:
    """Pieces that go on from what is known of them, step by step."""
    steps, primer = noise.shape[1], known.shape[1]
    memory, notes = stepper.begin(len(known), **bar), known[:, 0]
    piece = []
    for step in range(steps):
        if step < primer:
            notes = known[:, step]
        piece.append(notes.byte())
        coins = Coins(noise[:, step], powers.values, temperature)
        notes, memory = stepper.step(notes, memory, coins)
        if step + 1 >= primer:  # what the primer overrides was never heard
            powers.hear(notes.reshape(len(notes), len(notes[0]), -1)[..., 0].sum(dim=1))
        progress((step + 1) * len(notes))
    return torch.stack(piece, dim=1).cpu().numpy()


def _one_a_piece(value: Any, name: str, pieces: int) -> list:
    if isinstance(value, str) or np.ndim(value) == 0:
        return [value if isinstance(value, str) else float(value)] * pieces
    if len(value) != pieces:
        raise ValueError(f"{len(value)} values of {name} for {pieces} pieces: give one a piece")
    return list(value)


def validate(
    primers: np.ndarray,
    steps: int,
    seeds: Sequence[int],
    conservativity: Sequence[Conservativity],
    temperature: Sequence[float],
) -> None:
    """Raise ValueError for options that cannot be composed with, naming the value."""
    for kind in conservativity:
        if kind not in ("paper", "off") and not float(kind) >= 0:
            raise ValueError(f"conservativity {kind}: give paper, off or a number from 0 up")
    if len(seeds) != len(primers):
        raise ValueError(f"{len(primers)} primers but {len(seeds)} seeds: give one a piece")
    if not 1 <= primers.shape[1] <= steps:
        raise ValueError(f"a primer of {primers.shape[1]} steps in a piece of {steps}")
    for value in temperature:
        if not value > 0:
            raise ValueError(f"temperature {value} is not above 0")


def _validate_bar(model: Network, bar: int) -> None:
    if bar < 1:
        raise ValueError(f"a bar of {bar} steps: give 1 or more")
    if bar != STEPS_PER_BAR and not model.hears_bars:
        raise ValueError(f"a bar of {bar} steps: this network hears no bars; leave it out")


def _noise(seeds: Sequence[int], shape: tuple[int, ...]) -> Tensor:
    """Uniform numbers (P, *shape), each piece's from its own seed."""
    draws = [torch.rand(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(draws)


def piece_seeds(seed: int, pieces: int) -> list[int]:
    """One seed a piece from one seed for all."""
    return [seed_of(seed, piece) for piece in range(pieces)]


def draw_primers(
    pieces: Sequence[np.ndarray],
    count: int,
    seed: int,
    segment: int | None = None,
    positions: Grids | None = None,
) -> np.ndarray:
    """First steps of random segments of `segment` steps, or of random pieces: (count, 1, ...).

    Segments start at a bar, as in training: at a true one where a piece has positions.
    """
    generator = np.random.default_rng(seed)
    starts = [range(min(len(piece), 1)) for piece in pieces]
    if segment:
        starts = starts_of_segments(pieces, segment, STEPS_PER_BAR, positions)
    usable = [index for index, some in enumerate(starts) if len(some)]
    if not usable:
        raise InputError(f"no piece has the {segment or 1} steps to draw a beginning from")
    chosen = []
    for _ in range(count):
        index = usable[generator.integers(len(usable))]
        start = starts[index][generator.integers(len(starts[index]))]
        chosen.append(pieces[index][start : start + 1])
    return np.stack(chosen)
