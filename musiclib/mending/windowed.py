"""Windowed reconstruction as published (section 2.4.3): an RBM slid over music, step by step."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from musiclib.base.device import device
from musiclib.models.checkpoints import load_weights
from musiclib.models.rbm import RBM
from musiclib.music.note_states import NOTES


class Reconstruction(NamedTuple):
    """The two published outputs, uint8 of shape (P, T, 78, 2).

    `newest` took only the last step of every reconstructed window, and all of the first one;
    `whole` took every window whole, later ones in place of earlier ones.
    """

    newest: np.ndarray
    whole: np.ndarray


@torch.inference_mode()
def reconstruct(
    machine: RBM, pieces: np.ndarray, seeds: Sequence[int], *, gibbs_steps: int = 1
) -> Reconstruction:
    """Reconstruct pieces (P, T, 78, 2) of equal length, T at least the machine's window.

    The first window comes of Gibbs sampling from the first steps of the piece. Every other one
    starts from all but the first step of the machine's latest output and the piece's next step.
    A piece's randomness comes from its own seed, so pieces with equal seeds hear the same noise.
    """
    machine = deepcopy(machine).double()  # single precision rounds otherwise in other batches
    window, device = machine.config.window, machine.weights.device
    given = torch.from_numpy(pieces).flatten(2).to(device, torch.float64)  # (P, T, 156)
    if given.shape[1] < window:
        raise ValueError(f"{given.shape[1]} steps: a window has {window}")
    if len(seeds) != len(pieces):
        raise ValueError(f"{len(seeds)} seeds for {len(pieces)} pieces: give each its own")
    generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
    newest, whole = torch.empty_like(given), torch.empty_like(given)
    output = _sampled(machine, given[:, :window], gibbs_steps, generators)
    newest[:, :window] = whole[:, :window] = output
    for step in range(window, given.shape[1]):
        seen = torch.cat([output[:, 1:], given[:, step, None]], dim=1)
        output = _sampled(machine, seen, gibbs_steps, generators)
        newest[:, step] = output[:, -1]
        whole[:, step - window + 1 : step + 1] = output
    return Reconstruction(_states(newest), _states(whole))


def _sampled(machine: RBM, windows: Tensor, steps: int, generators: Sequence) -> Tensor:
    return machine.gibbs(windows.flatten(1), steps, generators).view_as(windows)


def _states(cells: Tensor) -> np.ndarray:
    return cells.unflatten(2, (NOTES, 2)).to(torch.uint8).cpu().numpy()


def reconstruct_with(
    weights: Path, pieces: np.ndarray, seeds: Sequence[int], gibbs_steps: int
) -> Reconstruction:
    """`reconstruct` with the RBM in a weights file."""
    machine, _ = load_weights(weights)
    return reconstruct(machine.to(device()), pieces, seeds, gibbs_steps=gibbs_steps)


def without_feedback(
    weights: Path, pieces: np.ndarray, seeds: Sequence[int], gibbs_steps: int
) -> np.ndarray:
    """The newest step of every window, each started from the music itself: (P, T, 78, 2).

    The first window is taken whole, as in `reconstruct`; nothing of the machine's output comes
    back to it.
    """
    machine = load_weights(weights)[0].to(device()).double()
    size = machine.config.window
    made = []
    for piece, seed in zip(pieces, seeds, strict=True):
        cells = torch.from_numpy(piece).flatten(1).to(machine.weights)  # (T, 156)
        windows = cells.unfold(0, size, 1).transpose(1, 2).flatten(1)  # (T - 15, visible)
        generator = torch.Generator(cells.device).manual_seed(seed)
        output = machine.gibbs(windows, gibbs_steps, generator).unflatten(1, (size, -1))
        made.append(torch.cat([output[0], output[1:, -1]]))
    return _states(torch.stack(made).detach())


def deafened(
    weights: Path, pieces: np.ndarray, seeds: Sequence[int], gibbs_steps: int, windows: np.ndarray
) -> Reconstruction:
    """`reconstruct` by an RBM that cannot hear: its hidden units give what they give on average.

    Weights become zero, and visible biases the mean logits of cells over `windows` (n, visible).
    """
    machine, _ = load_weights(weights)
    with torch.no_grad():
        mean = machine.reconstruction(torch.from_numpy(windows)).mean(dim=0)
        machine.visible_bias.copy_(mean)
        machine.weights.zero_()
    return reconstruct(machine.to(device()), pieces, seeds, gibbs_steps=gibbs_steps)
