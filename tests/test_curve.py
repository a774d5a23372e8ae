"""The learning curve while a run trains: its file, resumed runs, and the picture in a notebook."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from IPython.display import Image
from matplotlib.figure import Figure
from strategies import random_states

from musiclib.base import progress
from musiclib.base.screen import Notebook, Terminal
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import BiaxialConfig, LSTMConfig
from musiclib.training import curve as curves
from musiclib.training import live as pictures
from musiclib.training import train as training
from musiclib.training.curve import CurveFile, curve_of, file_of
from musiclib.training.live import Live, drawn, name
from musiclib.training.runs import RunConfig, find
from musiclib.training.state import State
from musiclib.training.train import train_run

LSTM = LSTMConfig(hidden=4, batch=3, checkpoints=(), iterations=24)
CONFIG = RunConfig(LSTM, held_out_every=5)


@pytest.fixture(scope="module")
def corpus():
    states = [random_states(96, seed, 0.1) for seed in range(7)]
    pieces = [Piece(str(i), s, np.pad(s[..., 0], ((0, 0), (3, 7)))) for i, s in enumerate(states)]
    return Corpus({"main": pieces[:5], "held-out": pieces[5:]})


@pytest.fixture
def every_iteration(monkeypatch):
    monkeypatch.setattr(curves, "SECONDS", 0.0)


class Killed(BaseException):
    pass


def killed_at(monkeypatch, iteration, **options):
    """Training that ends so, as by a signal, after having written all it writes then."""
    real = training.train

    def train(*arguments, progress, **others):
        def end(done):
            progress(done)
            if done == iteration:
                raise Killed

        return real(*arguments, progress=end, **others | options)

    monkeypatch.setattr(training, "train", train)


def test_rows_are_means_since_the_row_before_and_know_held_out_losses(tmp_path):
    at, losses = [0.0], torch.rand(700, dtype=torch.float64)
    write = CurveFile(tmp_path / "curve.csv", 4.5, clock=lambda: at[0])
    state = State()
    for iteration, loss in enumerate(losses, start=1):
        at[0] += 0.2
        state.iteration = iteration
        state.losses.append(loss)
        if iteration % 100 == 0:
            state.held_out.append((iteration, iteration / 7))
        write(state)
    rows = pd.read_csv(tmp_path / "curve.csv")
    ends = rows["iteration"].tolist()
    for first, last, mean in zip([0, *ends], ends, rows["loss"], strict=False):
        assert mean == pytest.approx(float(losses[first:last].mean()), rel=1e-4)
    held_out = rows.dropna()
    assert held_out["iteration"].tolist() == list(range(100, 701, 100))
    assert held_out["held_out"].tolist() == pytest.approx(
        [i / 7 for i in range(100, 701, 100)], 1e-4
    )
    assert set(rows["without_learning"]) == {4.5}
    usual = [b - a for a, b in pairwise(ends) if not {a % 100, b % 100} & {0}]
    assert min(usual) == 3 and max(usual) == 6  # three take half a second; a hundredth of 6xx


def test_a_killed_run_goes_on_with_its_curve(corpus, tmp_path, monkeypatch, every_iteration):
    whole = train_run(CONFIG, corpus, tmp_path / "whole")
    run = find(CONFIG, corpus, tmp_path / "parts")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, 12, save_seconds=1e9)  # nothing is saved: begin anew
        train_run(CONFIG, corpus, tmp_path / "parts")
    assert file_of(run).exists() and not run.finished
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, 16, save_seconds=0)
        train_run(CONFIG, corpus, tmp_path / "parts")
    with file_of(run).open("a") as file:
        file.write("17,1e9,,\n18,1e9,,\n19,1e")  # of iterations that are not saved; torn
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, 22, save_seconds=1e9)
        train_run(CONFIG, corpus, tmp_path / "parts")
    curve = curve_of(run)
    assert curve.training["iteration"].tolist() == list(range(1, 23)) and not curve.finished
    assert curve.training["loss"].tolist() == pytest.approx(whole.losses["loss"][:22].tolist())
    assert curve.held_out.to_numpy() == pytest.approx(whole.held_out.to_numpy()[:4])
    assert curve.without_learning == pytest.approx(
        min(whole.record["without_learning"].values()), rel=1e-5
    )
    resumed = train_run(CONFIG, corpus, tmp_path / "parts")
    for file in ("losses.csv", "held-out.csv", "weights-final.safetensors"):
        assert (resumed.directory / file).read_bytes() == (whole.directory / file).read_bytes()
    assert not file_of(run).exists()


def test_the_curve_of_a_finished_run_is_its_losses_in_means(corpus, tmp_path, monkeypatch):
    run = train_run(CONFIG, corpus, tmp_path)
    monkeypatch.setattr(curves, "POINTS", 5)
    curve, losses = curve_of(run), run.losses["loss"].to_numpy()
    assert curve.training["iteration"].tolist() == [5, 10, 15, 20, 24]
    parts = np.split(losses, [5, 10, 15, 20])
    assert curve.training["loss"].tolist() == pytest.approx([part.mean() for part in parts])
    assert curve.held_out.equals(run.held_out) and curve.finished


def test_a_run_that_has_not_begun_has_no_curve(corpus, tmp_path):
    curve = curve_of(find(CONFIG, corpus, tmp_path))
    assert not len(curve.training) and not len(curve.held_out) and curve.without_learning is None


@pytest.fixture
def halfway(corpus, tmp_path, monkeypatch, every_iteration):
    """Three runs: one trained, one on its way, one not begun."""
    configs = [replace(CONFIG, seed=seed) for seed in range(3)]
    runs = [find(config, corpus, tmp_path) for config in configs]
    train_run(configs[0], corpus, tmp_path)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, 12)
        train_run(configs[1], corpus, tmp_path)
    return runs


def lines_of(monkeypatch, curves):
    """What `drawn` draws: label, x and y of each line."""
    kept = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: kept.append(self.axes[0]))
    drawn(curves)
    return [(line.get_label(), *map(list, line.get_data())) for line in kept[0].lines]


def test_the_picture_shows_the_losses_of_the_runs(halfway, monkeypatch):
    shown = {run: curve_of(run) for run in halfway}
    png = drawn(shown)
    assert png.startswith(b"\x89PNG")
    lines = lines_of(monkeypatch, shown)
    of = {label: (x, y) for label, x, y in lines if label.startswith("lstm")}
    assert list(of) == ["lstm, seed 0", "lstm, seed 1"]
    losses = halfway[0].losses["loss"].tolist()
    assert of["lstm, seed 0"] == (list(range(1, 25)), pytest.approx(losses))
    assert of["lstm, seed 1"][0] == list(range(1, 13))
    marks = [(x, y) for _, x, y in lines if x == [5, 10, 15, 20, 24]]
    assert marks == [(x, pytest.approx(halfway[0].held_out["loss"].tolist())) for x, _ in marks[:1]]
    bars = {y[0] for _, x, y in lines if x == [0, 1]}
    assert min(halfway[0].record["without_learning"].values()) in bars


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def outputs(monkeypatch):
    """What a notebook displays, and each update of it."""
    seen = []

    class Handle:
        def update(self, content):
            seen.append(content)

    def display(content, display_id):
        seen.append(content)
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(pictures, "people", Notebook)
    return seen


def test_a_notebook_has_one_picture_drawn_now_and_then(halfway, outputs, monkeypatch):
    monkeypatch.setattr(progress, "clock", clock := Clock())
    live = Live(halfway)
    told = live.look()
    assert not outputs
    for _ in range(10):
        clock.now += 1
        live.look()
    assert len(outputs) == 5 and all(isinstance(o, Image) for o in outputs)
    live.cost = 0.1  # seconds: a hundredth of ten
    clock.now += 9
    live.look()
    assert len(outputs) == 5
    live.end()
    assert len(outputs) == 6
    assert told == f"loss {curve_of(halfway[1]).training['loss'].iloc[-1]:.4g}"


def test_a_terminal_has_the_last_losses_alone_and_a_log_nothing(halfway, outputs, monkeypatch):
    monkeypatch.setattr(progress, "clock", clock := Clock())
    monkeypatch.setattr(pictures, "people", Terminal)
    live = Live(halfway)
    clock.now += 100
    assert live.look().startswith("loss ")
    monkeypatch.setattr(pictures, "people", lambda: None)
    assert Live(halfway).look() == "" and not outputs
    live.end()
    assert not outputs


def test_a_picture_that_cannot_be_drawn_ends_no_training(halfway, outputs, monkeypatch, capsys):
    def fail(_):
        raise RuntimeError("no fonts")

    monkeypatch.setattr(progress, "clock", clock := Clock())
    monkeypatch.setattr(pictures, "drawn", fail)
    live = Live(halfway)
    for _ in range(3):
        clock.now += 5
        live.look()
    live.end()
    assert capsys.readouterr().err == "the losses are not shown: RuntimeError: no fonts\n"


def test_runs_are_named_by_what_is_special_of_them():
    assert name(RunConfig(LSTM, seed=3)) == "lstm, seed 3"
    special = RunConfig(BiaxialConfig(), curriculum=True, normalise=False, mode="major")
    assert name(special, seed=False) == "biaxial, with curriculum, own keys, major"
    assert name(replace(special, reverse=True, as_much_as="minor")).count(", ") == 6


def test_many_runs_have_a_picture_too(halfway, monkeypatch):
    curve = curve_of(halfway[0])
    many = {find(replace(CONFIG, seed=s), Corpus({"main": []}), halfway[0].directory): curve
            for s in range(9)}  # fmt: skip
    labels = [label for label, *_ in lines_of(monkeypatch, many)]
    assert not any(label.startswith("lstm") for label in labels)
