"""The figures' one style, and how they are drawn and saved."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, SymmetricalLogLocator

from musiclib.files import replacing
from musiclib.measures import STEPS_PER_MEASURE
from musiclib.midi import LOWEST_PITCH, NOTES
from musiclib.pca import Projection

PALETTE = sns.color_palette("colorblind")
COLOURS = {"plain": PALETTE[0], "curriculum": PALETTE[1], "published": "0.35"}
COLOURS |= {"real": PALETTE[2], "lstm": PALETTE[0]}
COLOURS |= {"categorical": PALETTE[0], "bernoulli": PALETTE[4]}
NAMES = {
    "plain": "without curriculum",
    "curriculum": "with curriculum",
    "real": "real music",
    "lstm": "our LSTM, last epoch",
    "categorical": "categorical loss (paper)",
    "bernoulli": "Bernoulli loss",
}
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
    """Mean over seeds as a line and, for more than one seed, lowest to highest as a band.

    Where the table has a column learned, the label says how many seeds did not.
    """
    seeds = table.groupby(x)[y]
    mean, low, high = seeds.mean(), seeds.min(), seeds.max()
    axes.plot(mean.index, mean, color=COLOURS[kind], label=NAMES[kind] + _mark(table), **style)
    if table["seed"].nunique() > 1:
        axes.fill_between(mean.index, low, high, color=COLOURS[kind], alpha=0.2, linewidth=0)


def _mark(table: pd.DataFrame) -> str:
    if "learned" not in table or table["learned"].all():
        return ""
    failed, all_of_them = table[~table["learned"]]["seed"].nunique(), table["seed"].nunique()
    how_many = "" if failed == all_of_them else f"{failed} of {all_of_them} "
    return f" ({how_many}did not learn)"


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
                   label="published, of 10,000", mfc="white")  # fmt: skip
    panels[0].set(ylabel="ISL, nats a measure", title="as published")
    panels[0].legend()
    panels[1].set(
        ylabel="held-out measures dropped, %", title="what ISL leaves out", ylim=(0, None)
    )
    panels[2].set(ylabel="bits saved a note", title="repaired: nothing left out")
    level(panels[2], ceiling, "real music")
    panels[2].axhline(0, color="0.6", lw=0.8)
    return figure


def level(axes: Axes, values: Sequence[float], label: str) -> None:
    """A landmark: the mean of values as a dashed line, lowest to highest as a band."""
    mean = float(np.mean(values))
    axes.axhline(mean, color=TRAINING, ls="--", lw=1.2)
    axes.axhspan(min(values), max(values), color=TRAINING, alpha=0.15, lw=0)
    place = axes.get_yaxis_transform()
    axes.margins(y=0.1)
    axes.text(0.02, max(values), label, color=TRAINING, transform=place, va="bottom", fontsize=8)


def projections(
    published: Mapping[int, Projection],
    together: Mapping[int, Projection],
    overlaps: Mapping[int, str],
    learned: bool = True,
) -> Figure:
    """Figure 5: training (green) and generated (blue) measures, a column an iteration.

    Above, as published, each panel has its own components; below all panels share one pair, so
    that they can be compared, and say how far the clouds overlap. `learned`: whether the network
    did.
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
    grid[0, 0].legend(markerscale=2)
    return figure


def _clouds(axes: Axes, points: Projection) -> None:
    for part, colour, mark in (("training", TRAINING, "o"), ("generated", GENERATED, "^")):
        xy = getattr(points, part)
        axes.scatter(*xy.T, s=9, color=colour, marker=mark, alpha=0.45, lw=0, label=part,
                     rasterized=True)  # fmt: skip
    first, second = 100 * points.explained
    axes.set(xlabel=f"component 1 ({first:.0f} % of variance)")
    axes.set(ylabel=f"component 2 ({second:.0f} %)")


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
        mark = _mark(table[table["form"] == form])
        axes.set(title=f"{form} form{mark}", xlabel="sample of 0.3 s", xscale="log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_yscale("symlog", linthresh=1)
        axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1, subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
    panels[0].set_ylabel("keys down per sample")
    panels[0].legend(fontsize=8, loc="upper left")
    return figure


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
    panels[0].set(ylabel="ISL, nats a measure", title="as published")
    panels[1].set(ylabel="held-out measures dropped, %", title="what ISL leaves out")
    panels[2].set(ylabel="bits saved a note", title="repaired: nothing left out")
    panels[0].legend()
    return figure


def densities(table: pd.DataFrame, real: Mapping[str, float]) -> Figure:
    """Notes a step over epochs under both losses, predicted on real music and composed.

    `table` has the columns loss, seed, epoch, predicted and composed; `real` says for the last two
    what real music has.
    """
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 3.2), layout="constrained")
    for axes, column in zip(panels, ("predicted", "composed"), strict=True):
        for loss, rows in table.groupby("loss", sort=False):
            band(axes, rows, "epoch", column, str(loss), marker="o", markersize=4)
        axes.axhline(real[column], color="0.35", ls=":", label="real music")
        axes.set(title=column, xlabel="epoch", ylabel="notes a step")
        axes.set_ylim(bottom=0)
    panels[0].legend(loc="lower left")
    return figure


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


_EXTENT = (-0.5, STEPS_PER_MEASURE - 0.5, LOWEST_PITCH - 0.5, LOWEST_PITCH + NOTES - 0.5)


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
    """F1 gained on spoiled pieces and lost on clean ones, a row a way of mending.

    `table` has the columns way, seed, music ("clean" or how it was spoiled) and gain.
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
