"""The baseline LSTM: its size, its two losses and its memory."""

import numpy as np
import pytest
import torch

from musiclib.models import LSTMConfig, PianoRollLSTM, build
from musiclib.models.lstm import PUBLISHED_LSTM, bernoulli, categorical

pytestmark = pytest.mark.processor

TINY = LSTMConfig(hidden=9, window=12, hop=5)


@pytest.fixture
def probabilities():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(4, 88, generator=generator, dtype=torch.float64) * 0.98 + 0.01


@pytest.fixture
def target():
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(4, 88, generator=generator, dtype=torch.float64) < 0.05).double()


def test_the_network_has_the_published_size():
    first = 4 * (88 * 512 + 512 * 512 + 2 * 512)
    second = 4 * (512 * 512 + 512 * 512 + 2 * 512)
    model = build(LSTMConfig())
    assert sum(p.numel() for p in model.parameters()) == first + second + 512 * 88 + 88
    assert (model.config.window, model.config.hop, model.config.batch) == (32, 9, 32)


def test_the_categorical_loss_divides_the_sigmoids_by_their_sum(probabilities, target):
    expected = []
    for p, y in zip(probabilities.numpy(), target.numpy(), strict=True):
        expected.append(-sum(y[i] * np.log(p[i] / p.sum()) for i in range(88)))
    loss = categorical(torch.logit(probabilities), target)
    assert loss.item() == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.01, 1e-6])
def test_the_categorical_loss_does_not_see_all_sigmoids_shrink(probabilities, target, share):
    loud, quiet = (torch.logit(p) for p in (probabilities, probabilities * share))
    assert categorical(quiet, target).item() == pytest.approx(categorical(loud, target).item())
    assert bernoulli(quiet, target) > bernoulli(loud * 0 - 3, target)


def test_a_silent_step_costs_the_categorical_loss_nothing(probabilities, target):
    assert categorical(torch.logit(probabilities), target * 0) == 0


def test_the_bernoulli_loss_is_the_likelihood_of_88_coin_flips(probabilities, target):
    likelihood = np.where(target == 1, probabilities, 1 - probabilities).prod(axis=1)
    loss = bernoulli(torch.logit(probabilities), target)
    assert loss.item() == pytest.approx(-np.log(likelihood).mean(), rel=1e-12)


@pytest.mark.parametrize("loss", ["categorical", "bernoulli"])
def test_windows_with_memory_are_one_reading_of_the_stream(loss):
    torch.manual_seed(0)
    model = PianoRollLSTM(LSTMConfig(hidden=9, window=12, hop=5, loss=loss)).eval()
    stream = (torch.rand(3, 60, 88) < 0.1).to(torch.uint8)
    logits, _ = model(stream)
    objective = {"categorical": categorical, "bernoulli": bernoulli}[loss]
    memory = None
    for start in range(0, 60 - 12, 5):
        computed, memory = model.loss(stream[:, start : start + 13], memory)
        expected = objective(logits[:, start + 11], stream[:, start + 12].float())
        assert computed.item() == pytest.approx(expected.item(), rel=1e-5)
        assert not any(part.requires_grad for part in memory)


def test_memory_matters():
    torch.manual_seed(0)
    model = PianoRollLSTM(TINY).eval()
    windows = (torch.rand(2, 2, 13, 88) < 0.1).to(torch.uint8)
    fresh, _ = model.loss(windows[1])
    _, memory = model.loss(windows[0])
    remembered, _ = model.loss(windows[1], memory)
    assert abs(remembered - fresh) > 1e-6


def test_a_loss_teaches_through_the_whole_window():
    """The gradient reaches the first step of the window."""
    model = PianoRollLSTM(TINY)
    windows = torch.zeros(1, 13, 88)
    windows[0, -1, 40] = 1
    for step in (0, 4, 5, 11):
        heard = windows.clone()
        heard[0, step] = 1
        heard.requires_grad_()
        model.loss(heard)[0].backward()
        assert heard.grad[0, step].abs().sum() > 0


def test_an_unknown_loss_is_refused_by_name():
    with pytest.raises(ValueError, match="square"):
        PianoRollLSTM(LSTMConfig(loss="square"))


@pytest.mark.parametrize(("form", "low", "high"), [({}, 3, 4), (PUBLISHED_LSTM, 40, 48)])
def test_at_first_few_keys_are_down_by_default_and_half_of_them_as_published(form, low, high):
    torch.manual_seed(0)
    logits, _ = PianoRollLSTM(LSTMConfig(hidden=30, **form))(torch.zeros(1, 1, 88))
    assert low < torch.sigmoid(logits).sum().item() < high
