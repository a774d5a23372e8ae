"""Piano rolls: notes as rectangles, dark where struck, light where held, with bars, octaves, key.

Fonts are a share of the width, so that a figure can be read on a small screen as on paper.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.pyplot import figure as new_figure

from musiclib.corpus.report_rows import named
from musiclib.music.bar_grid import bar_starts
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.keys import estimate_key
from musiclib.music.note_states import ARTICULATE, LOWEST_PITCH, NOTES, PLAY
from musiclib.music.notes import END, ONSET, PITCH, notes_of
from musiclib.paper.contents import SURE
from musiclib.paper.figures.style import drawable

STRUCK, HELD = "#0b2f4f", "#85b8dc"  # dark and light in grey, too
WIDTH, FONT = 6.5, 0.0235  # inches; of the width: 9 px on a screen of 390
LINE, LINES = 8, 8  # bars of a line; lines of a piece before bars get narrower
SEMITONE = 0.032  # inches
OCTAVE, MIDDLE_C = 12, 60
LEAST = 2 * OCTAVE  # semitones shown, so that two octave lines are there
MARGIN = 2  # semitones above and below the notes
THICK = 0.84  # of a semitone
APART = 0.2  # of a step, between notes that follow each other at a pitch
NUMBERS = 9  # bar numbers of a line, at most


class Line(NamedTuple):
    """Steps `start` to `stop` of a piece in one line of a figure, and what stands above it."""

    states: np.ndarray
    starts: np.ndarray
    start: int
    stop: int
    title: str


def rolls(
    pieces: Mapping[str, np.ndarray],
    *,
    positions: Mapping[str, np.ndarray] | None = None,
    line: int = LINE,
    width: float = WIDTH,
) -> Figure:
    """Pieces (T, 78, 2) by name under each other in one scale, each with its estimated key.

    A piece longer than `line` bars goes on in a next line. Bars have 16 steps, or begin where
    `positions` (T,) by name are 0. `width` is in inches. An empty piece has an empty line.
    """
    lines = [
        each
        for name, states in pieces.items()
        for each in _lines(name, np.asarray(states), (positions or {}).get(name), line)
    ]
    low, high = limits(pieces.values())
    a_line = SEMITONE * (high - low) * width / WIDTH
    figure = new_figure(figsize=(width, 0.6 + len(lines) * (a_line + 0.5)), layout="constrained")
    longest = max((each.stop - each.start for each in lines), default=1)
    for axes, each in zip(np.ravel(figure.subplots(max(len(lines), 1), 1)), lines, strict=True):
        roll(axes, each.states, each.starts, (each.start, each.start + longest), (low, high))
        axes.set_title(drawable(each.title), parse_math=False, loc="left", fontsize=font(figure))
    figure.axes[-1].set_xlabel("bar", fontsize=font(figure))
    legend(figure)
    return figure


def roll(
    axes: Axes,
    states: np.ndarray,
    starts: np.ndarray,
    span: tuple[int, int],
    pitches: tuple[int, int],
) -> None:
    """Draw the steps `span` of states (T, 78, 2) between two MIDI pitches, with bars at `starts`.

    Collections are labelled "held" (whole notes) and "struck" (their first steps, on top).
    """
    notes = notes_of(states) if len(states) else np.zeros((0, 3), np.int64)
    notes = notes[(notes[:, END] > span[0]) & (notes[:, ONSET] < span[1])]
    onset, end, pitch = notes[:, ONSET], notes[:, END], notes[:, PITCH] + LOWEST_PITCH
    end = end - APART
    for label, ends, colour in (
        ("held", end, HELD),
        ("struck", np.minimum(onset + 1, end), STRUCK),
    ):
        boxes = PolyCollection(_boxes(onset, ends, pitch), fc=colour, lw=0, label=label, zorder=3)
        axes.add_collection(boxes, autolim=False)
    axes.set(xlim=span, ylim=pitches)
    _octaves(axes)
    _bars(axes, starts[(starts >= span[0]) & (starts < span[1])], starts, len(states))
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0, labelsize=font(axes.figure))


def legend(figure: Figure) -> None:
    """Say above all lines which part of a note is struck, which held."""
    patches = [Patch(fc=STRUCK, label="struck"), Patch(fc=HELD, label="held")]
    look = {"handlelength": 1, "borderpad": 0, "fontsize": font(figure)}
    figure.legend(handles=patches, loc="outside upper right", ncols=2, **look)


def limits(pieces) -> tuple[int, int]:  # noqa: ANN001
    """The lowest and highest MIDI pitch to show of pieces (T, 78, 2), at least two octaves."""
    used = [np.flatnonzero(np.asarray(states)[..., PLAY].any(axis=0)) for states in pieces]
    used = np.concatenate([np.zeros(0, int), *used]) + LOWEST_PITCH
    if not len(used):
        used = np.array([MIDDLE_C])
    low, high = int(used.min()) - MARGIN, int(used.max()) + MARGIN
    more = max(0, LEAST - (high - low))
    return low - more // 2, high + more - more // 2


def key_in_words(states: np.ndarray) -> str:
    """The estimated key of states (T, 78, 2), "silent" of none: "E flat major, unsure"."""
    if not states[..., PLAY].any():
        return "silent"
    key = estimate_key(states)
    return named(key) + ", unsure" * (key.confidence < SURE)


def fitting(title: str, most: int = 52) -> str:
    """What a piece is and its name, its folders left out where that is long."""
    which, colon, name = title.rpartition(": ")
    title = title if len(title) <= most else f"{which}{colon}{PurePath(name).name}"
    return title if len(title) <= most else f"{title[: most - 1]}…"


def states_of_cells(rows: pd.DataFrame, steps: int) -> np.ndarray:
    """Note states (steps, 78, 2) of a table of cells: x a step, y a pitch, group struck or held."""
    states = np.zeros((steps, NOTES, 2), np.uint8)
    at = rows["x"].astype(int), rows["y"].astype(int) - LOWEST_PITCH
    states[(*at, PLAY)] = 1
    states[(*at, ARTICULATE)] = rows["group"] == "struck"
    return states


def notes_table(pieces: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The notes behind `rolls` of pieces (T, 78, 2): columns piece, onset, end (steps), pitch.

    A note is struck in its first step and held until its end.
    """
    rows = [
        (name, onset, end, pitch + LOWEST_PITCH)
        for name, states in pieces.items()
        for onset, end, pitch in notes_of(np.asarray(states))
    ]
    return pd.DataFrame(rows, columns=["piece", "onset", "end", "pitch"])


def bar_lines(steps: int) -> np.ndarray:
    """Where bars of 16 steps begin."""
    return np.arange(0, max(steps, 1), STEPS_PER_BAR)


def _lines(name: str, states: np.ndarray, positions: np.ndarray | None, line: int) -> list[Line]:
    """A piece in lines of so many bars, or more where it is long."""
    steps = len(states)
    starts = bar_lines(steps) if positions is None else bar_starts(positions)
    line = max(line, -(-len(starts) // LINES))
    title = f"{fitting(name)} · {key_in_words(states)}"
    cuts = [0, *starts[line::line].tolist(), steps]
    titles = [title, *[""] * len(cuts)]
    return [
        Line(states, starts, *ends, words)
        for *ends, words in zip(cuts[:-1], cuts[1:], titles, strict=False)
    ]


def _boxes(onset: np.ndarray, end: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Corners (n, 4, 2) of notes."""
    low, high = pitch - THICK / 2, pitch + THICK / 2
    x, y = np.stack([onset, end, end, onset], 1), np.stack([low, low, high, high], 1)
    return np.stack([x, y], axis=-1)


def _octaves(axes: Axes) -> None:
    """A line under every C, named as C4; that of middle C darker."""
    low, high = axes.get_ylim()
    pitches = range(int(-(-low // OCTAVE)) * OCTAVE, int(high) + 1, OCTAVE)
    for pitch in pitches:
        look = {"color": "0.55" if pitch == MIDDLE_C else "0.8", "lw": 0.6}
        axes.axhline(pitch - 0.5, zorder=1, **look)
    axes.set_yticks(pitches, [f"C{pitch // OCTAVE - 1}" for pitch in pitches])


def _bars(axes: Axes, shown: np.ndarray, starts: np.ndarray, steps: int) -> None:
    """A line at every bar, a number at some of them, a thick line where the piece ends."""
    low, high = axes.get_ylim()
    axes.vlines(shown, low, high, color="0.72", lw=0.6, zorder=2, label="bar lines")
    if axes.get_xlim()[0] < steps <= axes.get_xlim()[1]:
        axes.vlines([steps], low, high, color="0.3", lw=1.4, zorder=2)
    number = np.searchsorted(starts, shown) + 1
    every = next(n for n in 2 ** np.arange(20) if len(shown) <= n * NUMBERS)
    told = (number - 1) % every == 0
    axes.set_xticks(shown[told], number[told])


def font(figure: Figure) -> float:
    """Points of text, as a share of the figure's width."""
    return FONT * 72 * figure.get_figure(root=True).get_figwidth()
