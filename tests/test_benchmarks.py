"""The speed benchmark runs, with tiny networks: what it prints then means nothing."""

import json
import subprocess
import sys

import pytest
from strategies import random_states

from musiclib.base.files import ROOT
from musiclib.music.note_states import write_note_states
from musiclib.training.precision import computes_bf16

pytestmark = pytest.mark.processor


def test_the_benchmark_runs_and_writes_every_table(tmp_path):
    out = tmp_path / "speed.json"
    command = [sys.executable, ROOT / "benchmarks" / "speed.py", "--tiny", "--out", out]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    record = json.loads(out.read_text())
    precisions = ("fp32", "bf16") if computes_bf16() else ("fp32",)
    assert {(r["by"], r["precision"]) for r in record["training"]} >= {
        (by, precision) for by in ("plain", "musiclib") for precision in precisions
    }
    assert "musiclib, published form" in {r["by"] for r in record["training"]}
    assert ("left out" in record) == (not computes_bf16())
    assert {r["network"] for r in record["training"]} == {"biaxial", "lstm"}
    assert {r["by"] for r in record["composing"]} == {"plain", "readable", "musiclib"}
    assert record["preparing"][0]["what"] == "features of a batch"
    assert all(r["to"] == 16 * r["from"] for r in record["growth"])
    for name in ("training", "composing", "preparing", "growth"):
        assert all(f"| {row[next(iter(row))]} |" in printed for row in record[name])
    assert "plain, same memory" in {r["by"] for r in record["training"] if r["network"] == "lstm"}
    plain = [r for r in record["training"] if r["by"] == "plain" and r["precision"] == "fp32"]
    assert all(r["times as fast as plain"] == 1 for r in plain)


def test_the_published_size_benchmark_trains_both_forms_and_says_when_they_pass_the_bars(tmp_path):
    pieces = [random_states(160, seed, 0.1) for seed in range(8)]
    for name, some in {"main": pieces[:6], "held-out": pieces[6:]}.items():
        for i, states in enumerate(some):
            write_note_states(states, tmp_path / "music" / name / f"{i}.mid")
    out = tmp_path / "record.json"
    options = ["--tiny", "--seeds", 1, "--default-iterations", 2, "--published-iterations", 3]
    command = [ROOT / "benchmarks" / "published_size.py", tmp_path / "music", *options]
    command += ["--runs", tmp_path / "runs", "--out", out]
    subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True)
    record = json.loads(out.read_text())
    assert [curve[-1][0] for curve in record["curves"].values()] == [2, 3]
    assert set(record["runs"]) == {"default, seed 0", "published, seed 0"}
    assert not any(run["learned"] for run in record["runs"].values())
