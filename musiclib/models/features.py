"""The 80 input features of the biaxial RNN, for every note and step (section 2.2, reference [7]).

In order: note index (1), pitch class one-hot (12), vicinity (50: play and articulate of the notes
from an octave below to an octave above), context (12: how many notes of each pitch class sound,
the note's own class first), beat (4: the low bits of the step index as -1/+1), zero (1).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from musiclib.music.note_states import LOWEST_PITCH, NOTES, PLAY

FEATURES = 80
INDEX = 0  # of the note index
OCTAVE = 12
BEAT_BITS = 4


def features(states: Tensor, first_step: int | Tensor = 0) -> Tensor:
    """Features, float32 of shape (..., T, 78, 80), of note states (..., T, 78, 2).

    `first_step` is the step index of the first row, for the beat: a number, or a tensor ().
    """
    states = states.float()
    shape = states.shape[:-1]  # (..., T, N)
    parts = [
        _pitch(states.device).expand(*shape, 1 + OCTAVE),
        _vicinity(states),
        _context(states[..., PLAY]),
        _beat(shape[-2], first_step, states.device).unsqueeze(-2).expand(*shape, BEAT_BITS),
        states.new_zeros(*shape, 1),
    ]
    return torch.cat(parts, dim=-1)


def _pitch_classes(device: torch.device) -> Tensor:
    return (torch.arange(NOTES, device=device) + LOWEST_PITCH) % OCTAVE


def _pitch(device: torch.device) -> Tensor:
    """Note index and pitch class one-hot: (N, 13)."""
    index = torch.arange(NOTES, device=device, dtype=torch.float32)
    return torch.cat([index[:, None], F.one_hot(_pitch_classes(device), OCTAVE).float()], dim=1)


def _vicinity(states: Tensor) -> Tensor:
    """The 25 notes around each note: (..., N, 50), zeros outside the range."""
    padded = F.pad(states, (0, 0, OCTAVE, OCTAVE))
    windows = padded.unfold(-2, 2 * OCTAVE + 1, 1)  # (..., N, 2, 25)
    return windows.transpose(-1, -2).flatten(-2)


def _context(play: Tensor) -> Tensor:
    """Notes sounding in each pitch class, the note's own class first: (..., N, 12)."""
    classes = _pitch_classes(play.device)
    counts = play @ F.one_hot(classes, OCTAVE).float()  # (..., 12)
    rotation = (classes[:, None] + torch.arange(OCTAVE, device=play.device)) % OCTAVE  # (N, 12)
    return counts[..., rotation]


def _beat(steps: int, first_step: int | Tensor, device: torch.device) -> Tensor:
    """Position in the bar as four bits, lowest first, -1 or +1: (T, 4)."""
    index = (first_step + torch.arange(steps, device=device))[:, None]
    return ((index >> torch.arange(BEAT_BITS, device=device)) & 1).float() * 2 - 1
