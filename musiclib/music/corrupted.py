"""Music corrupted in known ways: notes deleted, added, thinned out, moved.

Pieces are legal note states (T, 78, 2). Randomness comes from a generator that is passed in.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from musiclib.music.note_states import ARTICULATE, NOTES, PLAY
from musiclib.music.notes import END, ONSET, PITCH, notes_of, states_with
from musiclib.music.transforms import shift

Wrong = Literal["anywhere", "in range", "near"]
WRONG: tuple[Wrong, ...] = ("anywhere", "in range", "near")
FARTHEST = 6  # semitones
TRIES = 20  # a wrong note, until it falls on silence


def corrupt(
    states: np.ndarray, share: float, rng: np.random.Generator, wrong: Wrong = "anywhere"
) -> np.ndarray:
    """Delete a share of the notes of a piece and add as many wrong ones where its pitch is silent.

    Wrong notes last as long as drawn real ones. They fall at any step and pitch ("anywhere"), at
    any step and a pitch within the piece's range ("in range"), or where the drawn note was struck,
    1 to 6 semitones off ("near"). Where there is no room for them, fewer are added.
    """
    if wrong not in WRONG:
        raise ValueError(f"unknown kind {wrong!r}: choose one of {', '.join(WRONG)}")
    notes = notes_of(states)
    count = round(share * len(notes))
    deleted = rng.choice(len(notes), count, replace=False)
    added = _wrong_notes(states, notes, count, rng, wrong) if count else notes[:0]
    kept = np.delete(notes, deleted, axis=0)
    return states_with(np.concatenate([kept, added]), len(states))


def _wrong_notes(
    states: np.ndarray, notes: np.ndarray, count: int, rng: np.random.Generator, wrong: Wrong
) -> np.ndarray:
    drawn = _draw(notes, TRIES * count, rng, wrong, len(states))
    sounding, added = states[..., PLAY] == 1, []
    for onset, end, pitch in drawn:
        if len(added) < count and not sounding[onset:end, pitch].any():
            sounding[onset:end, pitch] = True
            added.append((onset, end, pitch))
    return np.array(added, np.int64).reshape(-1, 3)


def _draw(
    notes: np.ndarray, count: int, rng: np.random.Generator, wrong: Wrong, steps: int
) -> np.ndarray:
    """Candidates for wrong notes, within the piece and the 78 pitches."""
    drawn = notes[rng.integers(len(notes), size=count)]
    lowest, highest = notes[:, PITCH].min(), notes[:, PITCH].max()
    if wrong == "near":
        pitch = drawn[:, PITCH] + rng.choice([-1, 1], count) * rng.integers(1, FARTHEST + 1, count)
        onset = drawn[:, ONSET]
    else:
        low, high = (0, NOTES - 1) if wrong == "anywhere" else (lowest, highest)
        pitch, onset = rng.integers(low, high + 1, count), rng.integers(steps, size=count)
    end = np.minimum(onset + drawn[:, END] - drawn[:, ONSET], steps)
    return np.stack([onset, end, pitch], axis=1)[(pitch >= 0) & (pitch < NOTES)]


def thin(states: np.ndarray, keep: float, rng: np.random.Generator) -> np.ndarray:
    """Keep each note with probability `keep`."""
    return states * (_a_note(states, rng.random) < keep)[..., None]


def shift_notes(states: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Move each note with probability `share` by 1 to 6 semitones, up or down."""
    chosen = _a_note(states, rng.random) < share
    intervals = [i for i in range(-FARTHEST, FARTHEST + 1) if i]
    by = np.where(chosen, _a_note(states, lambda size: rng.choice(intervals, size)), 0)
    moved = [shift(states * (by == i)[..., None], i) for i in (0, *intervals)]
    return np.maximum.reduce(moved)


def _a_note(states: np.ndarray, draw: Callable) -> np.ndarray:
    """One draw a note, shown at every step and pitch (T, 78) where the note sounds."""
    number = np.cumsum(states[..., ARTICULATE], axis=0, dtype=np.int64)  # of strikes so far
    drawn = draw((len(states) + 1, states.shape[1]))
    return np.take_along_axis(drawn, number, axis=0) * states[..., PLAY]
