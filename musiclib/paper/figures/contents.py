"""What is in a corpus: pitches, densities, keys, lengths and three piano rolls in one picture."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import figure as new_figure

from musiclib.paper.contents import ROLL
from musiclib.paper.figures.rolls import bar_lines, fitting, limits, roll, states_of_cells
from musiclib.paper.figures.style import ORANGE, OURS, RED, drawable

HISTOGRAMS = {
    "pitches": ("which pitches sound", "MIDI pitch", "share of sounding time, %"),
    "densities": ("how full pieces are", "notes per step", "share of pieces, %"),
    "lengths": ("how long pieces are", "steps of a sixteenth", "share of pieces, %"),
}


def contents(table: pd.DataFrame) -> Figure:
    """The picture of `paper.contents`: its columns are panel, group, x, y.

    Sets are told apart by a filled and a dashed shape, keys of little confidence by open bars.
    """
    figure = new_figure(figsize=(11, 8.2), layout="constrained")
    grid = figure.add_gridspec(3, 6)
    places = {name: grid[i // 2, 3 * (i % 2) : 3 * (i % 2) + 3] for i, name in enumerate(
        ("pitches", "densities", "lengths", "keys"))}  # fmt: skip
    for name, words in HISTOGRAMS.items():
        axes = figure.add_subplot(places[name])
        _histogram(axes, table[table["panel"] == name], name != "pitches")
        axes.set(title=words[0], xlabel=words[1], ylabel=words[2], ylim=(0, None))
    at_pitches, _, at_lengths = figure.axes
    at_pitches.set_xticks(range(24, 102, 12), [f"{p}\nC{p // 12 - 1}" for p in range(24, 102, 12)])
    at_pitches.legend()
    at_lengths.set_xscale("log", base=2)
    at_lengths.xaxis.set_major_formatter("{x:,.0f}")
    _keys(figure.add_subplot(places["keys"]), table[table["panel"] == "keys"])
    _rolls(figure, grid, table[~table["panel"].isin((*HISTOGRAMS, "keys"))])
    return figure


def _histogram(axes: Axes, rows: pd.DataFrame, bins: bool) -> None:
    """A filled shape for what is trained on, a dashed outline for what is held out."""
    looks = {"color": OURS, "alpha": 0.45, "fill": True, "lw": 0}, {"color": RED, "ls": "--"}
    for (group, own), look in zip(rows.groupby("group", sort=False), looks, strict=True):
        x, y = own["x"].to_numpy(float), own["y"].to_numpy(float)
        edges = x if bins else np.append(x, x[-1] + 1) - 0.5
        axes.stairs(y[:-1] if bins else y, edges, label=group, **{"lw": 1.1, **look})


def _keys(axes: Axes, rows: pd.DataFrame) -> None:
    """Two bars a tonic, major and minor; what is not sure is open and stands on what is."""
    names = rows["x"].drop_duplicates().tolist()
    modes = [name.rsplit(" ", 1)[1] for name in names]
    for mode, aside, colour in (("major", -0.2, OURS), ("minor", 0.2, ORANGE)):
        own = [name for name, of in zip(names, modes, strict=True) if of == mode]
        sure, unsure = (
            part.set_index("x")["y"].reindex(own).to_numpy(float)
            for _, part in rows.groupby("group", sort=False)
        )
        at = np.arange(len(own)) + aside
        axes.bar(at, sure, 0.38, label=mode, color=colour, edgecolor=colour)
        axes.bar(at, unsure, 0.38, bottom=sure, fc="none", ec=colour, lw=0.9,
                 label=f"{mode}, {rows['group'].iloc[1]}")  # fmt: skip
    tonics = [_short(name) for name in names[: len(own)]]
    axes.set_xticks(range(len(own)), tonics)
    axes.set(title="which keys they are in, as estimated", xlabel="tonic", ylabel="pieces")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    axes.legend(fontsize=7, ncols=2, loc="upper right")


def _short(name: str) -> str:
    tonic = name.rsplit(" ", 1)[0]
    return {"D flat": "D♭/C♯", "A flat": "A♭/G♯"}.get(
        tonic, tonic.replace(" flat", "♭").replace(" sharp", "♯")
    )


def _rolls(figure: Figure, grid, rows: pd.DataFrame) -> None:  # noqa: ANN001
    """Three pieces from their first note on, in one scale: struck dark, held light."""
    pieces = {name: states_of_cells(own, ROLL) for name, own in rows.groupby("panel", sort=False)}
    pitches, first = limits(pieces.values()), None
    for at, (name, states) in enumerate(pieces.items()):
        axes = first = figure.add_subplot(grid[2, 2 * at : 2 * at + 2], sharey=first)
        roll(axes, states, bar_lines(ROLL), (0, ROLL), pitches)
        axes.tick_params(labelsize=8)
        axes.set_title(drawable(fitting(name)), fontsize=8, parse_math=False)
        axes.set_xlabel("bar (struck dark, held light)")
