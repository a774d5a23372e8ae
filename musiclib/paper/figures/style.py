"""The one style of all figures: colours, names, bands over seeds, and how they are saved."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musiclib.base.files import replacing

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
DASHES = {"curriculum": "--", "bernoulli": "--", "lstm": "--"}  # told apart in grey, too
RANGE = "lowest to highest seed"
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
    style = {"ls": DASHES.get(kind, "-"), "color": COLOURS[kind]} | style
    axes.plot(mean.index, mean, label=NAMES[kind] + mark(table), **style)
    if table["seed"].nunique() > 1:
        known = RANGE in axes.get_legend_handles_labels()[1]
        axes.fill_between(mean.index, low, high, color=COLOURS[kind], alpha=0.2, linewidth=0,
                          label=None if known else RANGE)  # fmt: skip


def mark(table: pd.DataFrame) -> str:
    """What a label says of rows whose networks did not learn."""
    if "learned" not in table or table["learned"].all():
        return ""
    failed, all_of_them = table[~table["learned"]]["seed"].nunique(), table["seed"].nunique()
    how_many = "" if failed == all_of_them else f"{failed} of {all_of_them} "
    return f" ({how_many}did not learn)"


def level(axes: Axes, values: Sequence[float], label: str) -> None:
    """A landmark: the mean of values as a dashed line, lowest to highest as a band."""
    mean = float(np.mean(values))
    axes.axhline(mean, color=TRAINING, ls="--", lw=1.2)
    axes.axhspan(min(values), max(values), color=TRAINING, alpha=0.15, lw=0)
    place = axes.get_yaxis_transform()
    axes.margins(y=0.1)
    axes.text(0.02, max(values), label, color=TRAINING, transform=place, va="bottom", fontsize=8)
