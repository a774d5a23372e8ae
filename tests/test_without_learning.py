"""What needs no learning, against loops over coins, and whether a run beats it."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import minimize
from strategies import random_states

from musiclib.corpus.batches import Segments, Windows
from musiclib.models import BiaxialConfig, LSTMConfig, build
from musiclib.models.without_learning import CONSTANT, LATE, MARGIN, PITCH, REPEAT, verdict
from musiclib.paper.results import UNLEARNED, number, says, seeds_for, shown

CONFIG = BiaxialConfig(time_sizes=(3,), note_sizes=(2,), batch=2, segment=16)


@pytest.fixture(scope="module")
def segments():
    pieces = [random_states(64, seed, 0.1) for seed in range(3)]
    return Segments(pieces, CONFIG.batch, CONFIG.segment).every(3)


def cost(outcomes):
    """Nats of coins of one chance, the best in hindsight."""
    chance = np.mean(outcomes)
    return -sum(np.log(chance if o else 1 - chance) for o in outcomes) if 0 < chance < 1 else 0.0


def naive(batches, group, group_struck):
    """Nats per batch where coins of the same group have the same chance."""
    play, struck = {}, {}
    for batch, _ in batches:
        for piece in batch.numpy():
            for before, after in pairwise(piece):
                for note in range(78):
                    cell = note, before[note, 0]
                    play.setdefault(group(*cell), []).append(after[note, 0])
                    if after[note, 0]:
                        struck.setdefault(group_struck(*cell), []).append(after[note, 1])
    return sum(map(cost, [*play.values(), *struck.values()])) / len(batches)


def test_rates_of_note_states_are_those_of_a_loop_over_coins(segments):
    losses = build(CONFIG).without_learning(segments)
    groups = {
        CONSTANT: (lambda note, sounded: 0, lambda note, sounded: 0),
        PITCH: (lambda note, sounded: note, lambda note, sounded: 0),
        REPEAT: (lambda note, sounded: sounded, lambda note, sounded: sounded),
    }
    assert losses == {name: pytest.approx(naive(segments, *g)) for name, g in groups.items()}


def test_a_network_of_the_right_constant_rates_has_the_loss_of_one_constant_rate(segments):
    """The losses are in the unit of the network's own."""
    model = build(CONFIG).eval()
    after = torch.cat([batch[:, 1:] for batch, _ in segments]).double()
    rates = after[..., 0].mean(), after[..., 1].sum() / after[..., 0].sum()
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.copy_(torch.logit(torch.stack(rates)))
        losses = [float(model.loss(batch)[0]) for batch, _ in segments]
    assert np.mean(losses) == pytest.approx(model.without_learning(segments)[CONSTANT], rel=1e-5)


@pytest.fixture(scope="module", params=["categorical", "bernoulli"])
def baseline(request):
    config = LSTMConfig(hidden=3, window=6, hop=3, batch=4, loss=request.param)
    rng = np.random.default_rng(0)
    roll = (rng.random((200, 88)) < 0.05).astype(np.uint8)
    roll[1:] |= roll[:-1] * (rng.random((199, 88)) < 0.7)
    return config, Windows([roll], config.batch, config.window, config.hop).every(9)


def loss_of(logits, batches, loss):
    """The network's own loss for given logits of the last step of every window."""
    from musiclib.models.lstm import LOSSES

    windows = torch.cat([batch for batch, _ in batches])
    target, before = windows[:, -1].double(), windows[:, -2].double()
    return float(LOSSES[loss](logits(before).expand_as(target), target))


def test_rates_of_rolls_are_the_best_that_can_be_found(baseline):
    config, batches = baseline
    losses = build(config).without_learning(batches)

    def least(logits, size):
        def tried(x):
            return loss_of(lambda before: logits(torch.from_numpy(x), before), batches, config.loss)

        return minimize(tried, np.full(size, -2.0), method="L-BFGS-B").fun

    assert losses[CONSTANT] == pytest.approx(least(lambda x, before: x, 1), rel=1e-4)
    repeat = least(lambda x, before: x[0] + before * x[1], 2)
    assert losses[REPEAT] == pytest.approx(repeat, rel=1e-3)
    target = torch.cat([batch for batch, _ in batches])[:, -1].double()
    of_pitch = torch.logit(target.mean(dim=0).clamp(1e-9, 1 - 1e-9))
    if config.loss == "categorical":  # p in proportion to the counts
        of_pitch = torch.logit((target.sum(dim=0) * 1e-6).clamp_min(1e-12))
    expected = loss_of(lambda before: of_pitch, batches, config.loss)
    assert losses[PITCH] == pytest.approx(expected, rel=1e-4)
    assert losses[REPEAT] < losses[CONSTANT]


def curve(*losses):
    return pd.DataFrame({"iteration": np.arange(1, len(losses) + 1) * 10, "loss": losses})


WITHOUT = {CONSTANT: 200.0, PITCH: 150.0, REPEAT: 100.0}
BAR = (1 - MARGIN) * 100


@pytest.mark.parametrize(
    ("losses", "learned"),
    [
        ([150] * 18 + [BAR - 1] * 2, True),
        ([50] * 19 + [BAR + 1], False),
        ([50] * 18 + [BAR + 1, BAR - 1], False),
        ([50] * 19 + [np.nan], False),
        ([50] * 18 + [np.nan, 50], False),
        ([BAR - 1], True),
        ([], False),
    ],
)
def test_every_loss_of_the_last_tenth_must_be_below_the_best_by_a_margin(losses, learned):
    assert LATE == 0.1
    assert verdict(curve(*losses), WITHOUT).learned is learned
    assert not verdict(curve(*losses), {}).learned


def test_why_names_the_bar_and_the_loss():
    assert verdict(curve(80.0, 120.0), WITHOUT).why == (
        f"held-out loss 120 late in training, 80 at best, 100 by {REPEAT}"
    )


def test_what_rests_on_a_network_that_did_not_learn_is_marked_and_left_open():
    one = number([1.0, 2.0, 3.0], "nats", learned=[True, False, True])
    other = number([2.0, 1.0, 4.0], "nats", learned=[True, True, True])
    none = number([1.0, 2.0, 3.0], "nats", learned=[False] * 3)
    assert UNLEARNED in shown(one) and UNLEARNED in shown(none) and UNLEARNED not in shown(other)
    assert seeds_for(one, other) == "2 of 2 seeds, 1 open: did not learn"
    assert seeds_for(none, other) == "open: did not learn"
    assert seeds_for(other, other) == "0 of 3 seeds"
    assert seeds_for(number([1.0], "nats"), number([2.0], "nats")) == "1 of 1 seed"


def test_no_sentence_is_said_of_networks_that_did_not_learn(capsys):
    mute = number([1.0, 2.0], "nats", learned=[False, False])
    heard = number([1.0, 2.0], "nats", learned=[True, True])
    says(False, "It helps.", "It does not help.", mute)
    assert capsys.readouterr().out.startswith("- Open")
    half = number([1.0, 2.0], "nats", learned=[True, False])
    says(False, "It helps.", "It does not help.", heard, half)
    assert "1 of 2 seeds" in capsys.readouterr().out
    says(False, "It helps.", "It does not help.", heard)
    says(True, "It helps.", "It does not help.")
    assert capsys.readouterr().out == "- It does not help.\n- It helps.\n"
