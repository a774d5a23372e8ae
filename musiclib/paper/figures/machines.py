"""The RBMs: what they are, what they play, what they mend."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import LOWEST_PITCH, NOTES
from musiclib.paper.figures.style import (
    COLUMN,
    PALETTE,
)


def machine(units: tuple[int, int], window: np.ndarray, filters: np.ndarray) -> Figure:
    """Figure 2: a window (16, 78, 2) as visible units, the hidden ones, and what some listen to.

    `units` counts both layers, `filters` (n, 16, 78, 2) are the weights of n hidden units.
    """
    figure = plt.figure(figsize=(2 * COLUMN, 4.2), layout="constrained")
    layers, listening = figure.subfigures(1, 2, width_ratios=(1, 1.5))
    _layers(layers.subplots(), units, window)
    grid = listening.subplots(2, len(filters) // 2, sharex=True, sharey=True)
    limit = np.abs(filters[..., 0]).max()
    for axes, weights in zip(grid.flat, filters, strict=True):
        shown = axes.imshow(weights[..., 0].T, origin="lower", aspect="auto", cmap="PuOr",
                            vmin=-limit, vmax=limit, extent=_EXTENT)  # fmt: skip
    listening.colorbar(shown, ax=grid, shrink=0.8, label="weight to the play bit")
    listening.suptitle("what hidden units listen to", fontsize=10)
    listening.supxlabel("step", fontsize=9)
    listening.supylabel("pitch (MIDI)", fontsize=9)
    return figure


_EXTENT = (-0.5, STEPS_PER_BAR - 0.5, LOWEST_PITCH - 0.5, LOWEST_PITCH + NOTES - 0.5)


def _layers(axes: Axes, units: tuple[int, int], window: np.ndarray) -> None:
    """Two layers, every unit of one joined to every unit of the other."""
    visible, hidden = units
    below, above = np.linspace(0, 1, 24), np.linspace(0.15, 0.85, 14)
    for x in below:
        axes.plot([np.full(14, x), above], [np.zeros(14), np.ones(14)], color="0.8", lw=0.3)
    axes.scatter(above, np.ones(14), s=40, color=PALETTE[1], zorder=3)
    cells = window.reshape(-1)
    near = np.flatnonzero(cells)[0] // 24 * 24 if cells.any() else 0
    on = cells[near : near + 24]  # neighbouring cells, some of them on
    axes.scatter(below, np.zeros(24), s=40, c=np.where(on[:, None], 0.0, 1.0) * np.ones(3),
                 edgecolors=[PALETTE[0]], zorder=3)  # fmt: skip
    axes.text(0.5, 1.12, f"{hidden:,} hidden units", ha="center")
    axes.text(0.5, -0.16, f"{visible:,} visible units:\n16 steps × 78 notes × 2 bits", ha="center",
              va="top")  # fmt: skip
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.5, 1.3))
    axes.axis("off")


def sameness(table: pd.DataFrame, inputs: float) -> Figure:
    """How like outputs are to each other and to their inputs, over training.

    `table` has the columns noise ("same" or "own"), output ("newest" or "whole"), seed, iteration,
    to each other, to input and without feedback (to input, too); `inputs` is how like the inputs
    are to each other.
    """
    figure, panels = plt.subplots(
        1, 2, figsize=(2 * COLUMN, 3.4), sharey=True, layout="constrained"
    )
    styles = {"to each other": ("o-", PALETTE[1]), "to input": ("^-", PALETTE[0])}
    for axes, (noise, rows) in zip(panels, table.groupby("noise", sort=False), strict=True):
        for (column, (style, colour)), output in product(styles.items(), ("newest", "whole")):
            part = rows[rows["output"] == output].groupby("iteration")[column]
            dashes = {} if output == "newest" else {"dashes": (3, 2)}
            axes.plot(part.mean().index, part.mean(), style, color=colour, markersize=4, **dashes,
                      label=f"outputs {column}, {output}")  # fmt: skip
            axes.fill_between(part.min().index, part.min(), part.max(), color=colour, alpha=0.15,
                              lw=0)  # fmt: skip
        axes.axhline(inputs, color="0.35", ls=":", label="inputs to each other")
        axes.set(xscale="log", xlabel="training iterations", ylim=(0, 1.02))
        axes.set_title({"same": "same random numbers", "own": "random numbers of their own"}[noise])
        open_loop = rows[rows["output"] == "newest"].groupby("iteration")["without feedback"].mean()
        axes.plot(open_loop.index, open_loop, "s:", color=PALETTE[2], markersize=4,
                  label="without feedback, to input")  # fmt: skip
    panels[0].set_ylabel("likeness, F1 of sounding cells")
    panels[1].legend(fontsize=8)
    return figure


def restoration(table: pd.DataFrame) -> Figure:
    """F1 gained on corrupted pieces and lost on clean ones, a row a way of mending.

    `table` has the columns way, seed, music ("clean" or how it was corrupted) and gain.
    """
    figure, axes = plt.subplots(figsize=(1.6 * COLUMN, 4.2), layout="constrained")
    sns.pointplot(table, x="gain", y="way", hue="music", errorbar=("pi", 100), linestyle="none",
                  dodge=0.5, markers=["o", "s", "^", "D"], markersize=5, ax=axes,
                  err_kws={"linewidth": 1.2})  # fmt: skip
    axes.axvline(0, color="0.4", lw=0.8)
    axes.axvline(0.05, color="0.4", lw=0.8, ls=":")
    axes.set(xlabel="F1 of strikes, above that of leaving the piece as it is", ylabel="")
    axes.legend(title="", fontsize=8)
    return figure
