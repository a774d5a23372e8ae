"""Key estimation and normalisation to C major or A minor (section 2.2).

How often either way is right, and how well the confidence tells, stands in docs/keys.md.
"""

from typing import Literal, NamedTuple

import numpy as np

from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import LOWEST_PITCH, PLAY
from musiclib.music.transforms import shift

How = Literal["opening", "paper"]

# Tonic first. "opening": how often the degrees sound in chords of composers of the 18th and 19th
# centuries, counted by Budge 1943 and weighed by Bellmann, About the Determination of Key of a
# Musical Excerpt (CMMR 2005). "paper": probe-tone ratings, Krumhansl and Kessler 1982, as in
# Krumhansl, Cognitive Foundations of Musical Pitch (1990).
PROFILES = {
    "opening": {
        "major": (16.80, 0.86, 12.95, 1.41, 13.49, 11.93, 1.25, 20.28, 1.80, 8.04, 0.62, 10.57),
        "minor": (18.16, 0.69, 12.99, 13.34, 1.07, 11.15, 1.38, 21.07, 7.49, 1.53, 0.92, 10.21),
    },
    "paper": {
        "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    },
}
MODES = ("major", "minor")
HOME = {"major": 0, "minor": 9}
ROUNDING = 1e-12
OPENING = 8 * STEPS_PER_BAR


class Key(NamedTuple):
    """A tonic (0 is C, 11 is B), a mode, the correlation that speaks for it, and a confidence.

    With correlations r of this key and s of the next best one, the confidence is
    (r - s) / (1 - s), from 0 to 1: by what share the next best key fits worse.
    """

    tonic: int
    mode: str
    correlation: float
    confidence: float = 0.0

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


def opening_steps(states: np.ndarray, steps: int = OPENING) -> np.ndarray:
    """The same, (12,), of so many steps from the first note on: eight bars."""
    first = states[..., PLAY].any(axis=1).argmax()
    return pitch_class_steps(states[first : first + steps])


def estimate_key(states: np.ndarray, how: How = "opening") -> Key:
    """The key of states (T, 78, 2), whose profile correlates best with how long pitches sound.

    `"opening"` counts the first eight bars as much as the whole piece: pieces begin in the key
    that they are named after. `"paper"` is what all trained runs were normalised by: durations of
    the whole piece alone, and older profiles (Krumhansl-Schmuckler).
    """
    whole = pitch_class_steps(states)
    return key_of(whole if how == "paper" else with_opening(whole, opening_steps(states)), how)


def with_opening(whole: np.ndarray, opening: np.ndarray) -> np.ndarray:
    """Weights (12,), float64: shares of `pitch_class_steps` plus shares of `opening_steps`.

    A collection that keeps these two for each piece can do without the pieces.
    """
    return whole / max(whole.sum(), 1) + opening / max(opening.sum(), 1)


def key_of(weights: np.ndarray, how: How = "opening") -> Key:
    """The key whose rotated profile correlates best with weights (12,) of the pitch classes.

    Silence has no key: it counts as C major with correlation 0, so that it stays where it is.
    """
    if np.ptp(weights) == 0:
        return Key(0, "major", 0.0)
    above = weights - np.mean(weights)
    fits = ROTATED[how] @ (above / np.linalg.norm(above))
    best = _best(fits, weights, how)
    correlation, following = float(fits[best]), float(np.delete(fits, best).max())
    confidence = max(0.0, (correlation - following) / (1 - following))
    mode, tonic = divmod(best, 12)
    return Key(tonic, MODES[mode], correlation, confidence)


def _best(fits: np.ndarray, weights: np.ndarray, how: How) -> int:
    """Where the best of 24 fits is; ties are broken as where each fit is computed by itself."""
    level = np.flatnonzero(fits > fits.max() - ROUNDING)
    if len(level) > 1:  # trained runs rest on what np.corrcoef says then
        alone = [np.corrcoef(_profile(how, at), weights)[0, 1] for at in level]
        return int(level[np.argmax(alone)])
    return int(level[0])


def _profile(how: How, at: int) -> np.ndarray:
    """The profile (12,), C first, of one of the 24 keys: C major to B major, C minor to B minor."""
    mode, tonic = divmod(at, 12)
    return np.roll(PROFILES[how][MODES[mode]], tonic)


def _rotated(how: How) -> np.ndarray:
    """Rows (24, 12) of mean 0 and length 1: their products with such weights are correlations."""
    rows = np.array([_profile(how, at) for at in range(24)])
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


ROTATED = {how: _rotated(how) for how in PROFILES}


def normalise_key(states: np.ndarray, key: Key | None = None) -> Normalised:
    """Transpose states (T, 78, 2) from `key` (by default the estimated one) to C major / A minor.

    Notes that leave the 78 are kept in `cut`, so that `undo` gives the input back.
    """
    interval = (key or estimate_key(states)).interval
    notes = states.shape[1]
    cut = states[:, notes - interval :] if interval >= 0 else states[:, :-interval]
    return Normalised(shift(states, interval), interval, cut)
