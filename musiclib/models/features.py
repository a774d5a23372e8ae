"""The 80 input features of the biaxial RNN, for every note and step (section 2.2, reference [7]).

In order: note index (1), pitch class one-hot (12), vicinity (50: play and articulate of the notes
from an octave below to an octave above), context (12: how many notes of each pitch class sound,
the note's own class first), beat (4: the low bits of the position in the bar as -1/+1), zero (1).
Of a keyboard whose notes have one bit, play, the vicinity has 25 and there are 55.

As published the position is the step index. Four bits count to 16: in longer bars the beat begins
anew at the 17th step, which only what was heard before tells from the first.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from musiclib.music.note_states import LOWEST_PITCH, NOTES, PLAY

FEATURES = 80
INDEX = 0  # of the note index
BITS = 2  # play and articulate
OCTAVE = 12
BEAT_BITS = 4


class Keyboard(NamedTuple):
    """The notes that a network plays: their lowest MIDI pitch, how many, and the bits of each."""

    lowest: int = LOWEST_PITCH
    notes: int = NOTES
    bits: int = BITS

    @property
    def features(self) -> int:
        """How many features each note has."""
        return FEATURES - (BITS - self.bits) * (2 * OCTAVE + 1)


STATES = Keyboard()  # of note states


def features(states: Tensor, first_step: int | Tensor = 0, keyboard: Keyboard = STATES) -> Tensor:
    """Features, float32 of shape (..., T, 78, 80), of note states (..., T, 78, 2).

    `first_step` is the position of the first row, for the beat: a number, or a tensor (). States
    (..., T, 78, 3) hold every step's own position in the third plane. Another keyboard has other
    sizes.
    """
    beat = _beat(_positions(states, first_step, keyboard.bits)).unsqueeze(-2)
    states = states[..., : keyboard.bits].float()
    shape = states.shape[:-1]  # (..., T, N)
    classes = (torch.arange(keyboard.notes, device=states.device) + keyboard.lowest) % OCTAVE
    parts = [
        _pitch(classes).expand(*shape, 1 + OCTAVE),
        _vicinity(states),
        _context(states[..., PLAY], classes),
        beat.expand(*shape, BEAT_BITS),
        states.new_zeros(*shape, 1),
    ]
    return torch.cat(parts, dim=-1)


def _pitch(classes: Tensor) -> Tensor:
    """Note index and pitch class one-hot: (N, 13)."""
    index = torch.arange(len(classes), device=classes.device, dtype=torch.float32)
    return torch.cat([index[:, None], F.one_hot(classes, OCTAVE).float()], dim=1)


def _vicinity(states: Tensor) -> Tensor:
    """The 25 notes around each note: (..., N, 25 bits), zeros outside the range."""
    padded = F.pad(states, (0, 0, OCTAVE, OCTAVE))
    windows = padded.unfold(-2, 2 * OCTAVE + 1, 1)  # (..., N, bits, 25)
    return windows.transpose(-1, -2).flatten(-2)


def _context(play: Tensor, classes: Tensor) -> Tensor:
    """Notes sounding in each pitch class, the note's own class first: (..., N, 12)."""
    counts = play @ F.one_hot(classes, OCTAVE).float()  # (..., 12)
    rotation = (classes[:, None] + torch.arange(OCTAVE, device=play.device)) % OCTAVE  # (N, 12)
    return counts[..., rotation]


def _positions(states: Tensor, first_step: int | Tensor, bits: int) -> Tensor:
    """Where each step lies in its bar: (T,) counted on from the first, or (..., T) as given."""
    if states.shape[-1] > bits:
        return states[..., 0, bits].long()
    return first_step + torch.arange(states.shape[-3], device=states.device)


def _beat(positions: Tensor) -> Tensor:
    """Positions (..., T) as four bits, lowest first, -1 or +1: (..., T, 4)."""
    bits = torch.arange(BEAT_BITS, device=positions.device)
    return ((positions[..., None] >> bits) & 1).float() * 2 - 1
