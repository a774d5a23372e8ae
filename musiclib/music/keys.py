"""Key estimation and normalisation to C major or A minor (section 2.2)."""

from typing import NamedTuple

import numpy as np

from musiclib.music.note_states import LOWEST_PITCH, PLAY
from musiclib.music.transforms import shift

# Probe-tone ratings: Krumhansl and Kessler 1982, as in Krumhansl, Cognitive Foundations of Musical
# Pitch (1990), tonic first.
PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
HOME = {"major": 0, "minor": 9}


class Key(NamedTuple):
    """A tonic (0 is C, 11 is B), a mode and the correlation that speaks for it."""

    tonic: int
    mode: str
    correlation: float

    @property
    def interval(self) -> int:
        """Semitones from here to C major or A minor by the shorter way, -6 to 5."""
        return (HOME[self.mode] - self.tonic + 6) % 12 - 6


class Normalised(NamedTuple):
    """States in C major or A minor, how far they were moved, and what fell off the edge."""

    states: np.ndarray
    interval: int
    cut: np.ndarray

    def undo(self) -> np.ndarray:
        """The states before normalisation, exactly."""
        moved, n = self.states, abs(self.interval)
        if self.interval >= 0:
            return np.concatenate([moved[:, n:], self.cut], axis=1)
        return np.concatenate([self.cut, moved[:, : moved.shape[1] - n]], axis=1)


def pitch_class_steps(states: np.ndarray) -> np.ndarray:
    """How many steps each pitch class sounds: (12,), C first, from states (T, 78, 2)."""
    steps = states[..., PLAY].sum(axis=0, dtype=np.int64)
    return np.bincount((np.arange(len(steps)) + LOWEST_PITCH) % 12, steps, minlength=12)


def estimate_key(states: np.ndarray) -> Key:
    """The key whose rotated profile correlates best with the durations (Krumhansl-Schmuckler).

    Silence has no key: it counts as C major with correlation 0, so that it stays where it is.
    """
    weights = pitch_class_steps(states)
    if weights.std() == 0:
        return Key(0, "major", 0.0)
    keys = (
        Key(tonic, mode, float(np.corrcoef(np.roll(profile, tonic), weights)[0, 1]))
        for mode, profile in PROFILES.items()
        for tonic in range(12)
    )
    return max(keys, key=lambda key: key.correlation)


def normalise_key(states: np.ndarray, key: Key | None = None) -> Normalised:
    """Transpose states (T, 78, 2) from `key` (by default the estimated one) to C major / A minor.

    Notes that leave the 78 are kept in `cut`, so that `undo` gives the input back.
    """
    interval = (key or estimate_key(states)).interval
    notes = states.shape[1]
    cut = states[:, notes - interval :] if interval >= 0 else states[:, :-interval]
    return Normalised(shift(states, interval), interval, cut)
