"""The pages of docs/ are run as they stand."""

import re

import numpy as np

from musiclib import models
from musiclib.base.files import ROOT
from musiclib.metrics import evaluation


def run_page(name):
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    names = {"__name__": "page"}
    exec(compile(code, name, "exec"), names)
    return names


def test_a_third_network_trains_composes_and_is_judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(models.MODELS, "gru", None)  # the page puts it there; taken out afterwards
    names = run_page("a-third-network.md")
    curve = names["run"].held_out["loss"]
    assert curve.iloc[-1] < 0.6 * curve.iloc[0]
    assert [piece.shape for piece in names["pieces"]] == [(320, 78, 2)] * 5
    assert names["score"].generated_bars == 5 * 20
    assert names["score"].held_out_bars > 0


def test_a_metric_of_ones_own_stands_beside_the_others(monkeypatch):
    monkeypatch.setattr(evaluation, "UNITS", dict(evaluation.UNITS))
    monkeypatch.setattr(evaluation, "LIKENESS", list(evaluation.LIKENESS))
    names = run_page("another-metric.md")
    assert names["judged"]["silence"] > 0.9 > names["judged"]["real"]
    once, thrice = (np.tile(np.eye(78, dtype=np.uint8)[:16, :, None], (n, 1, 2)) for n in (1, 3))
    assert names["repetition"]([once, thrice]).value == 2 / 4
    real = {str(i): piece for i, piece in enumerate(names["real"][:6])}
    metrics = evaluation.evaluate({"a": thrice, "b": once}, real)["metrics"]
    assert metrics["repetition"]["value"] == 2 / 4
    assert 0 <= metrics["repetition"]["real music"]["value"] < 0.9
