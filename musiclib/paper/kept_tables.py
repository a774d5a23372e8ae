"""Tables of what kept runs composed: Table 1, and the points of Figure 5."""

from collections.abc import Sequence

import pandas as pd

from musiclib.metrics.bootstrap import Estimate
from musiclib.metrics.pca import Projection
from musiclib.paper.kept import Kept, of_model, scores_of
from musiclib.paper.kept_numbers import SCORED, UNFINISHED, numbers_of_kept
from musiclib.paper.results import Key, Markdown, Numbers, footnoted, markdown, shown
from musiclib.paper.variants import VARIANTS

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
    keys = [key for key in numbers if key[0] == "lstm" and key[2] == "ISL"]
    rows = [_row(numbers, key) for key in sorted(keys, key=_place)]
    return footnoted(markdown(HEADER, [*rows, *_real(kept)])), scores


def _place(key: Key) -> tuple[int, int]:
    """The published kind first, then by epoch."""
    return [*NAMES, *VARIANTS].index(key[1].removeprefix(UNFINISHED)), key[3]


def _row(numbers: Numbers, key: Key) -> list[object]:
    _, kind, _, epoch = key
    known = {what: numbers["lstm", kind, what, epoch] for what in SCORED}
    theirs = known["ISL"]["published"]
    cells = [shown(known[what], digits) for what, digits in DIGITS.items()]
    cells.insert(1, "" if theirs is None else f"{theirs:.1f}".replace("-", "−"))
    name = kind.removeprefix(UNFINISHED)
    part = " (training goes on)" if kind.startswith(UNFINISHED) else ""
    return [NAMES.get(name, name) + part, epoch, *cells]


def _real(kept: Kept) -> list[list[str]]:
    """As much real music as was composed."""
    music = [run.record["music"] for run in of_model(kept, "lstm").values()][:1]
    values = [(m["bits saved by excerpts of main"], m["density"]) for m in music]
    return [
        ["real music", *[""] * 4, *(f"{v:.2f}".replace("-", "−") for v in row)] for row in values
    ]


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
