"""The four piano-roll benchmarks of Boulanger-Lewandowski, Bengio and Vincent (2012).

Every frame says which of the 88 keys of a piano are down: at each quarter note of the chorales, at
each eighth of the others. All is in C major or C minor already, and divided into pieces to train
on, to choose by, and to test with.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from musiclib.base.errors import InputError
from musiclib.corpus.collections import PIANO_ROLLS
from musiclib.corpus.download import bring, wanting
from musiclib.corpus.levels import HELD_OUT, MAIN
from musiclib.corpus.sets import Corpus, Piece
from musiclib.music.piano_roll import KEYS
from musiclib.music.representations import states_of

FILES = {  # by name, in the order of the field's tables
    "JSB chorales": "JSB_Chorales.mat",
    "MuseData": "MuseData.mat",
    "Nottingham": "Nottingham.mat",
    "Piano-midi.de": "Piano_midi.mat",
}
PARTS = {"train": "traindata", "validation": "validdata", "test": "testdata"}


class FrameSet(NamedTuple):
    """The rolls of a set, uint8 of shape (frames, 88) each, column 0 being MIDI pitch 21."""

    train: list[np.ndarray]
    validation: list[np.ndarray]
    test: list[np.ndarray]


def are_here() -> bool:
    """Whether all four sets are there with the right bytes, without asking the network."""
    return not wanting(PIANO_ROLLS)


def read_frame_set(name: str) -> FrameSet:
    """A set of `FILES`; what is missing is downloaded, and every byte of it is verified.

    Raises InputError for another name, for files that cannot be had, and for what is no such set.
    """
    if name not in FILES:
        raise InputError(f"unknown set {name!r}: choose one of {', '.join(FILES)}")
    path = bring(PIANO_ROLLS) / FILES[name]
    try:
        content = loadmat(path, variable_names=[*PARTS.values()])
        return FrameSet(*([_roll(each) for each in content[p].ravel()] for p in PARTS.values()))
    except (MatReadError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not a set of piano rolls ({error}); download it anew") from None


def _roll(array: np.ndarray) -> np.ndarray:
    if array.ndim != 2 or array.shape[1] != KEYS or not np.isin(array, (0, 1)).all():
        raise ValueError(f"a roll of shape {array.shape}, or other numbers than 0 and 1")
    return array.astype(np.uint8)


def training_corpus(name: str) -> Corpus:
    """The set as networks are trained on it, its validation pieces held out; no test piece."""
    pieces = read_frame_set(name)
    return Corpus(
        {
            MAIN: _pieces(f"{name}/train", pieces.train),
            HELD_OUT: _pieces(f"{name}/validation", pieces.validation),
        }
    )


def _pieces(place: str, rolls: Sequence[np.ndarray]) -> list[Piece]:
    return [Piece(f"{place}/{i:04}", states_of(roll), roll) for i, roll in enumerate(rolls)]
