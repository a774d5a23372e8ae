"""The modern form of training beside the others, and with one of its means changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from statistics import median
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from musiclib.corpus.sets import Piece
from musiclib.models import batches_of
from musiclib.models.likelihood import frame_log_likelihoods, per_frame
from musiclib.paper.curves import Runs
from musiclib.paper.expected import timed
from musiclib.paper.study import Study
from musiclib.paper.variants import MODERN, PUBLISHED
from musiclib.training.runs import Run
from musiclib.training.train import train_runs

ROUNDS = 3
FORMS = {"modern": "the modern form", "plain": "our form", "published": "the published form"}
FORMS |= {"bernoulli": "our form, Bernoulli loss"}
LONGER, TIMES = "published, longer", 3
FORMS |= {LONGER: f"the published form, {TIMES} times as long"}
OF_BOTH = {"no falling rate": {"cooling": 0.0}, "no warm-up": {"warm_up": 0}}
CHANGES: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "biaxial": {
            "AdaDelta": {"optimiser": "adadelta", "learning_rate": 1.0},
            "clipped gradients": {"clip": "tensor"},
            "dropout 0.5": {"dropout": 0.5},
            **OF_BOTH,
            "no mean of weights": {"averaging": 0.0},
            "no weight decay": {"weight_decay": 0.0},
            "open forget gates": {"start": "open"},
        },
        "lstm": {
            "RMSProp": {"optimiser": "rmsprop", "learning_rate": 0.001},
            "one target a window": {"targets": "last"},
            **OF_BOTH,
            "a mean of weights": {"averaging": 0.95},
            "weight decay": {"weight_decay": 0.01},
        },
    }
)  # of the modern form, one at a time: what it has is taken out, what it has not is put in


def longer(study: Study) -> Runs:
    """The published biaxial RNN of every seed, trained over `TIMES` as many iterations."""
    more = {"iterations": TIMES * study.profile.biaxial.iterations}
    return _trained(study, "biaxial", PUBLISHED, {LONGER: more})


def changed(study: Study, model: str) -> Runs:
    """The modern form with each of its `CHANGES` in turn, by the name of the change and seed."""
    return _trained(study, model, MODERN, CHANGES[model])


def _trained(study: Study, model: str, form: str, changes: Mapping[str, Mapping[str, Any]]) -> Runs:
    configs = {}
    for name, seed in product(changes, study.seeds):
        config = study.config(model, form, seed)
        configs[name, seed] = replace(config, model=replace(config.model, **changes[name]))
    runs = train_runs(list(configs.values()), study.corpus, study.runs)
    for (name, seed), run in zip(configs, runs, strict=True):
        study.note(run, f"{model} {name} {seed}")
    return dict(zip(configs, runs, strict=True))


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
