"""Endings on the tonic (section 4): how often a piece closes where its key is at home."""

import numpy as np

from musiclib.music.keys import estimate_key
from musiclib.music.note_states import LOWEST_PITCH, PLAY


def on_tonic(states: np.ndarray) -> np.ndarray:
    """Whether the lowest note is the tonic of the piece's key, step by step: bool (n,).

    `states` (T, 78, 2); n is the number of steps with a note, in order.
    """
    play = states[..., PLAY].astype(bool)
    lowest = play[play.any(axis=1)].argmax(axis=1)
    return (lowest + LOWEST_PITCH) % 12 == estimate_key(states, "paper").tonic


def endings(pieces: list[np.ndarray]) -> tuple[float, float]:
    """Shares, from 0 to 1: of pieces that end on the tonic, and of all their sounding steps on it.

    The second is what ending anywhere would give. NaN where no piece sounds.
    """
    steps = [steps for piece in pieces if len(steps := on_tonic(piece))]
    if not steps:
        return float("nan"), float("nan")
    return float(np.mean([piece[-1] for piece in steps])), float(np.concatenate(steps).mean())
