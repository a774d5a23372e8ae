"""What all of published size would take, said before `make paper` begins it."""

import json

import pytest

from musiclib.cli import main
from musiclib.paper import affordable
from musiclib.paper.affordable import HOUR, UNASKED, cost

# curriculum, plain, equal budget, published, modern, own keys, backwards, major, as much
KINDS_OF_BIAXIAL = 9
KINDS_OF_LSTM = 6  # curriculum, plain, bernoulli, equal budget, published, modern
EPOCHS, EPOCH = 70, 11


def record(finished=True, **more):
    job = {"model": "lstm", "kind": "plain", "seed": 0}
    stages = {"main": EPOCHS * EPOCH}
    about = {"corpus": "abc", "music": {"about": "some music"}, "config": {}}
    return {"job": job, "iterations_an_epoch": EPOCH, "stages": stages} | about | more


@pytest.fixture
def kept(tmp_path, monkeypatch):
    folder = tmp_path / "paper" / "lstm-plain-0"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record()))
    part = tmp_path / "paper" / "biaxial-plain-0"
    part.mkdir()
    job = {"model": "biaxial", "kind": "plain", "seed": 0}
    (part / "part.json").write_text(
        json.dumps(record(job=job, iterations_an_epoch=None, iterations=1234))
    )
    there = affordable.kept_runs("paper", tmp_path)
    monkeypatch.setattr(affordable, "kept_runs", lambda profile: there)
    monkeypatch.setattr(affordable, "workers", lambda: 1)


def test_the_cost_is_every_iteration_of_every_run_of_the_table(kept):
    seconds = {
        "BiaxialConfig": 5.0,
        "LSTMConfig": 0.25,
        "RBMConfig": 0.5,
        "ConditionalRBMConfig": 1,
    }
    found = cost(2, lambda config, batches: seconds[type(config).__name__])
    biaxial = KINDS_OF_BIAXIAL * 10_000 + 4 * 500  # with an equal budget the levels are taken off
    assert found.runs == 2 * (KINDS_OF_BIAXIAL + KINDS_OF_LSTM + 2)
    lstm = KINDS_OF_LSTM * EPOCH * EPOCHS + 4 * 500
    expected = 2 * (5 * biaxial + 0.25 * lstm + 0.5 * 10_000 + 10_000)
    assert found.seconds == pytest.approx(expected)


def test_what_is_there_and_how_to_ask_is_said_where_it_is_too_long(kept):
    found = cost(3, lambda config, batches: 5.0)
    assert found.seconds > UNASKED and not found.affordable
    text = found.told()
    for word in ("TRAIN=yes", "musiclib runs", "lstm-plain-0", "1,234 iterations", "some music"):
        assert word in text


def test_hours_are_begun_unasked(kept):
    found = cost(3, lambda config, batches: 0.001)
    assert found.affordable and found.seconds < HOUR
    assert "TRAIN" not in found.told()


def test_the_command_says_it_by_its_status(kept, monkeypatch, capsys):
    found = cost(1, lambda config, batches: 5.0)
    monkeypatch.setattr(affordable, "cost", lambda seeds: found)
    with pytest.raises(SystemExit) as ended:
        main(["affordable", "--seeds", "1"])
    assert ended.value.code == 3 and "Not begun" in capsys.readouterr().out
