"""How pieces of the baseline begin."""

import numpy as np
import pytest
import torch

from musiclib.beginnings import AS_PUBLISHED, PREDICTED, WITH_BEGINNING, WITH_MEMORY, beginnings
from musiclib.models import LSTMConfig, PianoRollLSTM


@pytest.fixture
def model():
    """Hears nothing: every key is down with the same chance at any sample."""
    model = PianoRollLSTM(LSTMConfig(hidden=4))
    with torch.no_grad():
        model.dense.weight.zero_()
        model.dense.bias.fill_(float(torch.logit(torch.tensor(0.25))))
    return model


def test_a_network_that_hears_nothing_plays_the_same_from_every_beginning(model):
    rolls = [np.zeros((200, 88), np.uint8), np.ones((90, 88), np.uint8)]
    table = beginnings(model, rolls, samples=20, pieces=30, seed=1)
    assert list(table) == [PREDICTED, AS_PUBLISHED, WITH_BEGINNING, WITH_MEMORY]
    assert table.index.tolist() == list(range(1, 21))
    np.testing.assert_allclose(table[PREDICTED], 22, rtol=1e-5)
    np.testing.assert_allclose(table.mean(), 22, atol=0.6)


def test_beginnings_are_drawn_and_composed_by_the_seed(model):
    rolls = [(np.random.default_rng(0).random((200, 88)) < 0.1).astype(np.uint8)]
    first, again, other = (beginnings(model, rolls, 8, 3, seed) for seed in (1, 1, 2))
    assert first.equals(again) and not first.equals(other)
