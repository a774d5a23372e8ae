"""How music is judged: over training, thinned out, by kind of network."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musiclib.metrics.pca import Projection
from musiclib.paper.figures.style import (
    COLOURS,
    COLUMN,
    GENERATED,
    PALETTE,
    TRAINING,
    band,
    level,
)


def isl_curves(
    table: pd.DataFrame,
    published: Mapping[str, Sequence[float]],
    total: int,
    ceiling: Sequence[float],
) -> Figure:
    """Figure 4: ISL as published, then what it leaves out and bits saved, over training.

    `table` has the columns curriculum, seed, checkpoint (of `total` iterations), isl,
    dropped_share (%) and bits; `ceiling` is what real music saves, a value a seed.
    """
    figure, panels = plt.subplots(1, 3, figsize=(2.3 * COLUMN, 3.4), layout="constrained")
    table = table.assign(share=100 * table["checkpoint"] / total)
    for axes, column in zip(panels, ("isl", "dropped_share", "bits"), strict=True):
        for kind, rows in table.groupby("curriculum", sort=False):
            band(axes, rows, "share", column, str(kind), marker="o", markersize=4)
        axes.set(xlabel=f"training done, % of {total:,} iterations", xlim=(0, 100))
    share = np.asarray(published["iterations"]) / 100
    panels[0].plot(share, published["isl"], "s--", color=COLOURS["published"], markersize=4, lw=1,
                   label="published (10,000 iterations)", mfc="white")  # fmt: skip
    panels[0].set(ylabel="ISL, nats per bar", title="ISL, the paper's metric")
    panels[0].legend()
    panels[1].set(ylabel="held-out bars dropped, %", title="what ISL leaves out", ylim=(0, None))
    panels[2].set(ylabel="bits saved per note", title="bits saved: nothing left out")
    level(panels[2], ceiling, "real music")
    panels[2].axhline(0, color="0.6", lw=0.8)
    return figure


def projections(
    published: Mapping[int, Projection],
    together: Mapping[int, Projection],
    overlaps: Mapping[int, str],
    learned: bool = True,
) -> Figure:
    """Figure 5: training (green) and generated (blue) bars, a column an iteration.

    Above, as published, each panel has its own components; below all panels share one pair, so
    that they can be compared, and say how far the clouds overlap. Axes say how little of the
    variance they show. `learned`: whether the network did.
    """
    figure, grid = plt.subplots(
        2, len(published), figsize=(3.6 * len(published), 6.8), layout="constrained", squeeze=False
    )
    for row, panels in zip(grid, (published, together), strict=True):
        for axes, (iteration, points) in zip(row, panels.items(), strict=True):
            _clouds(axes, points)
            axes.set_title(f"iteration {iteration:,}" + " (did not learn)" * (not learned))
    for axes, iteration in zip(grid[1], together, strict=True):
        axes.set_title(f"iteration {iteration:,}\noverlap {overlaps[iteration]}")
        axes.sharex(grid[1, 0])
        axes.sharey(grid[1, 0])
    for axes, basis in zip(grid[:, 0], BASES, strict=True):
        axes.set_ylabel(f"{basis}\n\n{axes.get_ylabel()}")
    grid[0, 0].legend(markerscale=2)
    return figure


BASES = ("each panel its own components (paper)", "one pair of components for all")


def _clouds(axes: Axes, points: Projection) -> None:
    for part, colour, mark in (("training", TRAINING, "o"), ("generated", GENERATED, "^")):
        xy = getattr(points, part)
        axes.scatter(*xy.T, s=9, color=colour, marker=mark, alpha=0.45, lw=0, label=part,
                     rasterized=True)  # fmt: skip
    first, second = 100 * points.explained
    axes.set(xlabel=f"component 1 ({first:.0f} % of variance)")
    axes.set(ylabel=f"component 2 ({second:.0f} %)")


def compared(table: pd.DataFrame, columns: Mapping[str, str], real: Mapping[str, float]) -> Figure:
    """Values of several kinds of networks, a panel for each column, a point for each seed.

    `table` has the columns kind, seed, learned and those of `columns`, which says what each is;
    `real` has what real music reaches, where it has a value.
    """
    figure, panels = plt.subplots(
        1, len(columns), figsize=(2.3 * COLUMN, 3.0), sharey=True, layout="constrained"
    )
    rows = {kind: at for at, kind in enumerate(table["kind"].unique())}
    for axes, (column, what) in zip(panels, columns.items(), strict=True):
        for learned, style in ((True, {}), (False, {"facecolor": "none"})):
            part = table[table["learned"] == learned]
            axes.scatter(part[column], part["kind"].map(rows), s=26, edgecolor=PALETTE[0],
                         **({"color": PALETTE[0]} | style if learned else style),
                         label="" if learned else "did not learn")  # fmt: skip
        if column in real:
            axes.axvline(real[column], color=TRAINING, ls="--", lw=1.2)
        axes.set(xlabel=what)
        axes.margins(y=0.15)
    panels[0].set_yticks(list(rows.values()), list(rows))
    panels[0].invert_yaxis()
    if not table["learned"].all():
        panels[-1].legend(fontsize=8)
    return figure


def thinning(table: pd.DataFrame) -> Figure:
    """What thinning does: published ISL, what it drops, and bits saved, against notes kept.

    `table` has the columns music, seed, kept (%), isl, dropped_share (%) and bits.
    """
    figure, panels = plt.subplots(1, 3, figsize=(2.3 * COLUMN, 3.4), layout="constrained")
    for axes, column in zip(panels, ("isl", "dropped_share", "bits"), strict=True):
        for music, rows in table.groupby("music", sort=False):
            band(axes, rows, "kept", column, str(music), marker="o", markersize=4)
        axes.set(xlabel="notes kept, %", xscale="log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.invert_xaxis()
    panels[0].set(ylabel="ISL, nats per bar", title="ISL, the paper's metric")
    panels[1].set(ylabel="held-out bars dropped, %", title="what ISL leaves out")
    panels[2].set(ylabel="bits saved per note", title="bits saved: nothing left out")
    panels[0].legend()
    return figure


def densities(table: pd.DataFrame, real: Mapping[str, float]) -> Figure:
    """Notes per step over epochs under both losses, predicted on real music and composed.

    `table` has the columns loss, seed, epoch, predicted and composed; `real` says for the last two
    what real music has.
    """
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 3.2), layout="constrained")
    for axes, column in zip(panels, ("predicted", "composed"), strict=True):
        for loss, rows in table.groupby("loss", sort=False):
            band(axes, rows, "epoch", column, str(loss), marker="o", markersize=4)
        axes.axhline(real[column], color="0.35", ls=":", label="real music")
        axes.set(title=column, xlabel="epoch", ylabel="notes per step")
        axes.set_ylim(bottom=0)
    panels[0].legend(loc="lower left")
    return figure
