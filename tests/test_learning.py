"""Both networks learn: on a few real pieces they beat what needs no learning, in seconds."""

import pytest

from musiclib.corpus import Corpus, Piece
from musiclib.models import BiaxialConfig, LSTMConfig
from musiclib.runs import RunConfig, train_run
from musiclib.without_learning import CONSTANT

pytestmark = pytest.mark.processor

HELD_OUT = 10
CONFIGS = {
    "biaxial": BiaxialConfig(
        time_sizes=(24, 24), note_sizes=(16, 8), batch=5, segment=32, checkpoints=(), iterations=250
    ),
    "lstm": LSTMConfig(hidden=64, checkpoints=(), iterations=400),
}


@pytest.fixture(scope="module")
def corpus(chorales):
    """Chorales; every other step of one is a sample of 0.3 s."""
    pieces = [
        Piece(str(i), states, states[::2, :, 0].repeat(1, axis=0))
        for i, states in enumerate(chorales)
        if len(states) >= 128
    ]
    rolled = [p._replace(roll=_roll(p.roll)) for p in pieces]
    return Corpus({"main": rolled[HELD_OUT:], "held-out": rolled[:HELD_OUT]})


def _roll(play):
    import numpy as np

    return np.pad(play, ((0, 0), (3, 7)))


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("seed", [1, 5])
def test_a_network_learns_more_than_to_repeat_the_step_before(kind, seed, corpus, tmp_path):
    run = train_run(RunConfig(CONFIGS[kind], seed=seed, held_out_every=25), corpus, tmp_path)
    print(run.record["seconds"], run.verdict, run.record["without_learning"])
    assert run.verdict.learned, run.verdict.why
    assert run.held_out["loss"].iloc[-1] < 0.6 * run.record["without_learning"][CONSTANT]
