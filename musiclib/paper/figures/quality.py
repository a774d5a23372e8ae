"""How music is judged: over training, thinned out, by kind of network."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musiclib.metrics.pca import Projection
from musiclib.paper.figures.style import MUSIC, OURS, bands, dots, panels, with_legend


def isl_curves(table: pd.DataFrame, published: dict, total: int, ceiling: pd.Series) -> Figure:
    """Figure 4: ISL as published, then what it leaves out and bits saved, over training.

    `table` has the columns curriculum, seed, checkpoint (of `total` iterations), isl,
    dropped_share (%), bits and learned; `published` has lists of iterations and isl, `ceiling` is
    what real music saves, a value a seed.
    """
    table = table.assign(share=100 * table["checkpoint"] / total)
    figure = _judged(table, "share", "curriculum", f"training done, % of {total:,} iterations")
    isl, _, bits = figure.axes
    isl.plot([at / 100 for at in published["iterations"]], published["isl"], "s:", color="0.35",
             mfc="white", label="published (10,000 iterations)")  # fmt: skip
    bits.axhline(sum(ceiling) / len(ceiling), **MUSIC)
    bits.axhspan(min(ceiling), max(ceiling), color=MUSIC["color"], alpha=0.15, lw=0)
    bits.axhline(0, color="0.6", lw=0.8, label="independent notes")
    for axes in figure.axes:  # a run may be trained a part of the way
        axes.set_xlim(0, 100)
    return with_legend(figure, columns=3)


def thinning(table: pd.DataFrame) -> Figure:
    """What thinning does: published ISL, what it drops, and bits saved, against notes kept.

    `table` has the columns music, seed, kept (%), isl, dropped_share (%), bits and learned.
    """
    figure = _judged(table, "kept", "music", "notes kept, %")
    kept = table["kept"]
    plt.setp(figure.axes, xscale="log", xlim=(1.2 * kept.max(), kept.min() / 1.2))
    return with_legend(figure)


def _judged(table: pd.DataFrame, x: str, by: str, xlabel: str) -> Figure:
    """Three panels of what judges music, a line for each kind."""
    figure = panels(3, 3.5, xlabel, sharey=False)
    judges = {
        "isl": ("ISL, the paper's metric", "ISL, nats per bar"),
        "dropped_share": ("what ISL leaves out", "held-out bars dropped, %"),
        "bits": ("bits saved: nothing left out", "bits saved per note"),
    }
    for axes, (column, (title, ylabel)) in zip(figure.axes, judges.items(), strict=True):
        bands(axes, table, x, column, by, marker="o")
        axes.set(title=title, ylabel=ylabel)
    figure.axes[1].set_ylim(bottom=0)
    return figure


def projections(published: dict, together: dict, overlaps: dict, learned: bool = True) -> Figure:
    """Figure 5: training (green) and generated (blue) bars, a column an iteration.

    Above each panel has its own components, as `published`; below all have one pair `together`, so
    that they can be compared, and say how far the clouds overlap: a Projection and a text for each
    iteration. Axes say how little of the variance they show. `learned`: whether the network did.
    """
    figure = plt.figure(figsize=(11, 7), layout="constrained")
    grid = figure.subplots(2, len(published), squeeze=False)
    for above, below, at in zip(*grid, published, strict=True):
        _clouds(above, published[at], f"iteration {at:,}" + " (did not learn)" * (not learned))
        _clouds(below, together[at], f"{above.get_title()}\noverlap {overlaps[at]}")
        below.sharex(grid[1, 0])
        below.sharey(grid[1, 0])
    grid[0, 0].set_ylabel(f"each panel its own components (paper)\n\n{grid[0, 0].get_ylabel()}")
    grid[1, 0].set_ylabel(f"one pair of components for all\n\n{grid[1, 0].get_ylabel()}")
    return with_legend(figure)


def _clouds(axes: Axes, points: Projection, title: str) -> None:
    """Open circles and filled triangles, told apart in grey, too."""
    look = {"s": 8, "lw": 0.5, "alpha": 0.5, "rasterized": True}
    axes.scatter(*points.training.T, fc="none", ec=MUSIC["color"], label="training bars", **look)
    axes.scatter(*points.generated.T, color=OURS, marker="^", label="generated bars", **look)
    first, second = 100 * points.explained
    axes.set(title=title, xlabel=f"component 1 ({first:.0f} % of variance)")
    axes.set_ylabel(f"component 2 ({second:.0f} % of variance)")


def compared(table: pd.DataFrame, columns: dict[str, str], real: dict[str, float]) -> Figure:
    """Values of several kinds of networks, a panel for each column, a point for each seed.

    `table` has the columns kind, seed, learned and those of `columns`, which says what each is;
    `real` has what real music reaches, where it has a value.
    """
    figure = panels(len(columns), 3.5, "")
    for axes, (column, what) in zip(figure.axes, columns.items(), strict=True):
        dots(axes, table, column, "kind", "learned", ["one seed", "did not learn"])
        axes.set_xlabel(what)
        if column in real:
            axes.axvline(real[column], **MUSIC)
    return with_legend(figure)


def densities(table: pd.DataFrame, real: dict[str, float]) -> Figure:
    """Notes per step over epochs under both losses, predicted on real music and composed.

    `table` has the columns loss, seed, epoch, predicted, composed and learned; `real` says for
    predicted and composed what real music has.
    """
    figure = panels(2, 3.5, "epoch", "notes per step")
    for axes, column in zip(figure.axes, ("predicted", "composed"), strict=True):
        bands(axes, table, "epoch", column, "loss", marker="o")
        axes.axhline(real[column], **MUSIC)
        axes.set(title=column, ylim=(0, None))
    return with_legend(figure)
