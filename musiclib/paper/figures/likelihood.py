"""Likelihood per frame on the benchmarks and of composed music; forms of training compared."""

from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure

from musiclib.paper.figures.learning import plain_numbers
from musiclib.paper.figures.style import MUSIC, OTHERS, OURS, bands, panels, with_legend

MARKS = ("o", "^", "s", "D")
DASHES = ("--", ":", "-.")


def benchmark_curves(table: pd.DataFrame, published: pd.DataFrame, lowest: float) -> Figure:
    """Log-likelihood per frame of validation excerpts over training, a panel for each set.

    `table` has the columns set, network, seed, iteration and nats; `published` set, model, value:
    what others report on test pieces. Panels begin at `lowest`.
    """
    figure = panels(table["set"].nunique(), 3.6, "iteration", "nats per frame", sharey=True)
    dashes = dict(zip(published["model"].unique(), cycle(DASHES), strict=False))  # in every panel
    for axes, (name, rows) in zip(figure.axes, table.groupby("set", sort=False), strict=True):
        bands(axes, rows, "iteration", "nats", "network")
        theirs = published[published["set"] == name]
        for model, value in theirs[["model", "value"]].itertuples(index=False):
            axes.axhline(value, label=f"{model}, test", color="0.45", lw=0.8, ls=dashes[model])
        axes.set(title=name, ylim=(lowest, 0))
    return with_legend(figure, columns=3)


def judged_music(table: pd.DataFrame, real: dict[str, float]) -> Figure:
    """Composed sets by their log-likelihood per frame, beside bits saved and beside ISL.

    `table` has the columns model, seed, nats, bits and isl; `real` what held-out music has of nats
    and bits.
    """
    figure = panels(2, 3.8, "log-likelihood by the judge, nats per frame", sharey=False)
    names = {"bits": "bits saved per note", "isl": "ISL, nats per bar"}
    for axes, (column, name) in zip(figure.axes, names.items(), strict=True):
        for at, (model, rows) in enumerate(table.groupby("model", sort=False)):
            colour = (OURS, *OTHERS)[at]
            axes.scatter(
                rows["nats"],
                rows[column],
                s=16,
                marker=MARKS[at],
                fc="none",
                ec=colour,
                label=model,
            )
        axes.axvline(real["nats"], **MUSIC)
        axes.set(ylabel=name)
    return with_legend(figure)


def forms(table: pd.DataFrame, unit: str, bar: pd.DataFrame) -> Figure:
    """Held-out loss of the same network in several forms: by iterations, and by minutes.

    `table` has the columns form, seed, iteration, minutes and loss; `bar` what a form reaches in
    the end: form and loss, a mean over seeds.
    """
    figure = panels(2, 3.6, "", f"held-out loss, {unit}")
    for axes, at in zip(figure.axes, ("iteration", "minutes"), strict=True):
        bands(axes, table, at, "loss", "form")
        for form, loss in bar[["form", "loss"]].itertuples(index=False):
            axes.axhline(loss, color="0.5", lw=0.7, ls=":", label=f"{form}: at its end")
        axes.set_xlabel(at)
    plain_numbers(figure.axes[0])
    return with_legend(figure)
