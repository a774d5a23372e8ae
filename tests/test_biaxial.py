"""The biaxial RNN in both forms: its size, its loss, and what it can and cannot see."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from strategies import random_states

from musiclib.models import PUBLISHED_FORM, BiaxialConfig, BiaxialRNN, build
from musiclib.models.cells import AxisLSTM

pytestmark = pytest.mark.processor

TINY = BiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4))
FORMS = {"default": TINY, "published": replace(TINY, **PUBLISHED_FORM)}
BATCH, STEPS, NOTES = 3, 20, 78


@pytest.fixture(params=FORMS)
def model(request):
    torch.manual_seed(0)
    model = BiaxialRNN(FORMS[request.param]).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # large weights and initial states: effects are seen
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


@pytest.fixture
def states():
    pieces = [random_states(STEPS, seed, 0.1) for seed in range(BATCH)]
    return torch.from_numpy(np.stack(pieces))


def test_the_network_has_the_published_size():
    def lstm(inputs, size):
        return 4 * (inputs * size + size * size + 2 * size) + 2 * size  # and its initial state

    time_axis = lstm(80, 300) + lstm(300, 300)
    note_axis = lstm(300 + 2, 100) + lstm(100, 50)
    model = build(BiaxialConfig())
    assert sum(p.numel() for p in model.parameters()) == time_axis + note_axis + 50 * 2 + 2


def test_the_loss_is_a_sum_over_cells_and_articulation_counts_where_a_note_plays(model, states):
    with torch.no_grad():
        p = torch.sigmoid(model(states)).double()
        loss, _ = model.loss(states)
    expected = 0.0
    for piece in range(BATCH):
        for step in range(1, STEPS):
            for note in range(NOTES):
                play, struck = states[piece, step, note].tolist()
                p_play, p_struck = p[piece, step - 1, note].tolist()
                expected -= np.log(p_play if play else 1 - p_play)
                if play:
                    expected -= np.log(p_struck if struck else 1 - p_struck)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


class ForcedCoins:
    """Coins that fall as a given step says, and remember the probabilities they were shown."""

    def __init__(self, wanted):
        self.wanted, self.probabilities = wanted.bool(), torch.full(wanted.shape, torch.nan)

    def play(self, logits, at):
        self.probabilities[:, *at] = torch.sigmoid(logits)
        return self.wanted[:, *at]

    articulate = play


@torch.no_grad()
def test_step_by_step_gives_the_probabilities_of_the_teacher_forced_pass(model, states):
    teacher_forced = torch.sigmoid(model(states))
    memory = model.begin(BATCH)
    for step in range(STEPS - 1):
        coins = ForcedCoins(states[:, step + 1])
        chosen, memory = model.step(states[:, step], memory, coins)
        assert torch.equal(chosen, states[:, step + 1])
        torch.testing.assert_close(coins.probabilities, teacher_forced[:, step], rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("step", [1, 7, STEPS - 1])
@pytest.mark.parametrize("note", [0, 33, NOTES - 2])
def test_a_note_sees_neither_itself_nor_higher_notes_nor_the_future(model, states, step, note):
    before = model(states)
    changed = states.clone()
    changed[:, step, note:] = 1 - changed[:, step, note:]
    changed[:, step + 1 :] = 1 - changed[:, step + 1 :]
    after = model(changed)
    assert torch.equal(after[:, : step - 1], before[:, : step - 1])
    assert torch.equal(after[:, step - 1, : note + 1], before[:, step - 1, : note + 1])
    assert (after[:, step - 1, note + 1] != before[:, step - 1, note + 1]).all()


@torch.no_grad()
@pytest.mark.parametrize("bit", [0, 1])
def test_a_note_sees_the_notes_below_and_the_past(model, states, bit):
    before = model(states)
    lower, earlier = states.clone(), states.clone()
    lower[:, 5, 30, bit] = 1 - lower[:, 5, 30, bit]
    earlier[:, 4, 30, bit] = 1 - earlier[:, 4, 30, bit]
    assert (model(lower)[:, 4, 31] != before[:, 4, 31]).all()
    assert (model(earlier)[:, 4, 30] != before[:, 4, 30]).all()


@torch.no_grad()
def test_sequences_of_a_batch_do_not_mix(model, states):
    alone = torch.cat([model(piece[None]) for piece in states])
    torch.testing.assert_close(model(states), alone, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_dropout_mask_is_drawn_once_a_sequence():
    torch.manual_seed(0)
    axis = AxisLSTM(3, (40,), dropout=0.5)
    x = torch.randn(11, 6, 3)
    kept = axis.train()(x)
    silent = kept == 0
    assert torch.equal(silent, silent[:1].expand_as(silent))
    assert 0.3 < silent.float().mean() < 0.7
    assert len(silent[0].unique(dim=0)) == 6
    full = axis.eval()(x)
    torch.testing.assert_close(kept, torch.where(silent, 0.0, 2 * full))


@pytest.mark.parametrize("model", ["default"], indirect=True)
def test_every_parameter_learns_the_initial_states_too(model, states):
    model.train().loss(states)[0].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    initial = [*model.time_axis.initial, *model.note_axis.initial]
    assert [tuple(state.shape) for state in initial] == [(2, 7), (2, 6), (2, 5), (2, 4)]


@torch.no_grad()
def test_silence_is_heard_differently_on_every_step_of_a_bar(model):
    """The step index is part of what the model hears."""
    silence = torch.zeros(1, NOTES, 2)
    heard = []
    for index in range(17):
        coins = ForcedCoins(silence)
        model.step(silence, model.begin(1)._replace(position=index), coins)
        heard.append(coins.probabilities)
    assert len(torch.cat(heard[:16]).unique(dim=0)) == 16
    assert torch.equal(heard[16], heard[0])
