"""The benchmark: what is trained and kept, and that a test piece is looked at once for a run."""

import json
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from musiclib.base.errors import InputError
from musiclib.cli import main
from musiclib.corpus import frame_sets
from musiclib.corpus.frame_sets import FrameSet
from musiclib.models import MODELS
from musiclib.models.likelihood import frame_log_likelihoods, per_frame
from musiclib.paper import benchmark
from musiclib.paper.benchmark import NETWORKS, RECIPES, SETS, TRIALS, run_config
from musiclib.paper.benchmark_kept import RESULTS, kept

NAME = "JSB chorales"
TINY = {"iterations": 2, "segment": 16, "time_sizes": (4, 3), "note_sizes": (3, 2)}


def rolls(seed, count):
    rng = np.random.default_rng(seed)
    return [(rng.random((20 + 7 * i, 88)) < 0.05).astype(np.uint8) for i in range(count)]


@pytest.fixture
def pieces(monkeypatch):
    """A small set in the place of the chorales, and networks as small."""
    some = FrameSet(rolls(0, 5), rolls(1, 3), rolls(2, 3))
    for module in (frame_sets, benchmark):
        monkeypatch.setattr(module, "read_frame_set", lambda name: some)
    monkeypatch.setattr(benchmark, "RECIPES", {"biaxial RNN": {NAME: TINY}})
    monkeypatch.setattr(benchmark, "side_by_side", lambda f, jobs, *_, **__: [f(*j) for j in jobs])
    return some


@pytest.fixture
def measured(monkeypatch):
    """The parts that were measured, run by run."""
    seen, measure = [], benchmark._likelihood

    def note(run, name, part):
        seen.append((run.directory.name, part))
        return measure(run, name, part)

    monkeypatch.setattr(benchmark, "_likelihood", note)
    return seen


def ask(tmp_path, *options):
    folders = ["--runs", str(tmp_path / "runs"), "--results", str(tmp_path / "kept")]
    main(["benchmark", NAME, "--network", "biaxial RNN", *folders, *options])


def test_a_run_is_measured_once_and_on_test_pieces_only_when_asked(pieces, measured, tmp_path):
    ask(tmp_path, "--seeds", "2")
    rows = kept(folder=tmp_path / "kept")
    names = rows["run"].tolist()
    assert measured == [(name, "validation") for name in names]
    assert rows["test"].isna().all() and rows["validation"].notna().all()
    for _ in range(2):
        ask(tmp_path, "--seeds", "2", "--test")
        again = kept(folder=tmp_path / "kept")
        assert measured[2:] == [(name, "test") for name in names]
    assert (
        again["validation"].tolist() == rows["validation"].tolist() and again["test"].notna().all()
    )
    ask(tmp_path, "--seeds", "3")  # what is measured stays, also where nobody asks for it
    assert kept(folder=tmp_path / "kept")["test"].notna().sum() == 2
    curves = kept("curves.csv", tmp_path / "kept")
    assert not curves.duplicated(["run", "iteration"]).any() and curves["run"].nunique() == 3


def test_the_values_are_those_of_the_last_weights(pieces, tmp_path, capsys):
    ask(tmp_path, "--seeds", "1", "--test")
    [row] = kept(folder=tmp_path / "kept").to_dict("records")
    [run] = benchmark.train([run_config("biaxial RNN", NAME, 0)], NAME, tmp_path / "runs")
    for part in ("validation", "test"):
        found = per_frame(frame_log_likelihoods(run.model(), getattr(pieces, part)))
        assert row[part] == pytest.approx(found)
    assert (
        f"validation {row['validation']:.3f}, test {row['test']:.3f} nats"
        in capsys.readouterr().out
    )
    assert (row["iterations"], row["seed"], row["change"]) == (2, 0, "")


def test_a_trial_is_never_tested_and_stands_by_itself(pieces, measured, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "TRIALS", {"biaxial RNN": {"no warm-up": {"warm_up": 0}}})
    ask(tmp_path, "--seeds", "1")
    ask(tmp_path, "--seeds", "1", "--trial", "no warm-up", "--iterations", "1", "--test")
    rows = kept(folder=tmp_path / "kept").set_index("change")
    assert rows["iterations"].to_dict() == {"": 2, "trial: no warm-up": 1}
    ask(tmp_path, "--seeds", "1", "--trial", "no warm-up")
    assert kept(folder=tmp_path / "kept")["iterations"].tolist() == [2, 1, 2]
    assert {part for _, part in measured} == {"validation"}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([NAME, "JSB"], "unknown 'JSB': choose one of JSB chorales; MuseData"),
        ([NAME, "--iterations", "5"], "--iterations is said of a --trial"),
        ([NAME, "--network", "GRU"], "unknown 'GRU': choose one of biaxial RNN; LSTM"),
        (
            [NAME, "--trial", "more luck"],
            "unknown 'more luck': choose one of earlier recipe; earlier",
        ),
    ],
)
def test_what_is_unknown_is_said_before_anything_is_read(options, reason, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "read_frame_set", None)
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", *options])
    assert reason in str(stopped.value)


def test_a_trial_of_one_network_is_unknown_of_the_other(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", NAME, "--trial", "128 units"])
    assert "unknown '128 units': choose one of earlier recipe" in str(stopped.value)


def test_no_table_is_said(tmp_path):
    with pytest.raises(InputError, match=r"no .*runs.csv: python -m musiclib benchmark writes it"):
        kept(folder=tmp_path)


@pytest.mark.parametrize("table", ["runs.csv", "curves.csv", "pieces.csv"])
@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'run,change\n"a', "network,set\n1,2,3\n"])
def test_another_table_is_refused_before_anything_is_trained(tmp_path, text, table, monkeypatch):
    monkeypatch.setattr(benchmark, "read_frame_set", None)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / table).write_text(text)
    with pytest.raises(SystemExit) as stopped:
        ask(tmp_path)
    assert f"{table}: not what was kept" in str(stopped.value)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    for option in ("kept", "runs"):
        (tmp_path / option).write_text("")
        with pytest.raises(SystemExit) as stopped:
            ask(tmp_path)
        assert "it is a file; name a folder" in str(stopped.value)
        (tmp_path / option).unlink()


def test_other_weights_are_measured_anew(pieces, measured, tmp_path, monkeypatch):
    """As on another machine, where the same run has other last digits."""
    ask(tmp_path, "--seeds", "1", "--test")
    table = pd.read_csv(tmp_path / "kept" / "runs.csv").assign(digest="f" * 16, test=-1.0)
    table.to_csv(tmp_path / "kept" / "runs.csv", index=False)
    measured.clear()
    ask(tmp_path, "--seeds", "1", "--test")
    assert [part for _, part in measured] == ["validation", "test"]
    first, again = kept(folder=tmp_path / "kept")["test"]
    assert first == -1 and again < -1  # what was once tested stays to be seen


def test_a_trial_whose_weights_were_tested_has_no_test_value(pieces, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "TRIALS", {"biaxial RNN": {"nothing": {}}})
    ask(tmp_path, "--seeds", "1", "--test")
    capsys.readouterr()
    ask(tmp_path, "--seeds", "1", "--trial", "nothing", "--test")
    assert "test" not in capsys.readouterr().out.replace("--test", "")
    rows = kept(folder=tmp_path / "kept").set_index("change")
    assert pd.isna(rows.loc["trial: nothing", "test"]) and rows.loc["", "test"] < 0


def test_every_test_piece_is_kept_by_itself(pieces, tmp_path, capsys):
    ask(tmp_path, "--seeds", "1", "--test")
    ask(tmp_path, "--seeds", "2")
    assert "nan" not in capsys.readouterr().out
    rows, each = kept(folder=tmp_path / "kept"), kept("pieces.csv", tmp_path / "kept")
    assert each["frames"].tolist() == [20, 27, 34] and each["piece"].tolist() == [0, 1, 2]
    assert set(each["run"]) == {rows["run"][0]}
    assert each["nats"].sum() / 81 == pytest.approx(rows["test"][0])


def test_two_names_of_one_run_have_a_row_each(pieces, measured, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "TRIALS", {"biaxial RNN": {"nothing": {}}})
    ask(tmp_path, "--seeds", "1", "--test")
    ask(tmp_path, "--seeds", "1", "--trial", "nothing")
    rows = kept(folder=tmp_path / "kept")
    assert rows["change"].tolist() == ["", "trial: nothing"] and rows["run"].nunique() == 1
    assert [part for _, part in measured] == ["validation", "test"]


def test_every_recipe_and_trial_is_a_configuration():
    for network in NETWORKS:
        assert tuple(RECIPES[network]) == SETS
        for name in SETS:
            config = run_config(network, name, 0)
            assert not config.normalise and type(config.model) is MODELS[NETWORKS[network]].config
        for name, changes in TRIALS[network].items():
            run_config(network, NAME, 0, **changes)
            assert "," not in name and ";" not in name


def published():
    return json.loads(files("musiclib.paper").joinpath("likelihoods.json").read_text())


def test_published_rows_are_those_of_the_literature():
    rows = {row["model"].partition(" (")[0]: row for row in published()["rows"]}
    assert rows["LSTM"]["JSB chorales"] == -8.45 and rows["TCN"]["Nottingham"] == -3.07
    assert all(row["status"] for row in rows.values())


@pytest.mark.skipif(not (RESULTS / "runs.csv").exists(), reason="nothing is kept of the benchmark")
def test_what_is_kept_was_tested_as_a_recipe_alone_and_has_its_curve():
    rows, curves = kept(), kept("curves.csv")
    assert not rows.duplicated(["run", "change"]).any()
    recipes = rows[rows["change"] == ""]
    assert not recipes.duplicated(["network", "set", "configuration", "seed"]).any()
    assert set(rows[rows["test"].notna()]["run"]) <= set(recipes["run"])
    assert set(rows["run"]) == set(curves["run"])
    assert rows["validation"].between(-60.997, 0).all()
    assert isinstance(rows, pd.DataFrame) and set(rows["set"]) <= set(SETS)
