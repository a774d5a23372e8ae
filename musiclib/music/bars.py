"""Bars of 16 steps, the unit that ISL and PCA look at, and the density of notes."""

from collections.abc import Iterable, Sequence

import numpy as np

from musiclib.base.errors import InputError
from musiclib.music.note_states import NOTES, PLAY

STEPS_PER_BAR = 16
CELLS = STEPS_PER_BAR * NOTES * 2


def bars(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """Lay pieces (T, 78, 2) end to end and cut them into bars: uint8 of shape (n, 2496).

    A last incomplete bar is dropped; a bar may span two pieces, as published.
    """
    stream = np.concatenate([*pieces, np.zeros((0, NOTES, 2), np.uint8)])
    whole = len(stream) // STEPS_PER_BAR * STEPS_PER_BAR
    return stream[:whole].reshape(-1, CELLS)


def piece_bars(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """All whole bars of pieces (T, 78, 2), each piece cut by itself: uint8 (n, 2496)."""
    return np.concatenate([bars([]), *(bars([piece]) for piece in pieces)])


def cell_frequencies(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """How often each cell is played in the bars of pieces, float64 of shape (2496,).

    Raises InputError where the pieces hold no whole bar.
    """
    counts, number = np.zeros(CELLS, np.int64), 0
    for piece in pieces:
        own = bars([piece])
        counts, number = counts + own.sum(axis=0, dtype=np.int64), number + len(own)
    if not number:
        raise InputError("no reference bar of 16 steps: there is too little music")
    return counts / number


def window_frequencies(pieces: Sequence[np.ndarray], steps: int) -> np.ndarray:
    """How often each cell is on in all windows of `steps` steps, float64 of shape (steps * 156,).

    Raises InputError where no piece is as long as a window.
    """
    counts, windows = np.zeros((steps, NOTES, 2), np.int64), 0
    for piece in (piece for piece in pieces if len(piece) >= steps):
        own, states = len(piece) - steps + 1, np.asarray(piece)
        before = np.concatenate([np.zeros((1, NOTES, 2), np.int64), states.cumsum(0, np.int64)])
        counts += before[own:] - before[:steps]
        windows += own
    if not windows:
        raise InputError(f"no piece has the {steps} steps of a window: add longer pieces")
    return np.ravel(counts) / windows


def draw_bars(pieces: Sequence[np.ndarray], most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` bars of pieces, in random order, and the number of each one's piece."""
    counts = [len(piece) // STEPS_PER_BAR for piece in pieces]
    number = np.repeat(np.arange(len(pieces)), counts)
    chosen = np.random.default_rng(seed).permutation(len(number))[:most]
    return piece_bars(pieces)[chosen], number[chosen]


def density(pieces: Iterable[np.ndarray]) -> float:
    """Notes sounding per step, over all steps of all pieces; 0 where there is no step."""
    steps = sounding = 0
    for piece in pieces:
        steps, sounding = steps + len(piece), sounding + int(piece[..., PLAY].sum())
    return sounding / steps if steps else 0.0
