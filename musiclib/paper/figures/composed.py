"""Real music above what was composed: excerpts as piano rolls, then what they are made of."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.pyplot import figure as new_figure

from musiclib.music.bars import STEPS_PER_BAR
from musiclib.paper.figures.rolls import (
    FONT,
    SEMITONE,
    STRUCK,
    bar_lines,
    key_in_words,
    legend,
    limits,
    roll,
    states_of_cells,
)
from musiclib.paper.figures.style import COLOURS
from musiclib.paper.real_and_composed import REAL, ROLL

WIDTH, HIGHEST, ROW = 7.0, 1.3, 1.12  # inches: of all, of a piano roll, of a row of distributions
SIZE = FONT * 72 * WIDTH
HEAD = 1.35  # of the highest share: room for words above it
WORDS = {
    "pitches": "Pitches, % of sounding time",
    "pitch classes": "Pitch classes, % of sounding time",
    "notes per step": "Notes sounding at once, % of steps",
    "note lengths": "Length of notes in steps of a sixteenth, % of notes",
    "steps to the next onset": "Steps to the next onset, % of onsets",
}
TICKS = {
    "pitches": {24: "C1", 48: "C3", 72: "C5", 96: "C7"},
    "pitch classes": {0: "C", 2: "D", 4: "E", 7: "G", 9: "A", 11: "B"},
    "notes per step": {0: "0", 4: "4", 8: "8", 11: "11+"},
    "note lengths": {1: "1", 4: "4", 8: "8", 12: "12", 17: "17+"},
    "steps to the next onset": {1: "1", 4: "4", 8: "8", 12: "12", 17: "17+"},
}


def real_and_composed(table: pd.DataFrame, apart: pd.DataFrame) -> Figure:
    """Of `paper.real_and_composed`: excerpts in one scale, and small multiples of distributions.

    `table` has the columns panel, group, x, y; `apart` the distances of kinds (rows) by
    distribution. Real music is filled, what was composed outlined and dashed. For a page's width.
    """
    excerpts = table[table["panel"].str.startswith(ROLL)]
    last = max([*excerpts["x"], 0])
    steps = (int(last) // STEPS_PER_BAR + 1) * STEPS_PER_BAR
    pieces = {
        name: states_of_cells(excerpts[excerpts["panel"] == ROLL + name], steps)
        for name in (REAL, *apart.index)
    }  # silent ones have no rows
    pitches = limits(pieces.values())
    a_roll = 0.45 + min(HIGHEST, SEMITONE * (pitches[1] - pitches[0]))
    heights = [0.55 + len(pieces) * a_roll, 0.4 + len(WORDS) * (ROW + 0.25)]
    figure = new_figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights)
    _excerpts(above, pieces, steps, pitches)
    _distributions(below, table, apart)
    return figure


def _excerpts(figure: SubFigure, pieces: dict, steps: int, pitches: tuple[int, int]) -> None:
    all_axes = np.ravel(figure.subplots(len(pieces), 1, sharex=True))
    for axes, (name, states) in zip(all_axes, pieces.items(), strict=True):
        roll(axes, states, bar_lines(steps), (0, steps), pitches)
        axes.set_title(f"{name} · {key_in_words(states)}", loc="left", fontsize=SIZE)
    axes.set_xlabel("bar", fontsize=SIZE)
    legend(figure)


def _distributions(figure: SubFigure, table: pd.DataFrame, apart: pd.DataFrame) -> None:
    """A row a distribution, a column a kind; each panel says how far it is from real music."""
    head = 0.2 + 0.2 * any("(" in name for name in apart.index)
    ratios = [ROW + head, *[ROW] * (len(WORDS) - 1)]
    rows = figure.subfigures(len(WORDS), 1, height_ratios=ratios)
    for row, (kind, words) in zip(rows, WORDS.items(), strict=True):
        row.suptitle(words, x=0.01, ha="left", fontsize=SIZE)
        shares = table[table["panel"] == kind].pivot_table(index="x", columns="group", values="y")
        all_axes = row.subplots(1, len(apart), sharey=True)
        for axes, name in zip(all_axes, apart.index, strict=True):
            _shapes(axes, shares[REAL], shares[name])
            look = {"transform": axes.transAxes, "ha": "right", "va": "top", "size": SIZE * 0.9}
            axes.text(1, 1, f"apart {apart.loc[name, kind]:.2f}", **look)
            axes.set_xticks(list(TICKS[kind]), list(TICKS[kind].values()))
            axes.tick_params(labelsize=SIZE * 0.9, length=2, pad=1)
        if kind == next(iter(WORDS)):
            _head(all_axes, list(apart.index))
    shapes = rows[0].axes[0].get_legend_handles_labels()
    look = {"handlelength": 1.2, "borderpad": 0, "fontsize": SIZE}
    rows[0].legend(*shapes, loc="upper right", ncols=2, **look)


def _head(all_axes: Sequence[Axes], names: list[str]) -> None:
    for axes, name in zip(all_axes, names, strict=True):
        axes.set_title(name.replace(" (", "\n("), fontsize=SIZE)


def _shapes(axes: Axes, real: pd.Series, composed: pd.Series) -> None:
    """A filled shape for real music, a dashed outline for what was composed."""
    values = real.index.to_numpy(float)
    edges = np.append(values, values[-1] + 1) - 0.5
    axes.stairs(real, edges, fill=True, color=COLOURS["real"], alpha=0.45, lw=0, label=REAL)
    axes.stairs(composed, edges, color=STRUCK, ls=(0, (3, 1.2)), lw=1.1, label="composed music")
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, None))
    axes.set_ylim(top=max(axes.get_ylim()[1], HEAD * max(real.max(), composed.max())))
