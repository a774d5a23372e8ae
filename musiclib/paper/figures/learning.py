"""What the networks learn: curves, plateaus, how pieces begin."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musiclib.paper.figures.style import (
    MUSIC,
    NAMES,
    OTHERS,
    OURS,
    bands,
    dots,
    mark,
    panels,
    with_legend,
)

GREY = {"color": "0.4", "lw": 0.7, "zorder": 1}  # marks: told apart from ours without colour
THEIRS = (GREY | {"marker": "o", "ms": 2}, GREY | {"ls": ":", "marker": "s", "mfc": "white"})


def learning_curves(
    table: pd.DataFrame, x: str, unit: str, theirs: pd.DataFrame | None = None
) -> Figure:
    """Figure 3: training and held-out loss with and without curriculum.

    `table` has the columns curriculum ("plain" or "curriculum"), seed, set ("training" or
    "held-out"), at, loss and learned; `x` says what `at` counts. `theirs` has losses of the
    authors' logs, columns run, at and loss on the same scales: lines beside those of training, both
    panels with logarithms of losses.
    """
    table = table.sort_values("curriculum", key=lambda of: of.map(list(NAMES).index), kind="stable")
    figure = panels(2, 3.5, f"{x} on the main corpus", unit)
    for axes, (part, rows) in zip(figure.axes, table.groupby("set", sort=False), strict=True):
        bands(axes, rows, "at", "loss", "curriculum")
        axes.set_title(f"{part} music")
        axes.xaxis.get_major_locator().set_params(integer=True)
    if theirs is None:
        return with_legend(figure, inside=figure.axes[0])
    for look, (run, rows) in zip(THEIRS, theirs.groupby("run", sort=False), strict=True):
        figure.axes[0].plot(rows["at"], rows["loss"], label=f"authors' log, {run}", **look)
    plain_numbers(figure.axes[0])
    return with_legend(figure)


def plain_numbers(axes: Axes) -> None:
    """A logarithmic y axis on which 1, 2 and 5 of every power of ten are written out."""
    axes.set_yscale("log", subs=(2, 5))
    axes.yaxis.set_minor_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")


def beginnings(table: pd.DataFrame, real: float) -> Figure:
    """Keys down over the samples of pieces, a panel for each form, a line for each beginning.

    `table` has the columns form, seed, sample, way, keys and learned; `real` is what the music
    that is heard has. Lines are means over quarters of an octave of samples.
    """
    table = table.assign(sample=2 ** (np.log2(table["sample"]) * 4).round().div(4))
    figure = panels(table["form"].nunique(), 4, "sample of 0.3 s", "keys down per sample")
    for axes, (form, rows) in zip(figure.axes, table.groupby("form", sort=False), strict=True):
        bands(axes, rows.drop(columns="learned"), "sample", "keys", "way")
        axes.axhline(real, **MUSIC | {"label": "in the music heard"})
        axes.set(title=f"{form} form{mark(rows)}", xscale="log", yscale="symlog")
        axes.set_yticks([0, 1, 2, 5, 10, 20, 50])
        axes.yaxis.set_major_formatter("{x:g}")
    return with_legend(figure, columns=3)


def plateau(table: pd.DataFrame, limit: int) -> Figure:
    """When trials leave the plateau, a panel for each form, a row for each thing changed.

    `table` has the columns form, changed, seed and left_at (iteration, infinite where the trial
    ended at `limit` without leaving).
    """
    names = ["left the plateau", f"still on it at {limit}"]
    table = table.assign(left=np.isfinite(table["left_at"]), at=table["left_at"].clip(upper=limit))
    figure = panels(table["form"].nunique(), 4.8, "iteration", sharey=False)
    for axes, (form, rows) in zip(figure.axes, table.groupby("form", sort=False), strict=True):
        dots(axes, rows, "at", "changed", "left", names)
        axes.set(title=f"{form} form, changed:", xlim=(0, 1.04 * limit))
    return with_legend(figure)


def escapes(table: pd.DataFrame, constant: float, left: float) -> Figure:
    """Held-out loss of trials, a panel for each form, a line for each seed.

    `table` has the columns form, changed, seed, iteration and loss; `constant` is the loss of one
    constant rate, the share `left` of it the bar for having left the plateau.
    """
    figure = panels(table["form"].nunique(), 4.2, "iteration", "held-out loss, nats per batch")
    for axes, (form, rows) in zip(figure.axes, table.groupby("form", sort=False), strict=True):
        colours = (OURS, *OTHERS)[: rows["changed"].nunique()]
        sns.lineplot(rows, x="iteration", y="loss", hue="changed", style="changed", units="seed",
                     estimator=None, markers=True, dashes=False, palette=colours, lw=1,
                     markersize=7, ax=axes)  # fmt: skip
        axes.axhline(constant, color="0.4", ls="--", lw=0.9, label="one constant rate")
        axes.axhline(left * constant, color="0.4", ls=":", lw=0.9, label="below: off the plateau")
        axes.set_title(f"{form} form, changed:")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    return figure
