"""Transposition, time reversal and legal articulation of note states (section 2.2)."""

import numpy as np

from musiclib.music.note_states import ARTICULATE, PLAY


def shift(states: np.ndarray, interval: int) -> np.ndarray:
    """Move every note up `interval` semitones; axis 1 is pitch, what leaves the range is lost.

    Works on note states (T, 78, 2) and on piano rolls (T, 88); what lies on disk stays there.
    """
    if hasattr(states, "shifted"):
        return states.shifted(interval)
    moved = np.zeros_like(states)
    notes = states.shape[1]
    if interval >= 0:
        moved[:, interval:] = states[:, : max(notes - interval, 0)]
    else:
        moved[:, :interval] = states[:, -interval:]
    return moved


def moved(states: np.ndarray, interval: int) -> np.ndarray:
    """Every note up `interval` semitones, or as near to it as no note leaves the range."""
    sounding = np.flatnonzero(states.any(axis=(0, *range(2, states.ndim)))) if interval else []
    if not len(sounding):
        return states
    room = -sounding[0], states.shape[1] - 1 - sounding[-1]
    return shift(states, int(np.clip(interval, *room)))


def legal(states: np.ndarray) -> np.ndarray:
    """The states as they sound: what is struck plays, what plays out of silence is struck."""
    play = states[..., PLAY].astype(bool)
    before = np.zeros_like(play)
    before[1:] = play[:-1]
    struck = play & (states[..., ARTICULATE].astype(bool) | ~before)
    return np.stack([play, struck], axis=-1).astype(np.uint8)


def reverse_time(states: np.ndarray) -> np.ndarray:
    """Play states (T, 78, 2) backwards: a note is struck where it used to end.

    Its own inverse on legal states.
    """
    play = states[..., PLAY].astype(bool)
    ends = play.copy()
    ends[:-1] &= ~play[1:] | states[1:, :, ARTICULATE].astype(bool)
    return np.stack([play, ends], axis=-1)[::-1].astype(np.uint8)
