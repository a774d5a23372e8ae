"""The biaxial RNN's two cells and two forms against the equations, written as plain loops."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from strategies import random_states
from test_features import naive_features

from musiclib.models import PUBLISHED_FORM, BiaxialConfig, build
from musiclib.models.cells import CELLS, LinearLSTM, _OverSequence
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, iterate
from musiclib.training.state import State

pytestmark = pytest.mark.processor

TINY = BiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4))
FORMS = {"default": {}, "published": PUBLISHED_FORM}
STEPS, ROWS, INPUTS, UNITS = 9, 4, 5, 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_the_equations(gates, c, linear):
    """One step of either cell from W x + U h + b, (4, H): input, forget, candidate, output."""
    i, f, candidate, o = gates
    c = sigmoid(f) * c + sigmoid(i) * (candidate if linear else np.tanh(candidate))
    return sigmoid(o) * np.tanh(c), c


def weights_of(layer):
    """W (4 H, I), U (4 H, H) and b (4 H,) of either cell, float64."""
    values = [p.detach().double().numpy() for p in layer.parameters()]
    if isinstance(layer, LinearLSTM):
        return values[0][:, : layer.input_size], values[0][:, layer.input_size :], values[1]
    return values[0], values[1], values[2] + values[3]


def plain_loop(layer, x, h, c):
    w, u, b = weights_of(layer)
    out = []
    for step in x:
        rows = [
            by_the_equations((w @ a + u @ g + b).reshape(4, -1), k, isinstance(layer, LinearLSTM))
            for a, g, k in zip(step, h, c, strict=True)
        ]
        h, c = (np.stack(part) for part in zip(*rows, strict=True))
        out.append(h)
    return np.stack(out)


@pytest.fixture(params=CELLS)
def layer(request):
    torch.manual_seed(0)
    layer = CELLS[request.param](INPUTS, UNITS).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(3)
    return layer


@pytest.fixture
def given():
    torch.manual_seed(1)
    shapes = ((STEPS, ROWS, INPUTS), (ROWS, UNITS), (ROWS, UNITS))
    return [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@torch.no_grad()
def test_a_cell_is_its_equations(layer, given):
    x, *state = given
    expected = plain_loop(layer, *(part.numpy() for part in given))
    np.testing.assert_allclose(layer.over(x, state).numpy(), expected, rtol=0, atol=1e-12)
    for step, out in zip(x, expected, strict=True):
        state = layer.step(step, state)
        np.testing.assert_allclose(state[0].numpy(), out, rtol=0, atol=1e-12)


def test_gradients_of_the_published_cell_are_those_of_differences(given):
    torch.manual_seed(0)
    layer = LinearLSTM(INPUTS, UNITS).double()
    inputs = (*given, layer.weight, layer.bias)
    assert torch.autograd.gradcheck(_OverSequence.apply, inputs)


def test_gradients_of_a_cell_over_a_sequence_are_those_of_its_steps(layer, given):
    x, *state = given
    tensors = (*given, *layer.parameters())
    weighted = torch.randn(STEPS, ROWS, UNITS, dtype=torch.float64)
    at_once = torch.autograd.grad((layer.over(x, state) * weighted).sum(), tensors)
    out = []
    for step in x:
        state = layer.step(step, state)
        out.append(state[0])
    one_by_one = torch.autograd.grad((torch.stack(out) * weighted).sum(), tensors)
    torch.testing.assert_close(at_once, one_by_one, rtol=1e-9, atol=1e-9)


def gradients_by_gate(layer):
    return [np.concatenate([g.flatten().numpy() for g in gate]) for gate in layer.gate_gradients()]


def test_each_gate_has_its_weights_of_x_and_h_together_and_its_bias_alone(layer, given):
    x, *state = given
    layer.over(x, state).sum().backward()
    gates = gradients_by_gate(layer)
    per_gate = UNITS * (INPUTS + UNITS)
    assert [len(g) for g in gates[:4]] == [per_gate] * 4
    assert {len(g) for g in gates[4:]} == {UNITS}
    everything = torch.cat([p.grad.flatten() for p in layer.parameters()]).numpy()
    assert sum((g**2).sum() for g in gates) == pytest.approx((everything**2).sum())
    for gate in range(4):
        rows = slice(gate * UNITS, (gate + 1) * UNITS)
        weights = [p.grad[rows] for p in layer.parameters() if p.ndim == 2]
        expected = torch.cat([w.flatten() for w in weights]).numpy()
        np.testing.assert_array_equal(gates[gate], expected)


def network(form):
    torch.manual_seed(0)
    model = build(replace(TINY, **FORMS[form]))
    with torch.no_grad():
        for parameter in model.parameters():  # large weights: effects are seen
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def along(axis, x, keep):
    """Layers over (steps, rows, inputs); `keep` is what an output is multiplied with."""
    for layer, initial in zip(axis.layers, axis.initial, strict=True):
        h, c = (np.tile(part.detach().double().numpy(), (x.shape[1], 1)) for part in initial)
        x = plain_loop(layer, x, h, c) * keep
    return x


def loss_by_the_equations(model, states, *, keep, largest_index):
    """Negative log-likelihood of one piece (T, 78, 2), by loops in float64."""
    x = naive_features(states[:-1]).astype(np.float64)  # (T-1, 78, 80)
    x[..., 0] *= largest_index / 77
    over_time = along(model.time_axis, x, keep)
    below = np.zeros_like(states[1:], dtype=np.float64)
    below[:, 1:] = states[1:, :-1]
    notes = np.concatenate([over_time, below], axis=2).transpose(1, 0, 2)
    over_notes = along(model.note_axis, notes, keep).transpose(1, 0, 2)
    dense, bias = (p.detach().double().numpy() for p in model.output.parameters())
    p = sigmoid(over_notes @ dense.T + bias)
    play, struck = states[1:, :, 0], states[1:, :, 1]
    nats = np.where(play, -np.log(p[..., 0]), -np.log1p(-p[..., 0]))
    nats += play * np.where(struck, -np.log(p[..., 1]), -np.log1p(-p[..., 1]))
    return nats.sum()


@torch.no_grad()
@pytest.mark.parametrize(
    ("form", "keep", "largest_index"), [("default", 1.0, 1), ("published", 0.5, 77)]
)
def test_a_plain_port_with_the_same_weights_has_the_same_loss(form, keep, largest_index):
    """Published: outputs are halved when evaluated, the index goes in as it is."""
    model = network(form).eval()
    states = random_states(6, 3, 0.1)
    expected = loss_by_the_equations(model, states, keep=keep, largest_index=largest_index)
    given = torch.from_numpy(states)[None]
    assert model.double().loss(given)[0].item() == pytest.approx(expected, rel=1e-6)


def test_the_published_start_is_normal_with_one_over_units_and_its_states_are_not_trained():
    torch.manual_seed(0)
    model = build(BiaxialConfig(**PUBLISHED_FORM))
    for axis, sizes in ((model.time_axis, (300, 300)), (model.note_axis, (100, 50))):
        for layer, initial, size in zip(axis.layers, axis.initial, sizes, strict=True):
            assert layer.weight.std().item() == pytest.approx(1 / size, rel=0.03)
            assert layer.bias.std().item() == pytest.approx(1 / size, rel=0.2)
            assert initial.std().item() == pytest.approx(1 / (2 * size), rel=0.3)
            assert not initial.requires_grad and initial.abs().sum() > 0
    assert model.output.weight.std().item() == pytest.approx(1 / 2, rel=0.25)


def test_at_first_the_default_plays_few_notes_and_the_published_form_about_half():
    states = torch.from_numpy(random_states(20, 1, 0.05))[None]
    shares = {}
    for form, changes in FORMS.items():
        torch.manual_seed(0)
        model = build(BiaxialConfig(time_sizes=(48, 48), note_sizes=(32, 16), **changes)).eval()
        with torch.no_grad():
            shares[form] = torch.sigmoid(model(states)[..., 0]).mean().item()
    assert 0.03 < shares["default"] < 0.07
    assert shares["published"] > 0.25


@torch.no_grad()
def test_masks_are_scaled_by_default_and_not_in_the_published_form():
    x = torch.randn(11, 6, 80)
    for form, factor in (("default", 2.0), ("published", 1.0)):
        axis = network(form).time_axis
        axis.layers, axis.initial = axis.layers[:1], axis.initial[:1]
        whole = axis.layers[0].over(x, axis.begin(6)[0])
        kept = axis.train()(x)
        silent = kept == 0
        assert 0.2 < silent.float().mean() < 0.8
        assert torch.equal(silent, silent[:1].expand_as(silent))
        torch.testing.assert_close(kept, torch.where(silent, 0.0, factor * whole))


def test_the_published_form_clips_every_gate_and_other_tensors_by_themselves():
    model = network("published")
    states = torch.from_numpy(random_states(20, 1, 0.1))[None]
    model.loss(states)[0].backward()
    groups = list(model.clip_groups())
    trained = [p.grad for p in model.parameters() if p.requires_grad]
    assert len(groups) == 4 * (4 + 4) + 2
    assert sum(g.numel() for group in groups for g in group) == sum(g.numel() for g in trained)


def test_an_iteration_clips_the_gradient_of_every_gate_to_the_published_norm(monkeypatch):
    model = network("published")
    monkeypatch.setattr(model, "clip_norm", 0.01)
    states = torch.from_numpy(random_states(20, 1, 0.1))[None]
    plan = Plan([Stage("main", None, 9)], 0)
    iterate(model, model.optimizer(), plan, State(), states, True)
    norms = [torch.cat([g.flatten() for g in group]).norm() for group in model.clip_groups()]
    assert max(norms) < 0.01 * (1 + 1e-4)
    assert sum(norm > 0.01 * (1 - 1e-2) for norm in norms) > len(norms) // 2
