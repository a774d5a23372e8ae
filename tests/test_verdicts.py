"""What did not learn is marked wherever it could be read: labels, legends, results, README."""

import json

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from musiclib.paper import figures, readme
from musiclib.paper.figures.style import RANGE
from musiclib.paper.study import Study


@pytest.fixture
def table():
    """Two seeds, of which one learned without curriculum and none with it."""
    rows = [
        {"curriculum": kind, "seed": seed, "at": at, "loss": 1.0, "learned": learned}
        for kind, both in (("plain", (True, False)), ("curriculum", (False, False)))
        for seed, learned in enumerate(both)
        for at in (1, 2)
    ]
    return pd.DataFrame(rows)


def test_legends_say_how_many_did_not_learn(table):
    figure = figures.learning_curves(
        pd.concat([table.assign(set=name) for name in ("training", "held-out")]), "epoch", "nats"
    )
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    labels.remove(RANGE)
    assert labels == [
        "without curriculum (1 of 2 did not learn)",
        "with curriculum (did not learn)",
    ]
    plt.close(figure)
    whole = figures.learning_curves(
        pd.concat([table.assign(set=s, learned=True) for s in ("training", "held-out")]), "x", "y"
    )
    assert not any("learn" in t.get_text() for t in whole.axes[0].get_legend().get_texts())
    plt.close(whole)


class Run:
    """A finished run that learned or not."""

    def __init__(self, learned, without=True):
        self.record = {"precision": "fp32", "threads": [1, 2], "device": "a processor"}
        self.record["without_learning"] = {"one constant rate": 1.0} if without else {}
        self.verdict = type("Verdict", (), {"learned": learned})


def test_labels_and_names_say_which_networks_did_not_learn_and_how_all_were_trained():
    study = Study("smoke")
    study.note(Run(True), "biaxial plain 0")
    study.note(Run(False), "biaxial plain 1")
    study.note(Run(False, without=False), "rbm plain 0")  # an RBM has no such verdict
    study.note(Run(False))  # a trial, which is not judged
    assert study.unlearned == ["biaxial plain 1"]
    assert "1 of 2 networks did not learn" in study.label
    assert "fp32, a processor, 1 thread then 2 threads" in study.label


def test_the_readme_names_networks_that_did_not_learn(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    folder = tmp_path / "results" / "quick"
    folder.mkdir(parents=True)
    record = {"did_not_learn": [], "trained_with": ["fp32, 1 thread"]}
    record["corpus"] = {"folder": "music21", "checksum": "c37f"}
    (folder / "02.json").write_text(json.dumps(record))
    (folder / "04.json").write_text(json.dumps(record))
    elsewhere = {"corpus": {"folder": "own", "checksum": "0"}, "did_not_learn": ["own plain 0"]}
    (folder / "15.json").write_text(json.dumps(record | elsewhere))
    assert "Every network behind them learned" in readme.run("quick")
    (folder / "03.json").write_text(json.dumps(record | {"did_not_learn": ["biaxial plain 2"]}))
    text = readme.run("quick")
    assert "no verdict: biaxial plain 2." in text and "Trained with: fp32, 1 thread." in text
    assert "many times smaller than published" in text and "checksum: `c37f`" in text
