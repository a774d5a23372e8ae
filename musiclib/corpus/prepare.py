"""A corpus as a model trains on it: in one key, of one mode, backwards, or less of it (2.2)."""

from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.progress import waiting
from musiclib.corpus.levels import MAIN
from musiclib.corpus.sets import Corpus, Piece
from musiclib.music.bar_grid import backwards, whole_bars
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.packed import Lazy, Packed
from musiclib.music.transforms import reverse_time, shift

Mode = Literal["all", "major", "minor"]


@waiting("preparing the music")
def prepare(
    corpus: Corpus, *, normalise: bool, mode: Mode = "all", reverse: bool = False
) -> Corpus:
    """The corpus as a model trains on it: key-normalised, of one mode, played backwards.

    Raises InputError where no piece of the main corpus is in the mode; other sets may be empty.
    Pieces played backwards are cut to whole bars first, so that bars stay bars.
    """
    sets = {}
    for name, pieces in corpus.sets.items():
        keyed = ((piece, piece.key) for piece in pieces)
        sets[name] = [
            _prepared(piece, key.interval if normalise else 0, reverse)
            for piece, key in keyed
            if mode in ("all", key.mode)
        ]
    if not sets[MAIN]:
        raise InputError(f"no piece of {MAIN} is in {mode}: choose another mode or corpus")
    return replace(corpus, sets=sets)


def _prepared(piece: Piece, interval: int, reverse: bool) -> Piece:
    states, roll = shift(piece.states, interval), shift(piece.roll, interval)
    shifted = Piece(piece.name, states, roll, piece.positions)
    return _backwards(shifted) if reverse else shifted


def _backwards(piece: Piece) -> Piece:
    whole, positions = len(piece.states) // STEPS_PER_BAR * STEPS_PER_BAR, piece.positions
    if positions is not None:
        whole = whole_bars(positions)
        positions = backwards(positions[:whole])
    states = Lazy(whole, piece.states.shape[1:], partial(_reversed_states, piece.states, whole))
    roll = Lazy(len(piece.roll), piece.roll.shape[1:], partial(_reversed_roll, piece.roll))
    backwards_piece = Piece(piece.name, states, roll, positions)
    return backwards_piece if isinstance(piece.states, Packed) else backwards_piece.in_memory()


def _reversed_states(states: np.ndarray, whole: int) -> np.ndarray:
    return reverse_time(states[:whole])


def _reversed_roll(roll: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(roll[::-1])


def some_of(pieces: list[Piece], steps: int, seed: int) -> list[Piece]:
    """Pieces drawn at random until they have `steps` steps, the last one cut to fit."""
    drawn, left = [], steps
    for index in np.random.default_rng(seed).permutation(len(pieces)):
        piece = pieces[index]
        samples = round(len(piece.roll) * min(1.0, left / len(piece.states)))
        positions = None if piece.positions is None else piece.positions[:left]
        drawn.append(Piece(piece.name, piece.states[:left], piece.roll[:samples], positions))
        left -= len(drawn[-1].states)
        if left <= 0:
            break
    return drawn
