"""The benchmarks run, with tiny sizes: what their numbers say then means nothing."""

import json
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from io import StringIO

import mido
import pandas as pd
import pytest
import torch
from strategies import hand_states, random_states
from test_note_states import off, on, saved

from musiclib.base.files import ROOT
from musiclib.music.note_states import write_note_states
from musiclib.training.precision import computes_bf16

pytestmark = pytest.mark.processor

MACHINE = {"machine", "device"}


@pytest.fixture
def tiny(tmp_path):
    """Runs a benchmark with --tiny: its record and what it printed; results/ must stay as it is."""

    def run(name, *options, out="record.json", read=json.loads):
        before, out = _kept(), tmp_path / out
        command = [ROOT / "benchmarks" / f"{name}.py", *options, "--tiny", "--out", out]
        done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert _kept() == before
        return read(out.read_text()), done.stdout

    return run


def _kept():
    kept = (ROOT / "results").glob("bench-*")
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in kept}


@pytest.fixture
def music(tmp_path):
    """A folder of random music, two of eight pieces held out."""
    for i in range(8):
        folder = tmp_path / "music" / ("main" if i < 6 else "held-out")
        write_note_states(random_states(160, i, 0.1), folder / f"{i}.mid")
    return tmp_path / "music"


def test_speed_writes_every_table_and_prints_it(tiny):
    record, printed = tiny("speed")
    assert record.keys() >= MACHINE | {"torch", "sizes"}
    rates = record["GFLOP/s of large products"]
    precisions = list(rates)
    assert precisions[0] == "fp32" and min(rates.values()) > 0
    assert ("bf16" in rates) == computes_bf16() == ("left out" not in record)
    ports = {"biaxial": ("plain", "musiclib"), "lstm": ("plain", "plain, same memory", "musiclib")}
    assert [(r["network"], r["by"], r["precision"]) for r in record["training"]] == [
        (network, port, precision)
        for network, some in ports.items()
        for port, precision in [(p, q) for p in some for q in precisions]
        + [("musiclib, published form", "fp32")] * (network == "biaxial")
    ]
    assert [(r["pieces"], r["by"]) for r in record["composing"]] == [
        (pieces, name) for pieces in (1, 2) for name in ("plain", "readable", "musiclib")
    ]
    for row in record["training"] + record["composing"]:
        plain = row["by"] == "plain" and row.get("precision", "fp32") == "fp32"
        assert row["times as fast as plain"] == 1 if plain else row["times as fast as plain"] > 0
        assert torch.cuda.is_available() or 0.05 < row["peak memory, GB"] < 5
        assert row["times its floor"] > 1
    assert len(record["growth"]) == 5
    for row in record["growth"]:
        assert row["to"] == 16 * row["from"]
        ratio = row["ms at last"] / row["ms at first"] / 16
        assert row["cost, times proportion"] == pytest.approx(ratio, abs=0.01)
    for name in ("training", "composing", "growth"):
        for row in record[name]:
            assert f"| {' | '.join(map(str, row.values()))} |" in printed


def test_published_size_trains_both_forms_and_says_what_came_of_them(tiny, music, tmp_path):
    iterations = ("--default-iterations", 2, "--published-iterations", 3)
    record, _ = tiny(
        "published_size", music, "--seeds", 1, *iterations, "--runs", tmp_path / "runs"
    )
    names = ["default, seed 0", "published, seed 0"]
    for part in ("curves", "training", "runs"):
        assert list(record[part]) == names
    assert record["seconds"] < 4
    assert [curve[-1][0] for curve in record["curves"].values()] == [2, 3]
    assert all(losses[0][0] == 20 and losses[0][1] > 0 for losses in record["training"].values())
    for name, run in record["runs"].items():
        assert run["last held-out loss"] == record["curves"][name][-1][1]
        assert run["precision"] == "fp32" and not run["learned"]
        assert run["below one constant rate at"] is None
    assert len(list((tmp_path / "runs").glob("*/run.json"))) == 2


def test_isl_is_as_statsmodels_says(tiny):
    record, printed = tiny("isl")
    assert record.keys() > MACHINE
    assert record["largest relative difference"] < 1e-6
    assert record["generated x held-out bars"] == "200 x 20"
    assert record["large: generated x held-out bars"] == "300 x 100"
    assert all(value > 0 for name, value in record.items() if "seconds" in name)
    a_bar = record["statsmodels, seconds per held-out bar"]
    assert record["statsmodels, seconds in all"] == pytest.approx(20 * a_bar)
    faster = record["statsmodels, seconds in all"] / record["ours, seconds in all"]
    assert record["times faster"] == pytest.approx(faster)
    assert record["ours, slowest round"] >= record["ours, seconds in all"]
    assert f"| times faster | {faster:.4g} |" in printed


@pytest.fixture
def two_hands(tmp_path):
    """A file of 3/4 whose hands share a key; a short note lies within one step."""
    metre = mido.MetaMessage("time_signature", numerator=3, denominator=4)
    right = [metre, on(0, 60), on(0, 72), off(30, 72), off(450, 60)]
    (tmp_path / "hands").mkdir()
    saved(tmp_path / "hands" / "a.mid", right, [on(240, 60), off(720, 60)])
    return tmp_path / "hands"


# Apart as it comes: our C4 ends with the right hand's at tick 480, not with the left's at 960; our
# C5 has no step. Every 0.3 s it sounds: at 0, as C5 does, and up to 0.9; cut short in pretty_midi.
APART = {
    ("pretty_midi", "releases"): 0,
    ("pretty_midi", "piano roll"): 2,
    ("MusPy", "piano roll"): 0,
    ("symusic", "piano roll"): 0,
    ("MusPy", "play"): 4,
    ("symusic", "play"): 4,
    ("MusPy", "articulate"): 1,
    ("symusic", "articulate"): 1,
    ("pypianoroll", "articulate"): 1,
}


NAMES = {"pretty_midi": "pretty_midi", "pypianoroll": "pypianoroll"}
NAMES |= {"muspy": "MusPy", "symusic": "symusic"}


def test_other_libraries_differ_as_counted_by_hand_and_all_of_it_is_explained(tiny, two_hands):
    read = partial(pd.read_csv, keep_default_na=False)
    table, printed = tiny(
        "peers", two_hands, out="peers.csv", read=lambda text: read(StringIO(text))
    )
    here = {name: version(package) for package, name in NAMES.items() if find_spec(package)}
    assert dict(zip(table["peer"], table["version"], strict=True)) == here
    assert all(
        name in here or f"{name}," in printed or f"{name};" in printed for name in NAMES.values()
    )
    came = table[table["explanation"] == "as it comes"].set_index(["peer", "what"])["value"]
    for key, apart in APART.items():
        assert key[0] not in here or came[key] == apart, key
    for (what, name), steps in table.groupby(["what", "peer"]):
        last = steps.iloc[-1]
        assert f"| {what} | {name} |" in printed
        assert last["value"] > 0 if what.startswith("time") else abs(last["value"]) < 1e-9, what


def test_every_difference_to_other_libraries_on_real_files_is_explained():
    table = pd.read_csv(ROOT / "results" / "bench-peers.csv", keep_default_na=False)
    assert set(table["peer"]) == set(NAMES.values())
    refused = table[table["what"] == "files"].set_index("peer")["value"]
    assert refused.max() <= 1
    table = table[~table["what"].str.startswith(("time", "files", "releases"))]
    last = table.groupby(["what", "peer"], as_index=False).last()
    assert len(last) > 25 and (last["value"].abs() < 1e-9).all()
    assert (last["files equal"].astype(int) == 300 - last["peer"].map(refused)).all()


def test_restoration_trains_and_tells_what_is_mended(tiny, music, tmp_path):
    record, printed = tiny("restoration", music, "--seeds", 2, "--runs", tmp_path / "runs")
    assert (record["corpus"]["folder"], record["held_out_pieces"]) == ("music", 2)
    assert (record["seeds"], record["iterations"], len(record["seconds"])) == (2, 3, 2)
    assert len(list((tmp_path / "runs").glob("conditional-rbm-*/run.json"))) == 2
    numbers = record["numbers"]
    metrics = ("F1 as given", "gain", "gain of sounding cells", "density")
    assert set(numbers) == {
        f"{way}, {kind}, {metric}"
        for way in ("conditional RBM", "no machine")
        for kind in ("anywhere", "in range", "near", "clean")
        for metric in metrics
    }
    for name, found in numbers.items():
        assert found["seeds"] == len(found["per_seed"]) == 2 and found["n"] > 0
        assert 0 < found["value"] <= 2 or "gain" in name
        if "F1 as given" in name:
            assert (found["value"] == 1) == ("clean" in name)
        assert f"| {name} |" in printed


@pytest.fixture
def signed(tmp_path):
    """A folder of cadences that write their keys; the last one writes another key later on."""
    for i, name in enumerate(["C", "F#m", "Eb", "Bm"]):
        tonic, third = (0, 6, 3, 11)[i], 3 if name.endswith("m") else 4
        chords = ((0, third, 7), (5, third + 5, 12), (7, 11, 14), (0, third, 7))
        notes = [(48 + tonic + n, 4 * at, 4) for at, chord in enumerate(chords) for n in chord]
        path = tmp_path / "signed" / f"{i}.mid"
        write_note_states(hand_states(16, *notes), path)
        midi = mido.MidiFile(path)
        for at, key in [(0, name), (len(midi.tracks[0]) - 1, "A")][: 1 + (i == 3)]:
            midi.tracks[0].insert(at, mido.MetaMessage("key_signature", key=key))
        midi.save(path)
    return tmp_path / "signed"


def test_keys_are_held_against_what_is_written(tiny, signed):
    record, printed = tiny("keys", signed)
    some = {(row["pieces"], row["way"]): row for row in record["right"]}
    for way in ("opening", "whole piece", "paper"):
        for pieces, n in (("signed, first key", 4), ("signed, one key", 3)):
            assert some[pieces, way] == {
                **{"pieces": pieces, "way": way},
                **{"n": n, "key": 100, "signature": 100},
            }
        of_chorales = some["music21's chorales, signature", way]
        assert of_chorales["key"] is None and 4 <= of_chorales["n"] <= 8
    assert {row["of one signature"] for row in record["changes"]} == {75, 100}
    assert len(record["profiles"]) == 12 and len(record["openings"]) == 7
    for name in ("right", "wrong", "modes", "confidence", "profiles", "openings", "changes"):
        for row in record[name]:
            assert f"| {' | '.join(map(str, row.values()))} |" in printed


def test_kinds_of_wrong_keys_are_told_apart(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from keys import kind
    from written_keys import Piece

    in_a_minor = Piece("", 9, "minor", True, None, {})
    of_no_sharp = Piece("", 0, None, True, None, {})
    found = {(9, "minor"): "right", (0, "major"): "relative", (9, "major"): "parallel"}
    found |= {(4, "minor"): "fifth", (2, "minor"): "fifth", (7, "major"): "other"}
    assert {key: kind(in_a_minor, *key) for key in found} == found
    assert kind(of_no_sharp, 9, "minor") == kind(of_no_sharp, 0, "major") == "right"
    assert kind(of_no_sharp, 4, "minor") == kind(of_no_sharp, 5, "major") == "fifth"
    assert kind(of_no_sharp, 9, "major") == "other"


def test_only_what_is_not_tiny_goes_to_results_by_itself(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import timing

    monkeypatch.setattr(timing, "ROOT", tmp_path)
    parser = timing.parser("some", "")
    timing.write(parser.parse_args(["--tiny"]), {"a": 1})
    assert not list(tmp_path.iterdir())
    timing.write(parser.parse_args(["--tiny", "--out", str(tmp_path / "own.json")]), {"a": 2})
    timing.write(parser.parse_args([]), {"a": 3})
    written = {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*.json")}
    assert {n: json.loads(t)["a"] for n, t in written.items()} == {
        "own.json": 2,
        "results/bench-some.json": 3,
    }


def test_data_reads_many_on_a_cluster_too_and_trains_from_shards(tiny, music):
    record, _ = tiny("data", music)
    assert record["files"] == len(list(music.rglob("*.mid"))) and record["many files"] == 40
    assert record["the same result"] is True and record["steps in shards"] >= 40_000
    for model in ("biaxial", "lstm"):
        assert 0.2 < record[f"{model}: time from shards by that from memory"] < 5
