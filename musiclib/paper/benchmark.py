"""Both networks on the four piano-roll sets: how they are trained (notebook 17).

Recipes were chosen on the validation pieces alone. TRIALS are the changes that led there: of
earlier recipes (*earlier*, *cooled*, *warmed*), and of those that came of them. A test set is
touched once for a run: see `benchmark_kept`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.parallel import side_by_side
from musiclib.corpus.frame_sets import FILES, read_frame_set, training_corpus
from musiclib.models import MODELS
from musiclib.models.likelihood import frame_log_likelihoods
from musiclib.training.runs import RUNS, Run, RunConfig
from musiclib.training.train import train_runs, workers

SETS = tuple(FILES)
NETWORKS = {"biaxial RNN": "biaxial-roll", "LSTM": "lstm"}
MEASURES = 20  # held-out losses on the way
AT_LENGTH = {"segment": 128, "dropout": 0.1, "learning_rate": 0.012, "iterations": 2500}
OF_FEW_PIECES = {**AT_LENGTH, "dropout": 0.3}  # more is learned by heart
LSTM = {
    **{"loss": "bernoulli", "targets": "every", "optimiser": "adamw", "hidden": 256},
    **{"window": 64, "batch": 16, "dropout": 0.2, "checkpoints": (), "iterations": 3000},
    **{"learning_rate": 0.005, "weight_decay": 0.01, "averaging": 0.998},
    "transposition": 5,
}
RECIPES: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "biaxial RNN": {
            **{"JSB chorales": {}, "MuseData": AT_LENGTH},
            "Nottingham": {**AT_LENGTH, "iterations": 4000},
            "Piano-midi.de": OF_FEW_PIECES,
        },
        "LSTM": {
            **{"JSB chorales": {**LSTM, "dropout": 0.5}, "MuseData": LSTM},
            "Nottingham": {**LSTM, "cooling": 1.0, "averaging": 0.0},
            "Piano-midi.de": LSTM,
        },
    }
)
COOLED = {"cooling": 1.0, "averaging": 0.99}
WARMED = {"warm_up": 50}
COOLED_LSTM = {**COOLED, **WARMED}
EARLIER = {**COOLED, "dropout": 0.2, "learning_rate": 0.012, "transposition": 0}
TRIALS: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "biaxial RNN": {
            "earlier recipe": EARLIER,
            "earlier recipe: learning rate 0.006": {**EARLIER, "learning_rate": 0.006},
            "earlier recipe: learning rate 0.02": {**EARLIER, "learning_rate": 0.02},
            "earlier recipe: forget gates open": {**EARLIER, "start": "open"},
            "earlier recipe: dropout 0.1": {**EARLIER, "dropout": 0.1},
            "earlier recipe: transposition": {**EARLIER, "transposition": 5},
            "earlier recipe: both": {**EARLIER, "dropout": 0.1, "transposition": 5},
            "cooled recipe": COOLED,
            "cooled recipe: AdaDelta": {**COOLED, "optimiser": "adadelta", "learning_rate": 1.0},
            "cooled recipe: key index from 0 to 87": {**COOLED, "index": "raw"},
            "cooled recipe: forget gates open": {**COOLED, "start": "open"},
            "cooled recipe: dropout 0.1": {**COOLED, "dropout": 0.1},
            "cooled recipe: no transposition": {**COOLED, "transposition": 0},
            "cooled recipe: no weight decay": {**COOLED, "weight_decay": 0.0},
            "cooled recipe: no averaging": {**COOLED, "averaging": 0.0},
            "cooled recipe: no cooling": {**COOLED, "cooling": 0.0},
            "cooled recipe: neither": {"averaging": 0.0, "cooling": 0.0},
            "recipe": {},
            "no transposition": {"transposition": 0},
            "no dropout": {"dropout": 0.0},
            "dropout 0.3": {"dropout": 0.3},
            "no weight decay": {"weight_decay": 0.0},
            "no warm-up": {"warm_up": 0},
            "no mean of weights": {"averaging": 0.0},
            "AdaDelta": {"optimiser": "adadelta", "learning_rate": 1.0},
            "key index from 0 to 87": {"index": "raw"},
            "keys deaf to those below": {"hears_below": False},
            "learning rate 0.02": {"learning_rate": 0.02},
            "gradients not clipped": {"clip": "none"},
        },
        "LSTM": {
            "cooled recipe": COOLED_LSTM,
            "cooled recipe: no averaging": {**COOLED_LSTM, "averaging": 0.0},
            "cooled recipe: no transposition": {**COOLED_LSTM, "transposition": 0},
            "cooled recipe: dropout 0.2": {**COOLED_LSTM, "dropout": 0.2},
            "cooled recipe: 128 units": {**COOLED_LSTM, "hidden": 128},
            "cooled recipe: learning rate 0.01": {**COOLED_LSTM, "learning_rate": 0.01},
            "cooled recipe: neither averaging nor weight decay": {
                **COOLED_LSTM,
                **{"averaging": 0.0, "weight_decay": 0.0},
            },
            "warmed recipe": WARMED,
            "warmed recipe: no dropout": {**WARMED, "dropout": 0.0},
            "warmed recipe: no weight decay": {**WARMED, "weight_decay": 0.0},
            "warmed recipe: the mean in place of cooling": {
                **WARMED,
                **{"cooling": 0.0, "averaging": 0.998},
            },
            "recipe": {},
            "no transposition": {"transposition": 0},
            "no mean of weights": {"averaging": 0.0},
            "RMSProp": {"optimiser": "rmsprop", "learning_rate": 0.001},
        },
    }
)


def run_config(network: str, name: str, seed: int, **changes: Any) -> RunConfig:
    """The run of a network of `NETWORKS` on a set of `SETS`; `changes` are a trial's.

    Raises InputError for another network or set.
    """
    must_be_known(network, NETWORKS)
    must_be_known(name, SETS)
    kind = MODELS[NETWORKS[network]].config
    model = kind(**{**RECIPES[network][name], **changes})
    every = max(1, model.iterations // MEASURES)
    return RunConfig(model, seed=seed, normalise=False, held_out_every=every)


def must_be_known(wanted: str, known: Iterable[str]) -> None:
    """Raise InputError for a name that is not known."""
    if wanted not in known:
        raise InputError(f"unknown {wanted!r}: choose one of {'; '.join(known)}")


def train(configs: list[RunConfig], name: str, root: Path = RUNS) -> list[Run]:
    """The runs on a set, trained side by side unless they were before."""
    return train_runs(configs, training_corpus(name), root)


def likelihoods(runs: list[Run], name: str, part: str) -> list[list[np.ndarray]]:
    """Log-likelihoods (T,) of the frames of every piece of a part of a set, for each run.

    The part is "validation" or "test".
    """
    jobs = [(run, name, part) for run in runs]
    return side_by_side(_likelihood, jobs, f"judging {name}", workers=workers())


def _likelihood(run: Run, name: str, part: str) -> list[np.ndarray]:
    return frame_log_likelihoods(run.model(), getattr(read_frame_set(name), part))
