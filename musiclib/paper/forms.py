"""The modern form of training beside the others: curves by iterations and minutes."""

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
import pandas as pd

from musiclib.corpus.sets import Piece
from musiclib.models import batches_of
from musiclib.models.likelihood import frame_log_likelihoods, per_frame
from musiclib.paper.curves import Runs
from musiclib.paper.expected import timed
from musiclib.training.runs import Run

ROUNDS = 3
FORMS = {"modern": "the modern form", "plain": "our form", "published": "the published form"}
FORMS |= {"bernoulli": "our form, Bernoulli loss"}


def seconds_per_iteration(runs: Runs, pieces: Sequence[Piece]) -> dict[str, float]:
    """What an iteration of each kind takes here, in seconds: medians of rounds, taken in turns.

    Of the first seed's configurations, on pieces prepared as they were trained on.
    """
    configs = {kind: run.config.model for (kind, seed), run in runs.items() if seed == 0}
    rounds = [
        {kind: timed(config, batches_of(config, pieces)) for kind, config in configs.items()}
        for _ in range(ROUNDS)
    ]
    return {kind: median(each[kind] for each in rounds) for kind in configs}


def curves(runs: Runs, seconds: Mapping[str, float], scale: float = 1.0) -> pd.DataFrame:
    """Held-out losses: columns form, seed, iteration, minutes, loss (times `scale`), learned.

    Minutes are those of iterations of so many `seconds` by kind: runs may have been trained on
    other machines, or beside other work.
    """
    tables = [
        run.held_out.assign(
            form=FORMS[kind],
            seed=seed,
            minutes=run.held_out["iteration"] * seconds[kind] / 60,
            loss=scale * run.held_out["loss"],
            learned=run.verdict.learned,
        )
        for (kind, seed), run in runs.items()
    ]
    return pd.concat(tables, ignore_index=True)


def reached(run: Run, loss: float) -> float:
    """The iteration at which a run's held-out loss came down to a loss; NaN if it never did.

    Between two measurements it is taken to fall along a line.
    """
    at, losses = run.held_out["iteration"].to_numpy(float), run.held_out["loss"].to_numpy()
    there = np.flatnonzero(losses <= loss)
    if not len(there):
        return float("nan")
    first = there[0]
    if first == 0:
        return float(at[0])
    around = slice(first - 1, first + 1)
    return float(np.interp(-loss, -losses[around], at[around]))


def best_loss(run: Run) -> float:
    """The lowest held-out loss of a run."""
    return float(run.held_out["loss"].min())


def nats_per_frame(run: Run, pieces: Sequence[Piece]) -> float:
    """Exact negative log-likelihood per frame of pieces by a network that reads rolls."""
    return -per_frame(frame_log_likelihoods(run.model(), [piece.roll for piece in pieces]))
