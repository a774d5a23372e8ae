"""How pieces of the baseline begin."""

import numpy as np
import pytest
import torch

from musiclib.models import LSTMConfig, PianoRollLSTM
from musiclib.paper.beginnings import (
    AS_PUBLISHED,
    MUSIC,
    PREDICTED,
    WITH_BEGINNING,
    WITH_MEMORY,
    beginnings,
)


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
    assert list(table) == [MUSIC, PREDICTED, AS_PUBLISHED, WITH_BEGINNING, WITH_MEMORY]
    assert table.index.tolist() == list(range(1, 21))
    np.testing.assert_allclose(table[PREDICTED], 22, rtol=1e-5)
    np.testing.assert_allclose(table.mean()[1:], 22, atol=0.6)


def test_beginnings_are_drawn_and_composed_by_the_seed(model):
    rolls = [(np.random.default_rng(0).random((200, 88)) < 0.1).astype(np.uint8)]
    first, again, other = (beginnings(model, rolls, 8, 3, seed) for seed in (1, 1, 2))
    assert first.equals(again) and not first.equals(other)


def test_memory_is_that_of_another_piece_and_the_beginning_that_of_the_own(model, monkeypatch):
    """What is composed after: of two pieces, one all of low keys and one all of high ones."""
    heard = []

    def note(model, primers, steps, seeds, **options):
        heard.append(primers)
        return np.zeros((len(primers), steps, 88), np.uint8)

    monkeypatch.setattr("musiclib.paper.beginnings.compose", note)
    rolls = [np.zeros((90, 88), np.uint8) for _ in range(2)]
    rolls[0][:, :44], rolls[1][:, 44:] = 1, 1
    beginnings(model, rolls, samples=20, pieces=6, seed=0)
    first, beginning, memory = ([p[..., 0] for p in primers] for primers in heard)
    assert {len(p) for p in first} == {1} and {len(p) for p in beginning} == {16}
    for own, whole, other in zip(first, beginning, np.roll(first, -1, axis=0), strict=True):
        assert (whole == own[0]).all() and len(other) == 1
    for own, long, other in zip(first, memory, np.roll(first, -1, axis=0), strict=True):
        assert (long[:-1] == other[0]).all() and long[-1] == own[0]


def test_a_network_that_hears_tells_beginnings_apart():
    torch.manual_seed(0)
    model = PianoRollLSTM(LSTMConfig(hidden=20, output="drawn"))
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(4)
    rolls = [(np.random.default_rng(i).random((200, 88)) < 0.1).astype(np.uint8) for i in range(4)]
    table = beginnings(model, rolls, 8, 10, 1)
    assert table[AS_PUBLISHED].iloc[0] != table[WITH_MEMORY].iloc[0]
    assert table[AS_PUBLISHED].iloc[0] != table[WITH_BEGINNING].iloc[0]
