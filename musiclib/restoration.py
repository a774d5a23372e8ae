"""The restoration task: spoil music in a known way, mend it, and compare with what it was.

**Conventions.** Pieces are legal note states (T, 78, 2). F1 counts strikes: a note is right where
the other piece strikes the same pitch at the same step.
"""

from typing import Literal, NamedTuple

import numpy as np

from musiclib.measures import density
from musiclib.midi import ARTICULATE, NOTES, PLAY
from musiclib.notes import END, ONSET, PITCH, notes_of, states_with

Wrong = Literal["anywhere", "in range", "near"]
WRONG: tuple[Wrong, ...] = ("anywhere", "in range", "near")
FARTHEST = 6  # semitones
TRIES = 20  # a wrong note, until it falls on silence


def spoil(
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
