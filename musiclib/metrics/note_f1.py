"""How like a piece is to another one, note by note: F1 of strikes, as for a restored piece.

A note is right where the other piece strikes the same pitch at the same step.
"""

from typing import NamedTuple

import numpy as np

from musiclib.music.bars import density
from musiclib.music.note_states import ARTICULATE, PLAY


class Likeness(NamedTuple):
    """How like a piece is to another one: F1 of strikes, F1 of sounding cells, ratio of density."""

    f1: float
    f1_sounding: float
    density: float


def likeness(piece: np.ndarray, original: np.ndarray) -> Likeness:
    """Compare a piece with the original, both (T, 78, 2)."""
    return Likeness(
        f1(piece, original, ARTICULATE),
        f1(piece, original, PLAY),
        density([piece]) / density([original]) if original.any() else float(not piece.any()),
    )


def f1(first: np.ndarray, second: np.ndarray, bit: int = ARTICULATE) -> float:
    """Harmonic mean of precision and recall of the bits of two pieces; 1 for two silent ones."""
    ours, theirs = first[..., bit] == 1, second[..., bit] == 1
    total = int(ours.sum()) + int(theirs.sum())
    return 2 * int((ours & theirs).sum()) / total if total else 1.0
