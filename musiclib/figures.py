"""The figures' one style, and how they are drawn and saved."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from musiclib.files import replacing
from musiclib.pca import Projection

PALETTE = sns.color_palette("colorblind")
COLOURS = {"plain": PALETTE[0], "curriculum": PALETTE[1], "published": "0.35"}
NAMES = {"plain": "without curriculum", "curriculum": "with curriculum", "published": "published"}
TRAINING, GENERATED = PALETTE[2], PALETTE[0]
COLUMN = 5.2  # inches


def style() -> None:
    """Set the style of all figures; call once at the top of a notebook."""
    sns.set_theme(context="paper", style="ticks", palette="colorblind", font_scale=1.05)
    plt.rcParams.update({"figure.dpi": 110, "pdf.fonttype": 42, "axes.spines.right": False})
    plt.rcParams.update({"axes.spines.top": False, "legend.frameon": False})


def save(figure: Figure, data: pd.DataFrame, folder: Path, name: str, label: str) -> None:
    """Write `name`.png, .pdf and the data behind them as .csv, the same bytes for the same data.

    `label` says under the figure what was run, so that a scaled-down one is not taken for another.
    """
    figure.supxlabel(label, x=0.995, ha="right", fontsize=7, color="0.4")
    for suffix, metadata in {".png": {"Software": None}, ".pdf": {"CreationDate": None}}.items():
        with replacing(folder / f"{name}{suffix}") as temporary:
            figure.savefig(temporary, dpi=200, bbox_inches="tight", metadata=metadata)
    with replacing(folder / f"{name}.csv") as temporary:
        data.to_csv(temporary, index=False, float_format="%.6g")


def band(axes: Axes, table: pd.DataFrame, x: str, y: str, kind: str, **style: object) -> None:
    """Mean over seeds as a line and, for more than one seed, lowest to highest as a band."""
    seeds = table.groupby(x)[y]
    mean, low, high = seeds.mean(), seeds.min(), seeds.max()
    axes.plot(mean.index, mean, color=COLOURS[kind], label=NAMES[kind], **style)
    if table["seed"].nunique() > 1:
        axes.fill_between(mean.index, low, high, color=COLOURS[kind], alpha=0.2, linewidth=0)


def learning_curves(table: pd.DataFrame, x: str, unit: str) -> Figure:
    """Figure 3: training and held-out loss with and without curriculum.

    `table` has the columns curriculum ("plain" or "curriculum"), seed, set ("training" or
    "held-out"), at and loss; `x` says what `at` counts.
    """
    figure, panels = plt.subplots(
        1, 2, figsize=(2 * COLUMN, 3.2), sharey=True, layout="constrained"
    )
    for axes, part in zip(panels, ("training", "held-out"), strict=True):
        for kind, rows in table[table["set"] == part].groupby("curriculum", sort=False):
            band(axes, rows, "at", "loss", str(kind))
        axes.set(title=f"{part} music", xlabel=f"{x} on the main corpus")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel(unit)
    panels[0].legend()
    return figure


def isl_curve(table: pd.DataFrame, published: Mapping[str, Sequence[float]], total: int) -> Figure:
    """Figure 4: ISL against the share of training done, published points beside ours.

    `table` has the columns curriculum, seed, checkpoint (of `total` iterations) and isl.
    """
    figure, axes = plt.subplots(figsize=(COLUMN, 3.4), layout="constrained")
    table = table.assign(share=100 * table["checkpoint"] / total)
    for kind, rows in table.groupby("curriculum", sort=False):
        band(axes, rows, "share", "isl", str(kind), marker="o", markersize=4)
    share = np.asarray(published["iterations"]) / 100
    axes.plot(share, published["isl"], "s--", color=COLOURS["published"], markersize=4, lw=1,
              label="published, of 10,000", mfc="white")  # fmt: skip
    axes.set(xlabel=f"share of training done (100 % = {total:,} iterations), %")
    axes.set(ylabel="ISL, nats a measure", xlim=(0, 100))
    axes.legend()
    return figure


def projections(panels: Mapping[int, Projection]) -> Figure:
    """Figure 5: training (green) and generated (blue) measures, a panel an iteration."""
    figure, grid = plt.subplots(
        1, len(panels), figsize=(3.6 * len(panels), 3.4), layout="constrained"
    )
    for axes, (iteration, points) in zip(np.atleast_1d(grid), panels.items(), strict=True):
        for part, colour, mark in (("training", TRAINING, "o"), ("generated", GENERATED, "^")):
            xy = getattr(points, part)
            axes.scatter(*xy.T, s=9, color=colour, marker=mark, alpha=0.45, lw=0, label=part,
                         rasterized=True)  # fmt: skip
        first, second = 100 * points.explained
        axes.set(
            title=f"iteration {iteration:,}", xlabel=f"component 1 ({first:.0f} % of variance)"
        )
        axes.set(ylabel=f"component 2 ({second:.0f} %)")
    grid.flat[0].legend(markerscale=2) if len(panels) > 1 else grid.legend(markerscale=2)
    return figure
