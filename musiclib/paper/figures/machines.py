"""The RBMs: what they are, what they play, what they mend."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import LOWEST_PITCH, NOTES
from musiclib.paper.figures.style import MUSIC, OTHERS, bands, panels, with_legend


def machine(units: tuple[int, int], window: np.ndarray, filters: np.ndarray) -> Figure:
    """Figure 2: a window (16, 78, 2) as visible units, the hidden ones, and what some listen to.

    `units` counts both layers, `filters` (n, 16, 78, 2) are the weights of n hidden units.
    """
    figure = plt.figure(figsize=(11, 4.4), layout="constrained")
    layers, listening = figure.subfigures(1, 2, width_ratios=(1, 1.5))
    _layers(layers.subplots(), units, window)
    grid = listening.subplots(2, len(filters) // 2, sharex=True, sharey=True)
    extent = (-0.5, STEPS_PER_BAR - 0.5, LOWEST_PITCH - 0.5, LOWEST_PITCH + NOTES - 0.5)
    limit = np.abs(filters[..., 0]).max()
    for axes, weights in zip(grid.flat, filters, strict=True):
        shown = axes.imshow(weights[..., 0].T, origin="lower", aspect="auto", cmap="cividis",
                            vmin=-limit, vmax=limit, extent=extent)  # fmt: skip
    listening.colorbar(shown, ax=grid, shrink=0.8, label="weight to the play bit")
    listening.suptitle("what hidden units listen to", fontsize=10)
    listening.supxlabel("step of the bar", fontsize=9)
    listening.supylabel("pitch (MIDI)", fontsize=9)
    return figure


def _layers(axes: Axes, units: tuple[int, int], window: np.ndarray) -> None:
    """Two layers, every unit of one joined to every unit of the other."""
    below, above = np.linspace(0, 1, 24), np.linspace(0.15, 0.85, 14)
    for x in below:
        axes.plot([np.full(14, x), above], [np.zeros(14), np.ones(14)], color="0.8", lw=0.3)
    axes.scatter(above, np.ones(14), s=40, color="0.5", zorder=3)
    first = window.argmax() // 24 * 24  # neighbouring cells, some of them on
    on = np.where(window.reshape(-1)[first : first + 24], "black", "white")
    axes.scatter(below, np.zeros(24), s=40, color=on, edgecolors="black", zorder=3)
    under = f"{units[0]:,} visible units (filled: on):\n16 steps × 78 notes × 2 bits"
    axes.text(0.5, -0.16, under, ha="center", va="top")
    axes.text(0.5, 1.12, f"{units[1]:,} hidden units", ha="center")
    axes.axis("off")


def sameness(table: pd.DataFrame, inputs: float) -> Figure:
    """How like outputs are to each other and to their inputs, over training.

    `table` has the columns noise ("same" or "own"), output ("newest" or "whole"), seed, iteration,
    to each other, to input and without feedback (to input, too); `inputs` is how like the inputs
    are to each other.
    """
    figure = panels(2, 4, "training iterations", "likeness, F1 of sounding cells")
    for axes, (noise, rows) in zip(figure.axes, table.groupby("noise", sort=False), strict=True):
        for to, colour, marker in (("to each other", OTHERS[0], "o"), ("to input", OTHERS[1], "^")):
            bands(axes, rows, "iteration", to, "output", f"outputs {to}, {{}}", color=colour,
                  marker=marker)  # fmt: skip
        bands(axes, rows[rows["output"] == "newest"], "iteration", "without feedback", "output",
              "without feedback, to input", color=OTHERS[2], ls="-.", marker="s")  # fmt: skip
        axes.axhline(inputs, **MUSIC | {"label": "inputs to each other"})
        axes.set(title=f"{noise} random numbers", xscale="log", ylim=(0, 1.02))
    return with_legend(figure, columns=4)


def restoration(table: pd.DataFrame) -> Figure:
    """F1 gained on corrupted pieces and lost on clean ones, a row a way of mending.

    `table` has the columns way, seed, music ("clean" or how it was corrupted) and gain.
    """
    figure, axes = plt.subplots(figsize=(8.3, 4.8), layout="constrained")
    names = {name: f"wrong notes {name}" for name in table["music"]} | {"clean": "clean music"}
    table = table.assign(music=table["music"].map(names))
    how = {"x": "gain", "y": "way", "hue": "music", "palette": list(OTHERS), "ax": axes}
    sns.stripplot(table, dodge=True, jitter=False, size=2.5, legend=False, **how)
    sns.pointplot(table, errorbar=None, linestyle="none", dodge=0.6, markers=["o", "s", "^", "D"],
                  markersize=5, **how)  # fmt: skip
    axes.plot([], [], ".", color="0.4", markersize=4, label="small: one seed each")
    axes.axvline(0.05, color="0.4", lw=0.8, ls=":", label="a gain of 0.05")
    axes.axvline(0, color="0.4", lw=0.8, zorder=0)
    axes.set(xlabel="F1 of strikes, above that of leaving the piece as it is", ylabel="")
    axes.get_legend().remove()
    return with_legend(figure, columns=3)
