"""The index of a folder of shards, looked at once: whatever it says is as `shards.write` says it.

All raise ValueError, or what else comes of reading a damaged file.
"""

from pathlib import Path
from typing import Any

import numpy as np

from musiclib.base.arrays import Arrays, must_be, must_fit_memory, opened_arrays
from musiclib.base.typed import fitted
from musiclib.corpus import door
from musiclib.corpus.facts import Facts
from musiclib.music.note_states import MAX_STEPS

PLACES = ("states", "roll", "positions")  # where each piece's rows lie; the last may be missing
VECTORS = ("weights", "opening")
PITCH_CLASSES = 12
FACTS = Facts.__annotations__
Index = tuple[list[tuple[str, str]], dict[str, np.ndarray], dict[str, Any]]


def opened_index(path: Path) -> Index:
    """Sets and names, arrays by name, and what is told of the corpus and its pieces."""
    with opened_arrays(path) as stored:
        labels = door.labels(stored)
        index = _numbers(stored, len(labels))
        about = door.told(stored, "about")
    _must_be_about(about, len(labels))
    for kind in index.keys() & set(PLACES):
        _must_be_places(kind, index[kind])
    _must_agree(index, about["facts"])
    return labels, index, about


def _numbers(stored: Arrays, pieces: int) -> dict[str, np.ndarray]:
    """The arrays of numbers, a row a piece."""
    wanted = {name: (np.int64, 3) for name in PLACES if name != PLACES[-1] or name in stored}
    wanted |= dict.fromkeys(VECTORS, (np.number, PITCH_CLASSES))
    for name, (dtype, width) in wanted.items():
        must_be(name, door.header(stored, name), dtype, pieces, width)
    must_fit_memory(stored.bytes, "the index")
    if unknown := stored.keys() - {*wanted, *door.LABELS, "about"}:
        raise ValueError(f"{min(unknown)}: no array of an index")
    index = {name: stored[name] for name in wanted}
    for name, array in index.items():
        if not (array >= 0).all():
            raise ValueError(f"{name}: value {array.min()}, not from 0 up")
    return index


def _must_be_places(kind: str, places: np.ndarray) -> None:
    """Shard, first row and end: pieces have steps, as many as a piece may have."""
    lengths = places[:, 2] - places[:, 1]
    wrong = (lengths < (kind == PLACES[0])) | (lengths > MAX_STEPS)
    if wrong.any():
        at = int(wrong.argmax())
        first, end = places[at, 1:].tolist()
        raise ValueError(f"{kind}: piece {at} has the rows {first:,} to {end:,}")


def _must_agree(index: dict[str, np.ndarray], facts: list[dict[str, Any]]) -> None:
    """Lengths are the same wherever they are said; positions may be none, in bars of 16."""
    lengths = {
        kind: places[:, 2] - places[:, 1] for kind, places in index.items() if kind in PLACES
    }
    bars = lengths.get(PLACES[-1], np.zeros(len(facts), np.int64))
    said = np.array([[fact["steps"], fact["samples"]] for fact in facts])
    wrong = (bars != 0) & (bars != lengths["states"])
    wrong |= (said != np.stack([lengths["states"], lengths["roll"]], axis=1)).any(axis=1)
    if wrong.any():
        raise ValueError(f"piece {int(wrong.argmax())} has different lengths in different places")


def _must_be_about(about: dict[str, Any], pieces: int) -> None:
    for name, kind in {"checksum": str, "left_out": dict, "facts": list}.items():
        if type(about.get(name)) is not kind:
            raise ValueError(f"about: {name} is not as it is written")
    door.left_out(about["left_out"])
    if len(about["facts"]) != pieces:
        raise ValueError(f"about: facts of {len(about['facts'])} pieces, not {pieces}")
    for number, facts in enumerate(about["facts"]):
        _must_be_facts(facts, f"about: facts of piece {number}")


def _must_be_facts(facts: Any, name: str) -> None:
    """Facts that were told: all but the vectors."""
    told = {key: hint for key, hint in FACTS.items() if hint is not np.ndarray}
    if not isinstance(facts, dict) or facts.keys() != told.keys():
        raise ValueError(f"{name} are not as they are written")
    for key, hint in told.items():
        fitted(hint, facts[key], f"{name}, {key}")
