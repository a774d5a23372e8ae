"""A piano roll as boxes of HTML: notes, bars with numbers, the names of octaves.

Places are numbers in steps and rows (`--x`, `--w`, `--y`); player.css turns them into pixels. The
struck step of a note is its dark edge, what is held its lighter body.
"""

import numpy as np

from musiclib.music.note_states import LOWEST_PITCH
from musiclib.music.notes import PITCH

HEIGHT = 240  # pixels that the rows of a roll share
ROW = 4, 9  # fewest and most pixels of one
MARGIN = 2  # rows above the highest note and below the lowest
ROOM = 5  # steps that the number of a bar takes
SILENT = 36, 48  # pitches, from 0, that the roll of no notes shows


def boxes(notes: np.ndarray, steps: int, bar: int, label: str) -> str:
    """The roll of notes (n, 3) of a piece of so many steps; `label` says in words what is seen."""
    low, high = span(notes)
    rows = high - low + 1
    size = min(max(HEIGHT // rows, ROW[0]), ROW[1])
    octave = (high + LOWEST_PITCH) % 12 + 1  # rows from the top to the line below the highest C
    look = f"--steps:{steps};--rows:{rows};--row:{size}px;--octave:{octave}"
    return (
        f'<div class="mlp-body" style="{look}">'
        f'<div class="mlp-pitches" aria-hidden="true">{_octaves(low, high)}</div>'
        f'<div class="mlp-window"><div class="mlp-roll" role="img" aria-label="{label}">'
        f"{_bars(steps, bar)}{_notes(notes, high)}"
        f'<div class="mlp-cursor" hidden></div></div></div></div>'
    )


def span(notes: np.ndarray) -> tuple[int, int]:
    """The lowest and the highest pitch, from 0, that the roll shows; there is a C between them."""
    pitches = notes[:, PITCH] if len(notes) else np.array(SILENT)
    low, high = int(pitches.min()) - MARGIN, int(pitches.max()) + MARGIN
    return min(low, high - 11), high


def _notes(notes: np.ndarray, high: int) -> str:
    return "".join(
        f'<i style="--x:{on};--w:{end - on};--y:{high - p}"></i>' for on, end, p in notes
    )


def _bars(steps: int, bar: int) -> str:
    """A line for each bar, with its number where there is room for it."""
    starts = enumerate(range(0, steps, bar), 1)
    numbers = ((start, number if steps - start >= ROOM else "") for number, start in starts)
    return "".join(f'<b style="--x:{start}">{number}</b>' for start, number in numbers)


def _octaves(low: int, high: int) -> str:
    """C4 and its like beside the rows of all C; MIDI pitch 60 is C4."""
    names = [(high - p, (p + LOWEST_PITCH) // 12 - 1) for p in range(low, high + 1)
             if (p + LOWEST_PITCH) % 12 == 0]  # fmt: skip
    return "".join(f'<span style="--y:{row}">C{octave}</span>' for row, octave in names)
