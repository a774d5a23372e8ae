"""The RBMs: what they are, what they play, what they mend."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from musiclib.models.rbm import RBM
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import LOWEST_PITCH, NOTES
from musiclib.paper.figures.rolls import WIDTH, font, legend, roll
from musiclib.paper.figures.style import MUSIC, OTHERS, bands, panels, with_legend
from musiclib.paper.layers import rbm_layers, window_steps

DRAWN = 24  # hidden units, at most


def rbm(model: RBM, window: np.ndarray) -> Figure:
    """Figure 2: an RBM as it is, its visible units as a window of note states (16, 78, 2).

    All numbers are read from the model: units, weights, biases.
    """
    layers, steps = rbm_layers(model).set_index("part"), window_steps(model)
    figure = plt.figure(figsize=(WIDTH, 5.4), layout="constrained")
    hidden, visible = figure.subplots(2, 1, height_ratios=(1, 1.7))
    roll(visible, window, np.arange(steps), (0, steps), (LOWEST_PITCH - 1, LOWEST_PITCH + NOTES))
    visible.set_xticks(np.arange(steps) + 0.5, np.arange(1, steps + 1))
    with torch.no_grad():
        on = torch.sigmoid(model.hidden_logits(torch.from_numpy(window).float().reshape(1, -1)))[0]
    _hidden(hidden, layers, steps, on[:DRAWN].numpy())
    units = f"{layers.loc['visible', 'units']:,} visible units"
    words = f"{units}: {steps} steps × {NOTES} notes × 2 bits (plays, is struck)"
    visible.set_xlabel(words, fontsize=font(figure))
    legend(figure)
    return figure


def _hidden(axes: Axes, layers: pd.DataFrame, steps: int, on: np.ndarray) -> None:
    """Hidden units, the darker the likelier `on`, joined to every step of the window below."""
    units, weights = layers["units"], layers["weights"]
    middles = np.linspace(0, steps, len(on) + 2)[1:-1]
    ends = [[(step + 0.5, 0), (middle, 1)] for step in range(steps) for middle in middles]
    axes.add_collection(LineCollection(ends, colors="0.75", lw=0.35))
    axes.scatter(middles, np.ones(len(on)), s=60, c=1 - on, cmap="gray", vmin=0, vmax=1, ec="0.2",
                 lw=0.7, zorder=3)  # fmt: skip
    shown = f"{len(on)} drawn, " if len(on) < units["hidden"] else ""
    words = f"{units['hidden']:,} hidden units ({shown}darker: likelier on)"
    look = {"ha": "center", "fontsize": font(axes.figure)}
    axes.text(steps / 2, 1.2, words, va="bottom", **look)
    between = f"{weights['between']:,} weights: each visible to each hidden unit"
    between += f"\n{weights['visible']:,} + {weights['hidden']:,} biases"
    box = {"fc": "white", "ec": "none", "pad": 2}
    axes.text(steps / 2, 0.45, between, va="center", bbox=box, **look)
    axes.set(xlim=(0, steps), ylim=(0, 1.2))
    axes.axis("off")


def filters(weights: np.ndarray) -> Figure:
    """What some hidden units of an RBM listen to: their weights (n, 16, 78, 2) to the play bits."""
    figure = plt.figure(figsize=(WIDTH, 5.2), layout="constrained")
    grid = figure.subplots(2, len(weights) // 2, sharex=True, sharey=True)
    extent = (-0.5, STEPS_PER_BAR - 0.5, LOWEST_PITCH - 0.5, LOWEST_PITCH + NOTES - 0.5)
    limit = np.abs(weights[..., 0]).max()
    for axes, own in zip(grid.flat, weights, strict=True):
        shown = axes.imshow(own[..., 0].T, origin="lower", aspect="auto", cmap="cividis",
                            vmin=-limit, vmax=limit, extent=extent)  # fmt: skip
        axes.tick_params(labelsize=font(figure))
    bar = figure.colorbar(shown, ax=grid, shrink=0.8)
    bar.set_label("weight to the play bit", size=font(figure))
    bar.ax.tick_params(labelsize=font(figure))
    for axes in grid[-1]:
        axes.set_xlabel("step of the bar", fontsize=font(figure))
    for axes in grid[:, 0]:
        axes.set_ylabel("pitch (MIDI)", fontsize=font(figure))
    return figure


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
