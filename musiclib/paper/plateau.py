"""Why the biaxial RNN sits on a plateau, and what ends it: the trials of notebook 12.

The plateau is the held-out loss of a network that knows only how often notes play: that of one
constant rate. A network has left it once its held-out loss is a tenth lower. Every trial differs
from one of the two forms in one thing, or in the two that matter, trains without cooling, and
ends when it leaves the plateau or at a limit.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from musiclib.base.progress import waiting
from musiclib.base.seeds import seed_of
from musiclib.corpus.batches import Segments
from musiclib.models import PUBLISHED_FORM, BiaxialConfig, BiaxialRNN, build, computed_in
from musiclib.models.cells import GATES, LinearLSTM
from musiclib.models.without_learning import CONSTANT
from musiclib.music.note_states import PLAY
from musiclib.paper.study import Study
from musiclib.training.runs import Run, RunConfig
from musiclib.training.train import train_runs

LEFT = 0.9  # of the loss of one constant rate
SATURATED = 4.0  # a gate fed with more than this, up or down, hardly moves: its slope is below 0.02

WORDS = {
    ("cell", "torch"): "torch's cell",
    ("cell", "linear"): "linear candidate",
    ("start", "torch"): "torch's uniform weights",
    ("start", "normal"): "normal weights, 1/units",
    ("output", "rare"): "few notes at first",
    ("output", "drawn"): "half of the notes at first",
    ("index", "unit"): "index from 0 to 1",
    ("index", "raw"): "index from 0 to 77",
    ("dropout_scaled", True): "masks scaled",
    ("dropout_scaled", False): "masks not scaled",
    ("clip", "tensor"): "clipped by tensor",
    ("clip", "gate"): "clipped by gate",
}
FORMS: dict[str, Mapping[str, Any]] = {"default": {}, "published": PUBLISHED_FORM}
FACTORS = ("cell", "start", "output", "index", "dropout_scaled", "clip")
DEFAULTS = {name: getattr(BiaxialConfig(), name) for name in PUBLISHED_FORM}
AS_IT_IS = "nothing"


def factors(form: str, config: BiaxialConfig) -> dict[str, dict[str, Any]]:
    """What each trial of a form changes: one thing to the other form's, or to another size."""
    other = {name: (DEFAULTS if form == "published" else PUBLISHED_FORM)[name] for name in FACTORS}
    both = {name: other[name] for name in ("output", "index")}
    return {
        AS_IT_IS: {},
        **{WORDS[name, value]: {name: value} for name, value in other.items()},
        " and ".join(WORDS[item] for item in both.items()): both,
        "Adam, rate 0.001": {"optimiser": "adam", "learning_rate": 0.001},
        "half the batch": {"batch": max(1, config.batch // 2)},
        "half the width": {
            "time_sizes": tuple(size // 2 for size in config.time_sizes),
            "note_sizes": tuple(size // 2 for size in config.note_sizes),
        },
    }


def trials(study: Study) -> dict[tuple[str, str, int], RunConfig]:
    """The run of every trial by (form, what is changed, seed)."""
    base = study.profile.biaxial
    return {
        (form, name, seed): _trial(study, replace(base, **{**FORMS[form], **changes}), seed)
        for form in FORMS
        for name, changes in factors(form, base).items()
        for seed in study.seeds
    }


def _trial(study: Study, model: BiaxialConfig, seed: int) -> RunConfig:
    limit, every = study.profile.plateau
    return RunConfig(
        replace(model, iterations=limit, checkpoints=(every,), cooling=0.0),
        seed=seed,
        stop_below=LEFT,
        precision=computed_in(model, study.precision),
        held_out_every=every,
        held_out_batches=study.profile.held_out_batches,
    )


def left_at(run: Run) -> float:
    """The iteration at which the held-out loss has left the plateau; infinite if it has not."""
    bar = LEFT * run.record["without_learning"][CONSTANT]
    below = run.held_out[run.held_out["loss"] < bar]["iteration"]
    return float(below.min()) if len(below) else float("inf")


@waiting("looking inside the network")
def look_inside(run: Run, segments: Tensor) -> pd.DataFrame:
    """`symptoms` of a trial's network on segments (B, T, 78, 2), before and early in training.

    A row each, with the column iteration.
    """
    early = run.config.model.checkpoints[0]
    with torch.random.fork_rng():
        torch.manual_seed(run.config.seed)
        networks = {0: build(run.config.model), early: run.model(early)}
    return pd.DataFrame(
        {"iteration": at} | symptoms(network, segments) for at, network in networks.items()
    )


def symptoms(model: BiaxialRNN, segments: Tensor) -> dict[str, float]:
    """What a network makes of music (B, T, 78, 2), without dropout.

    - logit: mean logit to play, and what of it the weights give, not the output's bias
    - contrast: mean logit to play where the note sounded a step before, less that where it did not
    - saturated gates: share of the first layer's gates that are fed with more than 4
    - saturated gates by index: the same where the note index alone feeds them
    - gradient over noise: length of the mean gradient of the first layer's recurrent weights over
      segments, over the standard error of that mean
    """
    model.eval()
    sounded = segments[:, :-1, :, PLAY].bool()
    with torch.no_grad():
        logits = model(segments)[..., PLAY]
        fed, by_index = _gate_inputs(model, segments)
    return {
        "logit": float(logits.mean()),
        "logit by weights": float(logits.mean() - model.output.bias[PLAY].detach()),
        "contrast": float(logits[sounded].mean() - logits[~sounded].mean()),
        "saturated gates": _share(fed),
        "saturated gates by index": _share(by_index),
        "gradient over noise": _over_noise(model, segments),
    }


def _share(fed: Tensor) -> float:
    gates = fed.unflatten(-1, (GATES, -1))[..., [0, 1, 3], :]  # the candidate is no gate
    return float((gates.abs() > SATURATED).float().mean())


def _gate_inputs(model: BiaxialRNN, segments: Tensor) -> tuple[Tensor, Tensor]:
    """What feeds the first layer's gates, (T, rows, 4 H), and what the index alone does."""
    layer: nn.Module = model.time_axis.layers[0]
    x = model.hear(segments[:, :-1]).transpose(0, 1).flatten(1, 2)
    state = model.time_axis.begin(x.shape[1])[0]
    hidden = torch.cat([state[0][None], layer.over(x, state)[:-1]])
    if isinstance(layer, LinearLSTM):
        from_x, from_h = layer.weight.split([layer.input_size, layer.hidden_size], dim=1)
        bias = layer.bias
    else:
        from_x, from_h, *biases = layer.all_weights[0]
        bias = sum(biases)
    return x @ from_x.T + hidden @ from_h.T + bias, x[..., :1] @ from_x[:, :1].T


def _over_noise(model: BiaxialRNN, segments: Tensor) -> float:
    layer = model.time_axis.layers[0]
    weights = layer.weight if isinstance(layer, LinearLSTM) else layer.weight_hh_l0
    gradients = torch.stack(
        [torch.autograd.grad(model.loss(s[None])[0], weights)[0].flatten() for s in segments]
    )
    error = gradients.std(dim=0) / len(gradients) ** 0.5
    return float(gradients.mean(dim=0).norm() / error.norm())


def held_out_segments(study: Study, most: int = 16) -> Tensor:
    """Held-out segments of training length, (`most`, T, 78, 2), drawn with a fixed seed."""
    config = study.profile.biaxial
    pieces = [piece.states for piece in study.music.held_out]
    source = Segments(pieces, most, config.segment)
    return source.draw(0, torch.Generator().manual_seed(seed_of(2016, 12)))[0]


def run_trials(study: Study) -> dict[tuple[str, str, int], Run]:
    """All trials, trained side by side unless they were before."""
    configs = trials(study)
    runs = train_runs(list(configs.values()), study.corpus, study.runs)
    for run in runs:
        study.note(run)  # how it was trained; a trial is too short to be judged
    return dict(zip(configs, runs, strict=True))
