"""Figure 1, drawn from the model itself: the biaxial RNN unrolled along time and notes.

Steps go from left to right, notes from bottom to top. In each place the layers along time stand
above the features, and the layers along notes lead from them to the output, which is heard by the
note above and by the next step.
"""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.pyplot import figure as new_figure

from musiclib.models.biaxial import BiaxialRNN
from musiclib.music.note_states import LOWEST_PITCH, NOTES
from musiclib.paper.figures.rolls import FONT, HELD, STRUCK
from musiclib.paper.layers import FEATURE_PARTS, NOTE, OUTPUT, TIME, biaxial_layers

WIDTH = 6.5  # inches
SIZE = FONT * 72 * WIDTH
ROW, LABEL = 0.235, 0.2  # inches: of a row of the table, below it for what was run
STEPS = ("step t", "step t + 1", "step t + 2")
SHOWN = (0, 1, NOTES - 1)  # notes, from the lowest
WIDE, TALL, GAP = 0.9, 0.5, 0.42  # of a box, and between boxes
SIDE, END = np.array((WIDE / 2, 0)), np.array((0, TALL / 2))  # from a box's middle to its edges
LEFT, UNDER, BETWEEN = 2.7, 0.7, 0.45  # for words; between notes
FILLS = {"features": "0.93", TIME: HELD, NOTE: "#f3c98b", OUTPUT: "white"}
LINES = {TIME: "#0b5394", NOTE: "#8f4700", "forward": "0.45", "chosen": STRUCK}
SHARPS = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


class Place(NamedTuple):
    """Middles (x, y) of the boxes of one note at one step, in the order of layers."""

    features: np.ndarray
    time: list[np.ndarray]
    notes: list[np.ndarray]
    output: np.ndarray


def biaxial(model: BiaxialRNN) -> Figure:
    """Figure 1: the layers of a biaxial RNN along three steps and three notes, and their sizes.

    All numbers are read from the model: inputs, units, weights, dropout, cell.
    """
    layers = biaxial_layers(model)
    deep, high = ((layers["part"] == part).sum() for part in (TIME, NOTE))
    across, up = (high + 2) * (WIDE + GAP) + GAP, (deep + 2) * (TALL + GAP) + BETWEEN
    wide, tall = LEFT + across * len(STEPS), UNDER + up * len(SHOWN)
    inches = WIDTH / wide * tall
    table = ROW * (len(layers) + 4.3)
    figure = new_figure(figsize=(WIDTH, inches + table + LABEL))
    axes = _across(figure, LABEL + table, inches)
    axes.set(xlim=(0, wide), ylim=(0, tall))
    places = [
        [
            _place(np.array((LEFT + x * across, UNDER + y * up)), deep, high)
            for x in range(len(STEPS))
        ]
        for y in range(len(SHOWN))
    ]
    for place in chain.from_iterable(places):
        _boxes(axes, place, layers)
    _along_time(axes, places)
    _along_notes(axes, places)
    _words(axes, places)
    _table(_across(figure, LABEL, table), model, layers)
    return figure


def _across(figure: Figure, bottom: float, tall: float) -> Axes:
    """Axes as wide as the figure, at and of so many inches."""
    high = figure.get_figheight()
    return figure.add_axes((0, bottom / high, 1, tall / high))


def _place(corner: np.ndarray, deep: int, high: int) -> Place:
    """Time layers above the features, note layers and output right of them and higher."""
    middle = corner + SIDE + END
    above, aside = np.array((0, TALL + GAP)), np.array((WIDE + GAP, 0))
    stack = [middle + level * above for level in range(deep + 1)]
    *notes, output = (middle + (deep + 1) * above + at * aside for at in range(1, high + 2))
    return Place(stack[0], stack[1:], notes, output)


def _boxes(axes: Axes, place: Place, layers: pd.DataFrame) -> None:
    """The boxes with their numbers of units, and what goes forward between them."""
    units = layers["units"].tolist()
    parts = ["features", *layers["part"]]
    boxes = [place.features, *place.time, *place.notes, place.output]
    for at, part, size in zip(boxes, parts, [layers["inputs"].iloc[0], *units], strict=True):
        look = {"fc": FILLS[part], "ec": "0.2", "lw": 0.7, "zorder": 3}
        axes.add_patch(Rectangle(at - SIDE - END, WIDE, TALL, **look))
        axes.text(*at, str(size), ha="center", va="center", fontsize=SIZE * 0.9, zorder=4)
    for low, high in zip(boxes, [*place.time], strict=False):
        _arrow(axes, [low + END, high - END], "forward")
    top, first = boxes[len(place.time)], place.notes[0]
    corner = (top[0], first[1])
    _arrow(axes, [top + END, corner, first - SIDE], "forward")
    for left, right in pairwise([*place.notes, place.output]):
        _arrow(axes, [left + SIDE, right - SIDE], "forward")


def _along_time(axes: Axes, places: list[list[Place]]) -> None:
    """Each layer along time goes on at the next step, which hears what was chosen at this one."""
    for row in places:
        for at in range(len(row[0].time)):
            boxes = [place.time[at] for place in row]
            _chain(axes, boxes, SIDE, 1.6 * GAP * np.array((1, 0)), TIME)
        for left, right in pairwise(row):
            turn = left.output[0] + WIDE / 2 + GAP / 2
            path = [left.output + SIDE, (turn, left.output[1]), (turn, right.features[1])]
            _arrow(axes, [*path, right.features - SIDE], "chosen")


def _along_notes(axes: Axes, places: list[list[Place]]) -> None:
    """Each layer along notes goes on at the note above, which hears what this one chose."""
    for column in zip(*places, strict=True):
        for at in range(len(column[0].notes)):
            boxes = [place.notes[at] for place in column]
            _chain(axes, boxes, END, 1.3 * GAP * np.array((0, 1)), NOTE)
        for low, high in pairwise(column):
            into = high.notes[0] + (WIDE / 4, -TALL / 2)
            turn = into[1] - GAP / 2
            path = [low.output + END, (low.output[0], turn), (into[0], turn), into]
            _arrow(axes, path, "chosen")


def _chain(
    axes: Axes, boxes: list[np.ndarray], half: np.ndarray, outside: np.ndarray, part: str
) -> None:
    """From box to box, from before the first and beyond the last."""
    starts = [boxes[0] - half - outside, *(box + half for box in boxes)]
    ends = [*(box - half for box in boxes), boxes[-1] + half + outside]
    for start, end in zip(starts, ends, strict=True):
        _arrow(axes, [start, end], part)


def _arrow(axes: Axes, path: Sequence, kind: str) -> None:
    """A line with corners and a head at its end; what was chosen is dashed."""
    x, y = np.transpose(path)
    dashes = (0, (3, 1.5)) if kind == "chosen" else "-"
    axes.plot(x[:-1], y[:-1], color=LINES[kind], lw=1, ls=dashes, solid_capstyle="butt")
    look = {"arrowstyle": "-|>,head_width=0.18,head_length=0.35", "color": LINES[kind], "lw": 1}
    look |= {"shrinkA": 0, "shrinkB": 0, "ls": dashes}
    axes.annotate("", (x[-1], y[-1]), (x[-2], y[-2]), arrowprops=look)


def _words(axes: Axes, places: list[list[Place]]) -> None:
    """Steps below, notes on the left; dots where notes are left out."""
    look = {"fontsize": SIZE, "ha": "center", "va": "center"}
    for place, words in zip(places[0], STEPS, strict=True):
        axes.text((place.features[0] + place.output[0]) / 2, UNDER / 2, words, **look)
    for row, note in zip(places, SHOWN, strict=True):
        pitch = note + LOWEST_PITCH
        name = f"note {note + 1}\n{SHARPS[pitch % 12]}{pitch // 12 - 1}"
        axes.text(0.15, row[0].time[0][1], name, **look | {"ha": "left"})
    for place in places[-1]:
        for x in (box[0] for box in (*place.notes, place.output)):
            y = place.features[1] - TALL / 2 + BETWEEN
            axes.text(x, y, "⋮", bbox={"fc": "white", "ec": "none", "pad": 1}, **look)
    axes.axis("off")


def _table(axes: Axes, model: BiaxialRNN, layers: pd.DataFrame) -> None:
    """A row for each layer: its colour, what it reads, its units, its weights; then the rest."""
    axes.axis("off")
    parts = ", ".join(f"{name} {count}" for name, count in FEATURE_PARTS.items())
    rows = [("features", f"{layers['inputs'].iloc[0]} features: {parts}", "")]
    for row in layers.itertuples():
        name = f"{row.part}, layer {row.layer}" if row.part != OUTPUT else "output: plays, struck"
        reads = f"{row.inputs} → {row.units}"
        rows.append((row.part, f"{name}: {reads}", f"{row.weights:,}"))
    total, config = layers["weights"].sum(), model.config
    rows.append((None, f"weights, shared by {NOTES} notes and all steps", f"{total:,}"))
    scaled = "" if config.dropout_scaled else ", not scaled"
    rows.append((None, f"{config.cell} cell, dropout {model.time_axis.dropout:g}{scaled}", ""))
    axes.set(xlim=(0, WIDTH), ylim=(len(rows) + 1.2, 0))
    for at, (part, words, weights) in enumerate(rows):
        if part:
            axes.add_patch(Rectangle((0.12, at + 0.22), 0.22, 0.56, fc=FILLS[part], ec="0.2"))
        look = {"fontsize": SIZE * 0.95, "va": "center"}
        axes.text(0.44, at + 0.5, words, **look)
        axes.text(WIDTH - 0.12, at + 0.5, weights, ha="right", **look)
    _keys(axes, len(rows) + 0.6)


def _keys(axes: Axes, y: float) -> None:
    """What the lines mean."""
    words = {TIME: "to the next step", NOTE: "to the note above", "chosen": "what was chosen"}
    for at, (kind, text) in enumerate(words.items()):
        x = 0.12 + at * (WIDTH - 0.1) / len(words)
        _arrow(axes, [(x, y), (x + 0.36, y)], kind)
        axes.text(x + 0.44, y, text, fontsize=SIZE * 0.95, va="center")
