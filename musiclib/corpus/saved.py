"""A corpus as one .npz file, for machines without music21 or the files; it runs no code."""

import json
from pathlib import Path

import numpy as np

from musiclib.base.arrays import Arrays, Header, must_be, must_fit_memory, opened_arrays, reason
from musiclib.base.errors import InputError
from musiclib.base.files import DAMAGED
from musiclib.base.progress import waiting
from musiclib.base.writing import replacing
from musiclib.corpus import door
from musiclib.corpus.levels import HELD_OUT, MAIN
from musiclib.corpus.sets import Corpus, Piece
from musiclib.music.note_states import NOTES
from musiclib.music.piano_roll import KEYS

OPTIONAL = "positions"
ARRAYS = {  # of a piece: their dtype, and the shape of a step
    "states": (np.uint8, (NOTES, 2)),
    "roll": (np.uint8, (KEYS,)),
    OPTIONAL: (np.uint16, ()),
}


@waiting("writing the corpus")
def save(corpus: Corpus, path: Path) -> None:
    """Save a corpus as one .npz, for machines without music21 or the files.

    Raises InputError for pieces that `load` would refuse, and for another suffix.
    """
    if path.suffix != ".npz":
        raise InputError(f"{path}: a saved corpus must be named .npz")
    named = door.named(corpus.sets)
    for _, piece in named:
        _must_be_music(piece)
    arrays = {
        f"{kind}{i}": np.asarray(getattr(p, kind))
        for i, (_, p) in enumerate(named)
        for kind in ARRAYS
        if getattr(p, kind) is not None
    }
    arrays["sets"] = np.array([name for name, _ in named])
    arrays["names"] = np.array([piece.name for _, piece in named])
    arrays["left_out"] = np.array(json.dumps(corpus.left_out))
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


@waiting("loading the corpus")
def load(path: Path) -> Corpus:
    """Load what `save` wrote; raises InputError for another kind of file, and for a damaged one."""
    try:
        with opened_arrays(path) as stored:
            labels = door.labels(stored)
            left_out = door.left_out(door.told(stored, "left_out"))
            _check_headers(stored, len(labels))
            must_fit_memory(stored.bytes, "in one file, not in .shards, it")
            sets: dict[str, list[Piece]] = {}
            for i, (group, name) in enumerate(labels):
                sets.setdefault(group, []).append(_piece(stored, i, name))
        return Corpus(sets | {MAIN: sets[MAIN], HELD_OUT: sets[HELD_OUT]}, **left_out)
    except DAMAGED as error:
        why = f"not a corpus saved by musiclib ({reason(error)})"
        raise InputError(f"{path}: {why}; save it anew by `corpus --save`") from error


def _check_headers(stored: Arrays, pieces: int) -> None:
    """Raise ValueError unless each piece has its arrays, and there are no others."""
    known = {*door.LABELS, "left_out"}
    for i in range(pieces):
        own = {k: f"{k}{i}" for k in ARRAYS if k != OPTIONAL or f"{k}{i}" in stored}
        _must_be_arrays({k: door.header(stored, name) for k, name in own.items()}, str(i))
        known |= set(own.values())
    if unknown := stored.keys() - known:
        raise ValueError(f"{min(unknown)}: no array of a corpus")


def _must_be_arrays(headers: dict[str, Header], label: str) -> None:
    """Raise ValueError for a piece's arrays of other dtypes, shapes and lengths."""
    for kind, header in headers.items():
        dtype, step = ARRAYS[kind]
        must_be(f"{kind}{label}", header, dtype, None, *step)
        door.must_be_long(f"{kind}{label}", header.shape[0])
    steps = headers["states"].shape[0]
    if OPTIONAL in headers and (bars := headers[OPTIONAL].shape[0]) != steps:
        raise ValueError(f"{OPTIONAL}{label}: {bars:,} for {steps:,} steps")


def _must_be_values(arrays: dict[str, np.ndarray], label: str) -> None:
    """Raise ValueError for values that no music has."""
    door.must_be_states(f"states{label}", arrays["states"])
    door.must_be_bits(f"roll{label}", arrays["roll"])
    if OPTIONAL in arrays:
        door.must_be_bars(f"{OPTIONAL}{label}", arrays[OPTIONAL])


def _piece(stored: Arrays, i: int, name: str) -> Piece:
    arrays = {kind: stored[f"{kind}{i}"] for kind in ARRAYS if f"{kind}{i}" in stored}
    _must_be_values(arrays, str(i))
    return Piece(name, **arrays)


def _must_be_music(piece: Piece) -> None:
    """Raise InputError for a piece that could not be loaded again."""
    there = {kind: getattr(piece, kind) for kind in ARRAYS}
    arrays = {k: np.ascontiguousarray(a) for k, a in there.items() if a is not None}
    headers = {k: Header(a.dtype, a.shape, False, 0) for k, a in arrays.items()}
    try:
        _must_be_arrays(headers, "")
        _must_be_values(arrays, "")
    except ValueError as error:
        raise InputError(f"{piece.name}: not music that can be saved ({error})") from None
