"""The two ways that music is given to a model: note states and piano rolls."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musiclib.music.note_states import (
    LOWEST_PITCH,
    NOTES,
    PLAY,
    TEMPO,
    read_note_states,
    write_note_states,
)
from musiclib.music.piano_roll import (
    KEYS,
    LOWEST_KEY,
    SIXTEENTHS_PER_SAMPLE,
    WRITTEN_TEMPO,
    read_piano_roll,
    write_piano_roll,
)
from musiclib.music.transforms import legal, reverse_time

BELOW = LOWEST_PITCH - LOWEST_KEY  # keys under the note states' lowest pitch


@dataclass(frozen=True)
class Representation:
    """How a model reads and writes music: `name` is the attribute of a piece that holds it.

    `step` is the shape of one step, which lasts `sixteenths` sixteenth notes. `read` and `write`
    turn MIDI files into arrays (T, *step) and back, written at `tempo` microseconds per beat;
    `reverse` plays an array backwards. `states` gives note states to hear, `heard` takes them.
    """

    name: str
    step: tuple[int, ...]
    sixteenths: int
    read: Callable[[Path], np.ndarray]
    write: Callable[..., None]  # (array, path, tempo): as quick as `tempo` unless told otherwise
    reverse: Callable[[np.ndarray], np.ndarray]
    states: Callable[[np.ndarray], np.ndarray]
    heard: Callable[[np.ndarray], np.ndarray]
    tempo: int

    def of(self, pieces: Iterable[Any]) -> list[np.ndarray]:
        """The arrays of pieces, in order."""
        return [getattr(piece, self.name) for piece in pieces]

    def steps(self, sixteenths: int) -> int:
        """Steps that so many sixteenth notes take."""
        return sixteenths // self.sixteenths

    def silence(self, pieces: int) -> np.ndarray:
        """One silent step of each piece: uint8 of shape (pieces, 1, *step)."""
        return np.zeros((pieces, 1, *self.step), np.uint8)


def states_of(roll: np.ndarray) -> np.ndarray:
    """Note states (2 T, 78, 2) of a roll (T, 88) as it is written; keys outside 78 are left out."""
    play = np.repeat(roll[:, BELOW : BELOW + NOTES], SIXTEENTHS_PER_SAMPLE, axis=0)
    return legal(np.stack([play, np.zeros_like(play)], axis=-1))


def roll_of(states: np.ndarray) -> np.ndarray:
    """The roll (T // 2, 88) of note states (T, 78, 2): what sounds at every other step."""
    play = states[: len(states) // 2 * 2 : SIXTEENTHS_PER_SAMPLE, :, PLAY]
    return np.pad(play, ((0, 0), (BELOW, KEYS - BELOW - NOTES)))


NOTE_STATES = Representation(
    "states",
    (NOTES, 2),
    1,
    lambda path: read_note_states(path, "all"),  # a primer, in whatever metre
    write_note_states,
    lambda states: reverse_time(legal(states)),
    legal,
    lambda states: states,
    TEMPO,
)
PIANO_ROLL = Representation(
    "roll",
    (KEYS,),
    SIXTEENTHS_PER_SAMPLE,
    read_piano_roll,
    write_piano_roll,
    lambda roll: roll[::-1],
    states_of,
    roll_of,
    WRITTEN_TEMPO,
)
