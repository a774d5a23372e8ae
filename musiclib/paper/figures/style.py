"""The one style of all figures: colours, panels, lines for seeds, legends, how they are saved."""

import base64
import io
from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musiclib.base.writing import replacing, write_text

OURS, ORANGE, GREEN, RED, PURPLE, BROWN, *_, SKY = sns.color_palette("colorblind")
COLOURS = {"plain": OURS, "curriculum": ORANGE, "lstm": OURS, "real": GREEN}
COLOURS |= {"categorical": OURS, "bernoulli": PURPLE}  # the same in every figure
OTHERS = (RED, SKY, BROWN, "midnightblue")  # in this order, for what has no colour of its own
DASHES = ("-", "--", "-.", (0, (6, 1, 1, 1, 1, 1)))  # in this order: told apart in grey, too
NAMES = {"plain": "without curriculum", "curriculum": "with curriculum", "real": "real music"}
NAMES |= {"lstm": "our LSTM, last epoch", "categorical": "categorical loss (paper)"}
NAMES |= {"bernoulli": "Bernoulli loss"}
MUSIC = {"color": COLOURS["real"], "ls": (0, (1, 1)), "label": NAMES["real"]}
RANGE = "thin: one seed each, band: their range"


def style() -> None:
    """Set the style of all figures; call once at the top of a notebook."""
    rc = {"figure.dpi": 110, "pdf.fonttype": 42, "legend.frameon": False, "lines.markersize": 4}
    rc |= {"axes.spines.right": False, "axes.spines.top": False, "axes.formatter.min_exponent": 4}
    sns.set_theme(context="paper", style="ticks", palette="colorblind", font_scale=1.05, rc=rc)


def panels(count: int, height: float, xlabel: str, ylabel: str = "", sharey: bool = True) -> Figure:
    """A figure with panels side by side: x axes of one name, and unless told one y axis."""
    figure = plt.figure(figsize=(11, height), layout="constrained")
    figure.subplots(1, count, sharey=sharey)
    plt.setp(figure.axes, xlabel=xlabel)
    figure.axes[0].set_ylabel(ylabel)
    return figure


def save(figure: Figure, data: pd.DataFrame, folder: Path, name: str, label: str, alt: str) -> HTML:
    """Write `name`.png, .pdf and the data behind them as .csv, the same bytes for the same data.

    `label` says under the figure what was run, so that a scaled-down one is not taken for another;
    `alt` says what one sees. Returns the `picture` to show in a notebook.
    """
    look = {"x": 0.995, "ha": "right", "fontsize": 7, "color": "0.4"}
    figure.supxlabel(drawable(label), parse_math=False, **look)
    for suffix, metadata in {".png": {"Software": None}, ".pdf": {"CreationDate": None}}.items():
        with replacing(folder / f"{name}{suffix}") as temporary:
            figure.savefig(temporary, dpi=200, bbox_inches="tight", metadata=metadata)
    write_text(folder / f"{name}.csv", data.to_csv(index=False, float_format="%.6g"))
    return picture(figure, alt)


def drawable(name: str) -> str:
    """A text that has names of files in it, bytes of them that are no UTF-8 as escapes.

    Draw it with parse_math=False: dollar signs are no formula.
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def picture(figure: Figure, alt: str) -> HTML:
    """The figure as a notebook shows it, with its alternative text; closes the figure."""
    png = io.BytesIO()
    figure.savefig(png, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    source = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    return HTML(f'<img src="{source}" alt="{escape(alt)}">')


def bands(
    axes: Axes, table: pd.DataFrame, x: str, y: str, by: str, name: str = "{}", **look: object
) -> None:
    """For each kind in column `by` its mean over seeds; of several each as a thin line, on a band.

    Mean and band end where a seed has no value. Labels are `name` with the kind put in, and how
    many seeds did not learn; `look` replaces the colours and dashes that tell kinds apart.
    """
    for at, (kind, rows) in enumerate(table.groupby(by, sort=False)):
        line = {"color": COLOURS.get(kind, OTHERS[at]), "ls": DASHES[at]} | look
        seeds = rows.pivot_table(index=x, columns="seed", values=y, dropna=False)
        low, mean, high = (seeds.agg(of, axis=1, skipna=False) for of in ("min", "mean", "max"))
        axes.plot(mean, label=name.format(NAMES.get(kind, kind)) + mark(rows), **line)
        if seeds.shape[1] > 1:
            axes.plot(seeds, color=line["color"], ls=line["ls"], lw=0.6, alpha=0.8)
            axes.fill_between(seeds.index, low, high, color=line["color"], alpha=0.1, lw=0)
            axes.fill_between([], [], facecolor="0.9", edgecolor="0.4", lw=0.6, label=RANGE)


def dots(axes: Axes, table: pd.DataFrame, x: str, y: str, filled: str, names: list[str]) -> None:
    """A point for each seed in the row of its kind `y`; an open square where not `filled`.

    All three are columns; `names` says what points and squares are.
    """
    at, kinds = pd.factorize(table[y])
    spread = 0.66 * ((table["seed"] + 0.5) / table["seed"].nunique() - 0.5)
    looks = {True: {"color": OURS}, False: {"fc": "none", "ec": RED, "marker": "s"}}
    for good, part in table.assign(row=at + spread).groupby(filled, sort=False):
        axes.scatter(part[x], part["row"], s=14, label=names[not good], **looks[good])
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.grid(axis="y", color="0.92")


def mark(table: pd.DataFrame) -> str:
    """What a label says of rows whose networks did not learn."""
    if "learned" not in table or table["learned"].all():
        return ""
    failed, all_of_them = table[~table["learned"]]["seed"].nunique(), table["seed"].nunique()
    how_many = "" if failed == all_of_them else f"{failed} of {all_of_them} "
    return f" ({how_many}did not learn)"


def with_legend(figure: Figure, columns: int = 5, inside: Axes | None = None) -> Figure:
    """The figure with a legend above all panels, or in one: each label once, that of seeds last."""
    pairs = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in figure.axes]
    entries = {name: handle for pair in pairs for handle, name in pair}
    names = sorted(entries, key=RANGE.__eq__)
    where = {} if inside else {"loc": "outside upper center", "ncols": columns}
    (inside or figure).legend([entries[name] for name in names], names, **where)
    return figure
