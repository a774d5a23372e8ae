"""What a corpus on a disk must be: looked at once, as it is opened.

All raise ValueError, with the array and what is wrong with it.
"""

import json
from collections import Counter
from typing import Any

import numpy as np

from musiclib.base.arrays import Arrays, Header, must_be
from musiclib.base.errors import InputError
from musiclib.base.typed import shown
from musiclib.corpus.levels import HELD_OUT, MAIN
from musiclib.music.bar_grid import misplaced
from musiclib.music.note_states import MAX_STEPS, NOTES

LABELS = ("sets", "names")
LEFT_OUT = {"skipped": dict, "short": list, "leaked": list, "double": dict, "silent": list}
NOT_BITS = np.uint32(0xFEFEFEFE)  # of four cells, all but the lowest bit of each
STRUCK_ALONE = np.frombuffer(b"\x00\x01", np.uint16)[0]  # a note's two cells


def labels(stored: Arrays) -> list[tuple[str, str]]:
    """The set and the name of each piece; there are main ones and held-out ones."""
    for name in LABELS:
        must_be(name, header(stored, name), np.str_, None)
    sets, names = (stored[name].tolist() for name in LABELS)
    if len(sets) != len(names):
        raise ValueError(f"{len(sets)} sets for {len(names)} names")
    for needed, what in ((MAIN, "to train on"), (HELD_OUT, "held out")):
        if needed not in sets:
            raise ValueError(f"no piece is {what}")
    pairs = list(zip(sets, names, strict=True))
    must_differ(pairs)
    return pairs


def must_differ(pairs: list[tuple[str, str]]) -> None:
    """The pieces of a set have names of their own."""
    for (group, name), times in Counter(pairs).most_common(1):
        if times > 1:
            raise ValueError(f"names: {shown(name)} is there twice in {shown(group)}")


def named(sets: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    """Each piece to be saved with the name of its set; raises InputError for two of one name."""
    pairs = [(name, piece) for name, pieces in sets.items() for piece in pieces]
    try:
        must_differ([(name, piece.name) for name, piece in pairs])
    except ValueError as error:
        raise InputError(
            f"{error}: it cannot be saved; give its pieces names of their own"
        ) from None
    return pairs


def header(stored: Arrays, name: str) -> Header:
    """The header of an array that must be there."""
    if name not in stored.headers:
        raise ValueError(f"{name}: it is missing")
    return stored.headers[name]


def told(stored: Arrays, name: str) -> dict[str, Any]:
    """The JSON object in an array of text."""
    must_be(name, header(stored, name), np.str_)
    try:
        value = json.loads(stored[name].item())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: no JSON ({error})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{name}: no JSON object")
    return value


def left_out(value: Any) -> dict[str, Any]:
    """What was left out, as fields of a corpus; older files know fewer kinds."""
    if not isinstance(value, dict):
        raise ValueError("left_out: no JSON object")
    for kind, of in value.items():
        if kind not in LEFT_OUT:
            raise ValueError(f"left_out: {shown(kind)} is unknown")
        texts = [*of, *of.values()] if isinstance(of, dict) else of
        if type(of) is not LEFT_OUT[kind] or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"left_out: {kind} is not as it is written")
    return value


def must_be_long(name: str, steps: int) -> None:
    """A piece has not too many steps, and only a roll may have none: a moment of music."""
    if steps > MAX_STEPS or (not steps and not name.startswith("roll")):
        raise ValueError(f"{name}: {steps:,} steps, not from 1 to {MAX_STEPS:,}")


def must_be_states(name: str, states: np.ndarray) -> None:
    """Note states (T, 78, 2) are 0 or 1, and only what plays is struck."""
    must_be_bits(name, states)
    alone = states.reshape(-1).view(np.uint16) == STRUCK_ALONE
    if alone.any():
        raise ValueError(
            f"{name}: step {alone.argmax() // NOTES} strikes a note that is not played"
        )


def must_be_bits(name: str, array: np.ndarray) -> None:
    """Cells are 0 or 1; four are looked at together, and a step's are a multiple of it."""
    if (array.reshape(-1).view(np.uint32) & NOT_BITS).any():
        raise ValueError(f"{name}: value {int(array[array > 1][0])}, not 0 or 1")


def must_be_bars(name: str, positions: np.ndarray) -> None:
    """Positions (T,) count up from each bar line."""
    step = misplaced(positions)
    if step is not None:
        raise ValueError(f"{name}: step {step} has position {int(positions[step])} in its bar")
