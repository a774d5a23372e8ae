"""The trials of notebook 12: one thing changed at a time, and what is seen inside networks."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch
from strategies import random_states
from test_cells import plain_loop, weights_of

from musiclib.models import PUBLISHED_FORM, BiaxialConfig, build
from musiclib.models.without_learning import CONSTANT
from musiclib.paper.plateau import AS_IT_IS, FORMS, factors, left_at, symptoms

pytestmark = pytest.mark.processor

CONFIG = BiaxialConfig(time_sizes=(8, 6), note_sizes=(4, 4), batch=4, segment=16)


@pytest.mark.parametrize("form", FORMS)
def test_a_trial_differs_from_its_form_in_what_it_says(form):
    base = replace(CONFIG, **FORMS[form])
    other = replace(CONFIG, **(PUBLISHED_FORM if form == "default" else {}))
    trials = {
        name: {
            field for field, value in asdict(replace(base, **changes)).items()
            if value != asdict(base)[field]
        }
        for name, changes in factors(form, CONFIG).items()
    }  # fmt: skip
    assert trials.pop(AS_IT_IS) == set()
    single = [fields for fields in trials.values() if len(fields) == 1]
    assert {*PUBLISHED_FORM, "batch"} - {"cooling"} == set().union(*single)
    assert sorted(map(sorted, (f for f in trials.values() if len(f) == 2))) == [
        ["index", "output"],
        ["learning_rate", "optimiser"],
        ["note_sizes", "time_sizes"],
    ]
    for changes in factors(form, CONFIG).values():
        for field in changes.keys() & PUBLISHED_FORM.keys():
            assert changes[field] == getattr(other, field)


class Trained:
    """A run with a held-out curve."""

    def __init__(self, *losses):
        self.record = {"without_learning": {CONSTANT: 100.0}}
        self.held_out = pd.DataFrame({"iteration": [20, 40, 60][: len(losses)], "loss": losses})


def test_the_plateau_is_left_a_tenth_below_one_constant_rate():
    assert left_at(Trained(95.0, 89.0, 91.0)) == 40
    assert left_at(Trained(95.0, 90.0, 91.0)) == np.inf


@pytest.fixture(params=FORMS)
def model(request):
    torch.manual_seed(0)
    model = build(replace(CONFIG, **FORMS[request.param]))
    with torch.no_grad():
        for parameter in model.time_axis.parameters():
            parameter.mul_(6)
    return model


def test_symptoms_are_those_of_a_loop(model):
    segments = torch.from_numpy(np.stack([random_states(8, seed, 0.1) for seed in range(3)]))
    seen = symptoms(model, segments)
    with torch.no_grad():
        logits = model(segments)[..., 0].numpy()
    sounded = segments[:, :-1, :, 0].numpy().astype(bool)
    assert seen["logit"] == pytest.approx(logits.mean(), rel=1e-4)
    by_weights = logits.mean() - float(model.output.bias[0].detach())
    assert seen["logit by weights"] == pytest.approx(by_weights, rel=1e-3, abs=1e-5)
    assert seen["contrast"] == pytest.approx(
        logits[sounded].mean() - logits[~sounded].mean(), rel=1e-4, abs=1e-6
    )
    layer = model.time_axis.layers[0]
    w, u, b = weights_of(layer)
    x = model.hear(segments[:, :-1]).transpose(0, 1).flatten(1, 2).double().numpy()
    h, c = (
        np.tile(s.detach().double().numpy(), (x.shape[1], 1)) for s in model.time_axis.initial[0]
    )
    hidden = np.concatenate([h[None], plain_loop(layer, x, h, c)[:-1]])
    gates = np.delete((x @ w.T + hidden @ u.T + b).reshape(-1, 4, 8), 2, axis=1)
    index = np.delete((x[..., :1] @ w[:, :1].T).reshape(-1, 4, 8), 2, axis=1)
    assert seen["saturated gates"] == pytest.approx((abs(gates) > 4).mean(), abs=1e-3)
    assert seen["saturated gates by index"] == pytest.approx((abs(index) > 4).mean(), abs=1e-3)


def test_equal_segments_have_a_gradient_without_noise(model):
    piece = torch.from_numpy(random_states(8, 1, 0.1))
    assert symptoms(model, torch.stack([piece] * 3))["gradient over noise"] > 1e3
    mixed = torch.from_numpy(np.stack([random_states(8, seed, 0.1) for seed in range(3)]))
    assert symptoms(model, mixed)["gradient over noise"] < 1e2
