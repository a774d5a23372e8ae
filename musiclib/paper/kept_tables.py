"""Tables of what kept runs composed: Table 1, and the points of Figure 5."""

from collections.abc import Sequence

import pandas as pd

from musiclib.metrics.bootstrap import Estimate
from musiclib.metrics.pca import Projection
from musiclib.paper.kept import Kept, of_model, scores_of
from musiclib.paper.kept_numbers import SCORED, UNFINISHED, numbers_of_kept
from musiclib.paper.results import Markdown, footnoted, markdown, shown

HEADER = ["LSTM", "epoch", "ISL", "ISL published", "held-out bars dropped, %"]
HEADER += ["bits saved per note", "notes per step"]
NAMES = {
    "plain": "without curriculum",
    "curriculum": "with curriculum",
    "bernoulli": "Bernoulli loss",
}
DIGITS = {"ISL": 1, "dropped": 1, "bits saved": 2, "density": 2}


def table_1(kept: Kept) -> tuple[Markdown, pd.DataFrame]:
    """Table 1 of the LSTM's kept runs, the published values beside it, and its scores."""
    numbers, scores = numbers_of_kept(kept), scores_of(kept, "lstm")
    rows = []
    for key in [key for key in numbers if key[0] == "lstm" and key[2] == "ISL"]:
        _, kind, _, epoch = key
        known = {what: numbers["lstm", kind, what, epoch] for what in SCORED}
        theirs = known["ISL"]["published"]
        cells = [shown(known[what], digits) for what, digits in DIGITS.items()]
        cells.insert(1, "" if theirs is None else f"{theirs:.1f}".replace("-", "−"))
        name = kind.removeprefix(UNFINISHED)
        rows.append([NAMES.get(name, name), epoch, *cells])
    rows.append(["real music", "", *[""] * 3, *_real(kept)])
    return footnoted(markdown(HEADER, rows)), scores


def _real(kept: Kept) -> list[str]:
    music = next(iter(of_model(kept, "lstm").values())).record["music"]
    values = music["bits saved by excerpts of main"], music["density"]
    return [f"{value:.2f}".replace("-", "−") for value in values]


def points(
    own: dict[int, Projection], shared: dict[int, Projection], at: Sequence[int]
) -> pd.DataFrame:
    """The points of Figure 5: columns component1, component2, basis, iteration, set."""
    parts = [
        pd.DataFrame(getattr(panels[panel], part), columns=["component1", "component2"]).assign(
            basis=basis, iteration=panel, set=part
        )
        for basis, panels in (("a panel's own", own), ("shared", shared))
        for panel in at
        for part in ("training", "generated")
    ]
    return pd.concat(parts, ignore_index=True)


def said(estimate: Estimate) -> str:
    """An overlap with its interval, where there is one."""
    text = f"{estimate.value:.2f}"
    return text if estimate.low is None else f"{text} ({estimate.low:.2f} to {estimate.high:.2f})"
