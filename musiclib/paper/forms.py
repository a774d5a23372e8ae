"""The modern form of training beside the others: curves by iterations and minutes."""

from collections.abc import Sequence

import pandas as pd

from musiclib.corpus.sets import Piece
from musiclib.models.likelihood import frame_log_likelihoods, per_frame
from musiclib.paper.curves import Runs
from musiclib.training.runs import Run

FORMS = {"modern": "the modern form", "plain": "our form", "published": "the published form"}
FORMS |= {"bernoulli": "our form, Bernoulli loss"}


def curves(runs: Runs, scale: float = 1.0) -> pd.DataFrame:
    """Held-out losses: columns form, seed, iteration, minutes, loss (times `scale`), learned.

    Minutes are those of training, spread evenly over its iterations.
    """
    tables = [
        run.held_out.assign(
            form=FORMS[kind],
            seed=seed,
            minutes=run.held_out["iteration"] * run.record["seconds"] / 60 / len(run.losses),
            loss=scale * run.held_out["loss"],
            learned=run.verdict.learned,
        )
        for (kind, seed), run in runs.items()
    ]
    return pd.concat(tables, ignore_index=True)


def reached(run: Run, loss: float) -> float:
    """The first iteration after which a run's held-out loss was no higher; NaN if it never was."""
    table = run.held_out
    return float(table[table["loss"] <= loss]["iteration"].min())


def best_loss(run: Run) -> float:
    """The lowest held-out loss of a run."""
    return float(run.held_out["loss"].min())


def nats_per_frame(run: Run, pieces: Sequence[Piece]) -> float:
    """Exact negative log-likelihood per frame of pieces by a network that reads rolls."""
    return -per_frame(frame_log_likelihoods(run.model(), [piece.roll for piece in pieces]))
