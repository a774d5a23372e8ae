"""What is in a corpus, as the numbers behind one picture: `figures.contents` draws them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from musiclib.corpus.levels import HELD_OUT
from musiclib.corpus.report_rows import KEY_NAMES, USED, File
from musiclib.corpus.sets import Corpus, Piece
from musiclib.music.note_states import ARTICULATE, LOWEST_PITCH, NOTES, PLAY

SURE = 0.5  # a confidence that three pieces in four of piano-midi.de are above (docs/keys.md)
BINS = 16
ROLL = 128  # steps of a piano roll that are shown: eight bars
PITCHES, DENSITIES, KEYS, LENGTHS = "pitches", "densities", "keys", "lengths"
COLUMNS = ("panel", "group", "x", "y")

Row = tuple[str, str, float | str, float]
Groups = dict[str, list[File]]


def contents(corpus: Corpus, files: list[File]) -> pd.DataFrame:
    """The numbers behind the picture: columns panel, group, x, y.

    - pitches: x is a MIDI pitch, y its share of all time that notes sound, %; the group says
      "trained on" or "held out", and how many pieces
    - densities, lengths: x begins a bin (notes per step; steps), y is the share of pieces, %;
      the last x ends the last bin
    - keys: x is a key, y the files in it; group tells whether the confidence reaches `SURE`
    - "easiest of main: NAME" and two more pieces: x is a step from the first note's on, y a pitch,
      the group is "struck" or "held"

    Looks at the notes of one piece at a time.
    """
    used = [file for file in files if file.reason == USED]
    held = [file for file in used if HELD_OUT in file.sets]
    trained = [file for file in used if HELD_OUT not in file.sets]
    groups = {f"{words}, {len(group):,} pieces": group
              for words, group in (("trained on", trained), ("held out", held))}  # fmt: skip
    rolls = (
        row for words, piece in examples(corpus).items() for row in roll_rows(words, piece.states)
    )
    rows = [*_pitches(corpus, groups), *_shapes(groups), *_keys(used), *rolls]
    return pd.DataFrame(rows, columns=COLUMNS)


def alternative(told: dict[str, Any]) -> str:
    """What one sees in the picture, of what `report.summary` tells."""
    pieces = ", ".join(f"{name} {of['files']}" for name, of in list(told["keys"].items())[:3])
    sets = told["sets"].items()
    dense = " and ".join(f"{of['notes_per_step']:.1f} in {name}" for name, of in list(sets)[-2:])
    return (
        "Four histograms, filled for what is trained on and dashed for what is held out: how much"
        " of the time each pitch sounds; notes per step of pieces"
        f" ({dense}); lengths of pieces in steps; and pieces in each key, open bars"
        f" where the estimate is unsure (most frequent: {pieces}). Below, eight bars from the"
        " first note of the easiest, the middle and the hardest piece of main as piano rolls: black"
        " where a note is struck, grey where it is held."
    )


def examples(corpus: Corpus) -> dict[str, Piece]:
    """The easiest piece of main, the middle one and the hardest, by what and which they are."""
    hard = corpus.difficulty_of_pieces()
    order = sorted(corpus.main, key=lambda piece: (hard[piece.name], piece.name))
    chosen = {"easiest": order[0], "middle": order[len(order) // 2], "hardest": order[-1]}
    return {f"{which} of main: {piece.name}": piece for which, piece in chosen.items()}


def _pitches(corpus: Corpus, groups: Groups) -> Iterator[Row]:
    pieces = {piece.name: piece for group in corpus.sets.values() for piece in group}
    for group, files in groups.items():
        total = np.zeros(NOTES, np.int64)
        for file in files:
            states = np.asarray(pieces[file.file].states)
            total += states[..., PLAY].sum(axis=0, dtype=np.int64)
        for pitch, share in enumerate(100 * total / max(total.sum(), 1), start=LOWEST_PITCH):
            yield PITCHES, group, pitch, share


def _shapes(groups: Groups) -> Iterator[Row]:
    """Histograms of notes per step, and of lengths in bins that grow alike."""
    every = [file for files in groups.values() for file in files]
    dense, long = [file.notes_per_step for file in every], np.log2([file.steps for file in every])
    edges = {
        DENSITIES: np.linspace(0, max(dense), BINS + 1),
        LENGTHS: 2 ** np.linspace(long.min(), max(long.max(), long.min() + 1), BINS + 1),
    }
    for group, files in groups.items():
        values = {DENSITIES: [f.notes_per_step for f in files], LENGTHS: [f.steps for f in files]}
        for panel, bins in edges.items():
            inside = np.clip(values[panel], bins[0], bins[-1])  # logarithms have rounded the ends
            shares = 100 * np.histogram(inside, bins)[0] / max(len(files), 1)
            for x, y in zip(bins, (*shares, 0.0), strict=True):
                yield panel, group, x, y


def _keys(used: list[File]) -> Iterator[Row]:
    for key in KEY_NAMES:
        sure = [file.confidence >= SURE for file in used if file.key == key]
        yield KEYS, f"confidence {SURE:g} or more", key, sum(sure)
        yield KEYS, f"confidence under {SURE:g}", key, len(sure) - sum(sure)


def roll_rows(words: str, states: np.ndarray, bar: int = 1, steps: int = ROLL) -> Iterator[Row]:
    """Rows of so many steps of states (T, 78, 2), from the bar of the first note on."""
    states = np.asarray(states)
    first = states[..., PLAY].any(axis=1).argmax() // bar * bar
    states = states[first : first + steps]
    for step, note in np.argwhere(states[..., PLAY]):
        group = "struck" if states[step, note, ARTICULATE] else "held"
        yield words, group, step, note + LOWEST_PITCH
