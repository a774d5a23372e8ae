"""Modern means of training: what each does to weights and rates; without them all is as it was."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from strategies import scale_piece
from torch import nn
from torch.optim.swa_utils import get_ema_avg_fn

from musiclib.base.errors import InputError
from musiclib.base.typed import built, later, told_of
from musiclib.corpus.batches import Segments
from musiclib.models import BiaxialConfig, LSTMConfig, build, describe, form_of
from musiclib.models.recipe import optimizer, rate
from musiclib.music.transforms import moved
from musiclib.paper.profiles import SMOKE
from musiclib.training.averaging import average, averaged, take_mean
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, train
from musiclib.training.state import State

TINY = BiaxialConfig(
    time_sizes=(6, 5), note_sizes=(4, 3), batch=2, segment=16, iterations=9, checkpoints=(3, 8)
)
LATER = {"weight_decay", "warm_up", "averaging", "transposition"}


def plan(config, iterations=9, **more):
    batches = Segments([scale_piece(40), scale_piece(50)], config.batch, config.segment)
    more = {"held_out": batches.every(1), "held_out_every": 2} | more
    return Plan([Stage("main", batches, iterations)], 0, **more)


def modern(**changes):
    return replace(TINY, **{**form_of(TINY, "modern"), "warm_up": 3, "averaging": 0.8, **changes})


def test_what_came_later_is_told_only_where_it_is_used():
    assert not LATER & describe(TINY).keys()
    assert describe(replace(TINY, averaging=0.5))["averaging"] == 0.5
    assert describe(SMOKE.biaxial_roll).keys() | {"transposition"} >= LATER


def test_what_came_later_may_be_missing_and_nothing_else():
    @dataclass(frozen=True)
    class Settings:
        size: int
        new: float = later(0.5)

    assert built(Settings, {"size": 2}) == Settings(2)
    assert built(Settings, {"size": 2, "new": 0.25}) == Settings(2, 0.25)
    assert told_of(Settings(2)) == {"size": 2} and told_of(Settings(2, 1.0))["new"] == 1.0
    with pytest.raises(ValueError, match="size: it is not said"):
        built(Settings, {"new": 0.5})
    with pytest.raises(ValueError, match="unknown to Settings"):
        built(Settings, {"size": 2, "old": 1})


def test_the_rate_rises_stays_and_falls_to_nothing():
    config = replace(TINY, warm_up=4, cooling=0.5, iterations=20)
    rates = [rate(config, i, 20) for i in range(20)]
    assert rates[:5] == [0.25, 0.5, 0.75, 1.0, 1.0] and rates[5:11] == [1.0] * 6
    np.testing.assert_allclose(rates[10:], np.arange(10, 0, -1) / 10)


def test_without_a_recipe_the_lstms_rate_never_changes():
    assert {rate(LSTMConfig(), i, 7) for i in range(7)} == {1.0}


def test_an_lstm_that_counts_epochs_cools_over_a_share_of_all_its_iterations():
    config = LSTMConfig(cooling=1.0)
    assert [rate(config, i, 4) for i in range(4)] == [1.0, 0.75, 0.5, 0.25]


def test_adamw_decays_matrices_alone_times_the_rate():
    model = build(replace(TINY, optimiser="adamw", learning_rate=0.1, weight_decay=0.5))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer(model).step()
    for name, parameter in model.named_parameters():
        shrunk = 0.95 if ("weight" in name or "initial" in name) else 1.0
        torch.testing.assert_close(parameter, shrunk * before[name])


def test_forget_gates_open_and_nothing_else():
    states = []
    for start in ("torch", "open"):
        torch.manual_seed(1)
        states.append(build(replace(TINY, start=start)).state_dict())
    for name, (shut, opened) in {n: [s[n] for s in states] for n in states[0]}.items():
        wanted = shut.clone()
        if name.endswith("bias_ih_l0"):
            size = len(wanted) // 4
            wanted[size : 2 * size] += 1
        torch.testing.assert_close(opened, wanted)


@pytest.mark.parametrize("piano", [False, True])
def test_notes_are_moved_together_as_far_as_they_have_room(piano):
    music = np.zeros((5, 88) if piano else (5, 78, 2), np.uint8)
    music[0, 3] = music[4, 70] = 1
    for interval, expected in ((2, 2), (-2, -2), (-9, -3), (40, 17 if piano else 7), (0, 0)):
        now = moved(music, interval)
        assert np.flatnonzero(now.reshape(5, now.shape[1], -1)[..., 0].any(axis=0)).tolist() == [
            3 + expected,
            70 + expected,
        ]
    silence = np.zeros_like(music)
    assert moved(silence, 5) is silence


def test_segments_are_moved_within_the_range_and_nothing_is_drawn_where_none_are():
    piece = scale_piece(64)
    still = [Segments([piece], 3, 16), Segments([piece], 3, 16, move=0)]
    first, second = (s.draw(0, torch.Generator().manual_seed(0))[0] for s in still)
    assert torch.equal(first, second)
    drawn = Segments([piece], 40, 16, move=5).draw(0, torch.Generator().manual_seed(0))[0]
    starts = {tuple(moved(row, -99)[..., 0].nonzero()[1]) for row in drawn.numpy()}
    excerpts = [piece[at : at + 16] for at in range(0, len(piece) - 15, 16)]
    plain = {tuple(moved(excerpt, -99)[..., 0].nonzero()[1]) for excerpt in excerpts}
    assert starts <= plain
    as_they_are = {excerpt.tobytes() for excerpt in excerpts}
    assert any(row.tobytes() not in as_they_are for row in drawn.numpy())


class Line(nn.Module):
    """One weight; its mean is known."""

    averaging = 0.5

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


def test_late_in_training_the_mean_of_weights_is_torchs_exponential_one():
    model, state, theirs = Line(), State(iteration=10_000), None
    mean_of = get_ema_avg_fn(0.5)
    for value in (3.0, -1.0, 4.0, 1.0, -5.0):
        with torch.no_grad():
            model.weight.fill_(value)
        average(model, state)
        now = torch.tensor([value])
        theirs = now if theirs is None else mean_of(theirs, now, 1)
        torch.testing.assert_close(state.average["weight"], theirs)
    with averaged(model, state):
        torch.testing.assert_close(model.weight.detach(), theirs)
    assert model.weight.item() == -5
    take_mean(model, state)
    torch.testing.assert_close(model.weight.detach(), theirs)


def test_early_in_training_the_mean_of_weights_forgets_the_first_ones():
    model, state = Line(), State()
    Line.averaging, before = 0.999, Line.averaging
    try:
        for state.iteration in range(1, 101):
            with torch.no_grad():
                model.weight.fill_(float(state.iteration > 1))
            average(model, state)
    finally:
        Line.averaging = before
    assert 0.99 < state.average["weight"].item() < 1  # the first was 0, all others 1


def test_losses_checkpoints_and_the_end_are_those_of_the_mean(tmp_path):
    config, seen = modern(), {}
    torch.manual_seed(0)
    model = build(config)
    mean = {}

    def watch(state):
        mean[state.iteration] = {name: w.clone() for name, w in state.average.items()}

    def checkpoint(iteration):
        seen[iteration] = {name: w.clone() for name, w in model.state_dict().items()}
        return ""

    train(
        model,
        plan(config, checkpoints=frozenset((3, 8))),
        tmp_path / "s.pt",
        checkpoint=checkpoint,
        watch=watch,
    )
    for at, found in {**seen, 9: model.state_dict()}.items():
        assert all(torch.equal(found[name], mean[at][name]) for name in found)


@pytest.mark.parametrize("stop", [1, 4, 8])
def test_a_mean_of_weights_goes_on_as_if_nothing_had_happened(tmp_path, stop):
    config = modern(transposition=3)

    def run(saved, **more):
        torch.manual_seed(0)
        model = build(config)
        return model, train(model, plan(config), saved, **more)

    def kill(iteration):
        if iteration == stop:
            raise KeyboardInterrupt

    whole, state = run(tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut.pt", save_seconds=0, progress=kill)
    again, resumed = run(tmp_path / "cut.pt", save_seconds=0)
    assert resumed.held_out == state.held_out
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_state_of_a_version_that_knew_no_mean_goes_on(tmp_path):
    saved = tmp_path / "s.pt"

    def kill(iteration):
        if iteration == 4:
            raise KeyboardInterrupt

    def run(place, **more):
        torch.manual_seed(0)
        return train(build(TINY), plan(TINY), place, save_seconds=0, **more)

    with pytest.raises(KeyboardInterrupt):
        run(saved, progress=kill)
    content = torch.load(saved, weights_only=True)
    del content["state"]["average"]
    torch.save(content, saved)
    assert run(saved).held_out == run(tmp_path / "whole.pt").held_out
    assert torch.load(saved, weights_only=True)["state"]["iteration"] > 4


def test_a_state_without_its_mean_counts_as_absent(tmp_path, capsys):
    plain = replace(modern(), averaging=0.0)
    torch.manual_seed(0)
    train(build(plain), plan(plain), tmp_path / "s.pt", save_seconds=0)
    config = modern()
    torch.manual_seed(0)
    train(build(config), plan(config), tmp_path / "s.pt")
    assert "its mean of weights is not this network's" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "mean"), [("lstm", 0.0), ("biaxial", 0.95)])
def test_the_modern_form_has_its_optimiser_and_its_mean_of_weights(name, mean):
    config = replace(SMOKE.config(name), **form_of(SMOKE.config(name), "modern"))
    model = build(config)
    assert model.averaging == config.averaging == mean
    assert type(model.optimizer()).__name__ == "AdamW"


def test_every_target_wants_the_bernoulli_loss():
    with pytest.raises(InputError, match="targets every: they have the Bernoulli loss"):
        LSTMConfig(targets="every")


def test_wider_layers_learn_more_slowly_and_narrower_ones_no_faster():
    rates = [
        form_of(replace(TINY, time_sizes=(units,)), "modern")["learning_rate"]
        for units in (12, 48, 96, 300)
    ]
    np.testing.assert_allclose(rates, [0.03, 0.03, 0.015, 0.0048])
    assert form_of(LSTMConfig(hidden=512), "modern")["learning_rate"] == pytest.approx(0.005 / 8)


def test_what_has_no_modern_form_says_so():
    assert not form_of(SMOKE.rbm, "modern") and not form_of(SMOKE.biaxial_roll, "published")
