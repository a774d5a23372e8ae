"""Metrics that other libraries have under a name, written down plainly for note states."""

import numpy as np

from musiclib.music.keys import pitch_class_steps
from musiclib.music.note_states import ARTICULATE, LOWEST_PITCH, NOTES, PLAY, STEPS_PER_BEAT
from musiclib.music.notes import notes_of


def metrics_of(states: np.ndarray) -> dict[str, float | np.ndarray]:
    """The metrics of note states (T, 78, 2), up to the last step that sounds."""
    play = states[..., PLAY].astype(bool)
    steps = int(np.flatnonzero(play.any(axis=1)).max(initial=-1)) + 1
    sounding = play[:steps].sum(axis=1)
    used = np.flatnonzero(play.any(axis=0)) + LOWEST_PITCH
    beats = np.add.reduceat(sounding, np.arange(0, steps, STEPS_PER_BEAT))
    lengths = np.diff(notes_of(states)[:, :2])
    classes = pitch_class_steps(states)
    return {
        "pitch range": used.max() - used.min(),
        "pitches used": len(used),
        "pitch classes used": len(set(used % 12)),
        "polyphony": sounding.sum() / (sounding > 0).sum(),
        "three or more sound": (sounding > 2).mean(),
        "pitch-class entropy": entropy(strikes_of(states)),
        "empty beats": (beats == 0).mean(),
        "notes of two steps or more": (lengths >= 2).mean(),
        "pitch-class histogram": classes / classes.sum(),
    }


def strikes_of(states: np.ndarray) -> np.ndarray:
    """How often each pitch class is struck: (12,), C first."""
    strikes = states[..., ARTICULATE].sum(axis=0, dtype=np.int64)
    return np.bincount((np.arange(NOTES) + LOWEST_PITCH) % 12, strikes, minlength=12)


def entropy(counts: np.ndarray) -> float:
    """Entropy of a histogram, bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())
