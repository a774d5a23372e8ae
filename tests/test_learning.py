"""Both networks learn: on a few real pieces they beat what needs no learning, in seconds."""

import numpy as np
import pytest

from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import BiaxialConfig, LSTMConfig
from musiclib.models.without_learning import CONSTANT
from musiclib.training.runs import RunConfig
from musiclib.training.train import train_run

pytestmark = pytest.mark.processor

HELD_OUT = 10
CONFIGS = {
    "biaxial": BiaxialConfig(
        time_sizes=(24, 24), note_sizes=(16, 8), batch=5, segment=32, checkpoints=(), iterations=200
    ),
    "lstm": LSTMConfig(hidden=64, checkpoints=(), iterations=1200),
}


@pytest.fixture(scope="module")
def corpus(chorales):
    """Chorales; every other step of one is a sample of 0.3 s."""
    pieces = [
        Piece(str(i), states, np.pad(states[::2, :, 0], ((0, 0), (3, 7))))
        for i, states in enumerate(chorales)
        if len(states) >= 128
    ]
    return Corpus({"main": pieces[HELD_OUT:], "held-out": pieces[:HELD_OUT]})


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_network_learns_more_than_what_needs_no_learning(kind, corpus, tmp_path):
    run = train_run(RunConfig(CONFIGS[kind], seed=5, held_out_every=50), corpus, tmp_path)
    assert run.verdict.learned, run.verdict.why
    assert run.held_out["loss"].iloc[-1] < 0.7 * run.record["without_learning"][CONSTANT]
