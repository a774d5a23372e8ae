"""The command line, run as people run it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from statsmodels.nonparametric.kernel_density import KDEMultivariate

from musiclib.files import ROOT
from musiclib.midi import read_note_states, write_note_states


def musiclib(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "musiclib", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=300,
    )


def assert_one_sentence(result, *words):
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("musiclib: ")
    for word in words:
        assert word in result.stderr


def folder_of(rng, path, steps):
    path.mkdir()
    for index, length in enumerate(steps, start=1):
        play = (rng.random((length, 78)) < 0.3) & (np.arange(78) % 9 == 0)
        write_note_states(np.stack([play, play], axis=-1).astype(np.uint8), path / f"{index}.mid")
    return path


def test_isl_of_two_folders_is_that_of_statsmodels(tmp_path):
    rng = np.random.default_rng(0)
    # Eleven files, so that the order of names (1, 10, 11, 2) is not that of numbers.
    generated = folder_of(rng, tmp_path / "generated", [37] * 11)
    held_out = folder_of(rng, tmp_path / "held-out", [40, 20])
    score = json.loads(musiclib("isl", generated, held_out, "--json").stdout)
    names = sorted(p.name for p in generated.iterdir())
    made = np.concatenate([read_note_states(generated / name) for name in names])
    held = [read_note_states(held_out / f"{i}.mid") for i in (1, 1, 2)]
    made, held = (x[: len(x) // 16 * 16].reshape(-1, 2496) for x in (made, np.concatenate(held)))
    # statsmodels wants more rows than columns, which only a bandwidth given by hand can spare us.
    h = 1.06 * made.std(axis=0) * (2 * len(made)) ** (-1 / (4 + 2496))
    rows = np.repeat(made, 1 + 2496 // len(made), axis=0)
    truth = KDEMultivariate(rows.astype(float), var_type="u" * 2496, bw=h, rng=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log([truth.pdf(row.astype(float)) for row in held])
    assert score["generated_measures"] == len(made)
    assert score["held_out_measures"] == len(held)
    assert score["dropped"] == np.isnan(values).sum() < len(held)
    assert score["isl"] == pytest.approx(np.nanmean(values), rel=1e-9)


def test_isl_says_what_is_wrong_with_a_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    assert_one_sentence(musiclib("isl", tmp_path / "empty", tmp_path), "no MIDI file", "empty")
    assert_one_sentence(musiclib("isl", tmp_path / "none", tmp_path), "no folder", "none")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "lstm", "--profile", "quik"), ("unknown profile 'quik'", "smoke, quick, paper")),
        (("train", "biaxial", "--loss", "bernoulli"), ("--loss",)),
        (("notebook", "check", "--corpus", "no/such/folder"), ("no folder no/such/folder",)),
        (("notebook", "check", "--seeds", "many"), ("SEEDS=many",)),
        (("compose", "no-such.safetensors", "new"), ("no-such.safetensors",)),
    ],
)
def test_mistakes_end_in_one_sentence(arguments, words):
    assert_one_sentence(musiclib(*arguments), *words)


def test_train_and_compose_twice_gives_the_same_bytes(tmp_path):
    rng = np.random.default_rng(0)
    corpus = folder_of(rng, tmp_path / "corpus", [160] * 8)
    (corpus / "broken.mid").write_bytes(b"<html>not music</html>")
    options = ("--corpus", corpus, "--runs", tmp_path / "runs", "--curriculum")
    trained = musiclib("train", "biaxial", *options, "--iterations", 2, "--level-iterations", 1)
    assert trained.returncode == 0, trained.stderr
    assert "broken.mid" in trained.stderr and "1 not readable" in trained.stderr
    weights = trained.stdout.splitlines()[0]
    for name in ("once", "twice"):
        composed = musiclib("compose", weights, tmp_path / name, "--pieces", 2, "--steps", 20)
        assert composed.returncode == 0, composed.stderr
    for name in ("1.mid", "2.mid"):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()
    assert len(read_note_states(tmp_path / "once" / "1.mid")) == 20
    again = musiclib("compose", weights, tmp_path / "once")
    assert_one_sentence(again, "exists already")
