"""The speed benchmark runs, with tiny networks: what it prints then means nothing."""

import json
import subprocess
import sys

from musiclib.files import ROOT


def test_the_benchmark_runs_and_writes_every_table(tmp_path):
    out = tmp_path / "speed.json"
    command = [sys.executable, ROOT / "benchmarks" / "speed.py", "--tiny", "--out", out]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    record = json.loads(out.read_text())
    assert {(r["by"], r["precision"]) for r in record["training"]} >= {
        (by, precision) for by in ("plain", "musiclib") for precision in ("fp32", "bf16")
    }
    assert {r["network"] for r in record["training"]} == {"biaxial", "lstm"}
    assert {r["by"] for r in record["composing"]} == {"plain", "readable", "musiclib"}
    assert record["preparing"][0]["what"] == "features of a batch"
    assert all(r["to"] == 16 * r["from"] for r in record["growth"])
    for name in ("training", "composing", "preparing", "growth"):
        assert all(f"| {row[next(iter(row))]} |" in printed for row in record[name])
    assert "plain, same memory" in {r["by"] for r in record["training"] if r["network"] == "lstm"}
    plain = [r for r in record["training"] if r["by"] == "plain" and r["precision"] == "fp32"]
    assert all(r["times as fast as plain"] == 1 for r in plain)
