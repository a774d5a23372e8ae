"""A corpus as a folder of packed, memory-mapped shards: one larger than memory can be trained on.

`index.npz` names the pieces, their sets and their places; `states-0000.npy`, `roll-0000.npy` and,
with true bars, `positions-0000.npy` hold them end to end. Loading runs no code.
"""

import io
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from musiclib.base.arrays import must_be, npy_header, reason
from musiclib.base.errors import InputError
from musiclib.base.files import DAMAGED
from musiclib.base.progress import waiting
from musiclib.base.writing import new_folder
from musiclib.corpus import door
from musiclib.corpus.facts import Facts
from musiclib.corpus.levels import HELD_OUT, MAIN
from musiclib.corpus.sets import Corpus, Piece
from musiclib.corpus.shards_index import opened_index
from musiclib.music.note_states import NOTES
from musiclib.music.packed import MappedRows, Packed, pack, row_bytes
from musiclib.music.piano_roll import KEYS

SUFFIX = ".shards"
SHARD = 2_000_000  # rows, 40 MB of note states; a piece lies in one shard
STEPS = {"states": (NOTES, 2), "roll": (KEYS,)}
ROWS = {
    **{kind: (np.uint8, (row_bytes(step),)) for kind, step in STEPS.items()},
    "positions": (np.uint16, ()),
}
INDEX = "index.npz"


@waiting("writing the corpus")
def write(corpus: Corpus, folder: Path) -> None:
    """Write a corpus as a new folder, a piece at a time."""
    if folder.suffix != SUFFIX:
        raise InputError(f"{folder}: a folder of shards must be named {SUFFIX}")
    named = door.named(corpus.sets)
    facts = [piece.facts or Facts.of(*map(np.asarray, piece[1:3])) for _, piece in named]
    with new_folder(folder) as aside:
        places = {kind: _write_kind(corpus, kind, aside) for kind in STEPS}
        if any(piece.positions is not None for _, piece in named):
            places["positions"] = _write_kind(corpus, "positions", aside)
        np.savez_compressed(
            aside / INDEX,
            sets=np.array([name for name, _ in named]),
            names=np.array([piece.name for _, piece in named]),
            weights=np.array([f.weights for f in facts]),
            opening=np.array([f.opening for f in facts]),
            about=np.array(json.dumps(_about(corpus, facts))),
            **places,
        )


def _write_kind(corpus: Corpus, kind: str, folder: Path) -> np.ndarray:
    """Write an array of every piece; its shard, first row and end there: int64 (pieces, 3)."""
    places, numbers = [], count()
    for rows in _shards(corpus, kind):
        number, at = next(numbers), 0
        for own in rows:
            places.append((number, at, at + len(own)))
            at += len(own)
        np.save(shard := io.BytesIO(), np.concatenate(rows), allow_pickle=False)
        _shard(folder, kind, number).write_bytes(shard.getbuffer())  # which says if it is full
    return np.array(places, np.int64)


def _shards(corpus: Corpus, kind: str) -> Iterator[list[np.ndarray]]:
    """The rows of pieces, as many together as a shard holds."""
    rows, count = [], 0
    for piece in (piece for pieces in corpus.sets.values() for piece in pieces):
        rows.append(_rows(piece, kind))
        count += len(rows[-1])
        if count >= SHARD:
            yield rows
            rows, count = [], 0
    if rows:
        yield rows


def _rows(piece: Piece, kind: str) -> np.ndarray:
    array = getattr(piece, kind)
    if kind != "positions":
        return pack(np.asarray(array))
    return np.zeros(0, np.uint16) if array is None else np.asarray(array)


def _shard(folder: Path, kind: str, number: int) -> Path:
    return folder / f"{kind}-{number:04}.npy"


def _about(corpus: Corpus, facts: list[Facts]) -> dict:
    return {
        "checksum": corpus.checksum,
        "left_out": corpus.left_out,
        "facts": [f.told() for f in facts],
    }


def read(folder: Path, **more: Any) -> Corpus:
    """Open what `write` wrote: its pieces stay on disk. Raises InputError for another folder.

    `more` are fields of a corpus that are not kept.
    """
    try:
        labels, index, about = opened_index(folder / INDEX)
        for kind in index.keys() & ROWS.keys():
            _check(folder, kind, index[kind])
        sets: dict[str, list[Piece]] = {}
        for i, (group, name) in enumerate(labels):
            facts = Facts.from_told(about["facts"][i], index["weights"][i], index["opening"][i])
            piece = Piece(name, **_arrays(folder, index, i), facts=facts)
            sets.setdefault(group, []).append(piece)
        in_order = sets | {MAIN: sets[MAIN], HELD_OUT: sets[HELD_OUT]}
        corpus = Corpus(in_order, **about["left_out"], **more)
        vars(corpus)["checksum"] = about["checksum"]  # computing it would read all of it
    except DAMAGED as error:
        why = f"not a corpus written by musiclib ({reason(error)})"
        raise InputError(f"{folder}: {why}; save it anew by `corpus --save`") from error
    return corpus


def _check(folder: Path, kind: str, places: np.ndarray) -> None:
    """Raise OSError or ValueError unless each shard is there, with rows enough of its kind."""
    dtype, row = ROWS[kind]
    for number in np.unique(places[:, 0]):
        path = _shard(folder, kind, int(number))
        must_be(path.name, header := npy_header(path), dtype, None, *row)
        fewest = places[places[:, 0] == number, 2].max()
        if header.fortran or header.shape[0] < fewest:
            raise ValueError(f"{path.name}: {header.shape[0]:,} rows, not {fewest:,}")


def _arrays(folder: Path, index: dict[str, np.ndarray], piece: int) -> dict[str, Packed]:
    """A piece's arrays, wherever they lie."""
    arrays = {}
    for kind in ROWS:
        if kind in index:
            number, *ends = map(int, index[kind][piece])
            rows = MappedRows(_shard(folder, kind, number), *ends)
            if kind in STEPS:
                arrays[kind] = Packed(rows, STEPS[kind])
            elif len(rows):  # else its bars are as published
                arrays[kind] = rows
    return arrays
