"""What the networks learn: curves, plateaus, how pieces begin."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, SymmetricalLogLocator

from musiclib.paper.figures.style import (
    COLUMN,
    PALETTE,
    band,
    mark,
)


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


def beginnings(table: pd.DataFrame, real: float) -> Figure:
    """Keys down over the samples of pieces, a panel for each form, a line for each beginning.

    `table` has the columns form, seed, sample, way, keys and learned; `real` is what the music
    that is heard has.
    """
    forms = table["form"].unique()
    figure, panels = plt.subplots(
        1, len(forms), figsize=(2 * COLUMN, 3.2), sharey=True, layout="constrained"
    )
    for axes, form in zip(panels, forms, strict=True):
        ways = table[table["form"] == form].groupby("way", sort=False)
        for index, (way, rows) in enumerate(ways):
            seeds = rows.groupby("sample")["keys"]
            axes.plot(seeds.mean(), color=PALETTE[index], ls="-" if index else "--", label=way)
            axes.fill_between(seeds.min().index, seeds.min(), seeds.max(), color=PALETTE[index],
                              alpha=0.15, lw=0)  # fmt: skip
        axes.axhline(real, color="0.35", ls=":", label="in that music")
        learned = mark(table[table["form"] == form])
        axes.set(title=f"{form} form{learned}", xlabel="sample of 0.3 s", xscale="log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_yscale("symlog", linthresh=1)
        axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1, subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
    panels[0].set_ylabel("keys down per sample")
    panels[0].legend(fontsize=8, loc="upper left")
    return figure


def plateau(table: pd.DataFrame, limit: int) -> Figure:
    """When trials leave the plateau, a panel for each form, a row for each thing changed.

    `table` has the columns form, changed, seed and left_at (iteration, infinite where the trial
    ended at `limit` without leaving).
    """
    forms = table["form"].unique()
    figure, panels = plt.subplots(
        1, len(forms), figsize=(2.3 * COLUMN, 3.8), sharex=True, layout="constrained"
    )
    for axes, form in zip(panels, forms, strict=True):
        part = table[table["form"] == form]
        rows = {name: at for at, name in enumerate(part["changed"].unique())}
        for left, label, style in (
            (part[np.isfinite(part["left_at"])], "left the plateau", {"color": PALETTE[0]}),
            (part[np.isinf(part["left_at"])], f"still on it at {limit}",
             {"facecolor": "none", "edgecolor": PALETTE[1], "marker": "s"}),
        ):  # fmt: skip
            height = left["changed"].map(rows) + 0.18 * (left["seed"] % 3 - 1)
            axes.scatter(left["left_at"].clip(upper=limit), height, s=26, label=label, **style)
        axes.set_yticks(list(rows.values()), list(rows))
        axes.set(title=f"{form} form, changed:", xlabel="iteration", xlim=(0, 1.04 * limit))
        axes.invert_yaxis()
        axes.grid(axis="y", color="0.92")
    panels[-1].legend(loc="best", frameon=True, fontsize=8)
    return figure


def escapes(table: pd.DataFrame, constant: float, left: float) -> Figure:
    """Held-out loss of trials, a panel for each form, a colour for each thing changed.

    `table` has the columns form, changed, seed, iteration and loss; `constant` is the loss of one
    constant rate, the share `left` of it the bar for having left the plateau.
    """
    forms = table["form"].unique()
    figure, panels = plt.subplots(
        1, len(forms), figsize=(2 * COLUMN, 3.2), sharey=True, layout="constrained"
    )
    for axes, form in zip(panels, forms, strict=True):
        for index, (changed, rows) in enumerate(
            table[table["form"] == form].groupby("changed", sort=False)
        ):
            for seed, curve in rows.groupby("seed"):
                axes.plot(curve["iteration"], curve["loss"], "os^"[index % 3] + "-", lw=1,
                          markersize=3, color=PALETTE[index],
                          label=changed if seed == rows["seed"].min() else None)  # fmt: skip
        axes.axhline(constant, color="0.4", ls="--", lw=0.9)
        axes.axhline(left * constant, color="0.4", ls=":", lw=0.9)
        axes.set(title=f"{form} form", xlabel="iteration")
        axes.legend(title="changed", fontsize=8)
    panels[0].set_ylabel("held-out loss, nats per batch")
    return figure
