"""The command line, run as people run it."""

import json
import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
from safetensors import safe_open
from statsmodels.nonparametric.kernel_density import KDEMultivariate
from strategies import hand_states, random_states, scale_piece
from test_note_states import metre, off, on
from test_note_states import saved as saved_midi

from musiclib.base.files import ROOT
from musiclib.base.stopping import Terminated
from musiclib.cli import main
from musiclib.metrics.bits_saved import saved
from musiclib.music.note_states import read_note_states, write_note_states
from musiclib.training.precision import computes_bf16


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


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of tunes, of silence, and of music under a bar."""
    top = tmp_path_factory.mktemp("folders")
    music = {
        "generated": [scale_piece(60, 90, seed) for seed in range(3)],
        "held-out": [scale_piece(62, 80, seed) for seed in range(4, 8)],
        "reference": [scale_piece(67, 160, seed) for seed in range(8, 11)],
        "silence": [hand_states(64)],
        "short": [scale_piece(60, 12)],
    }
    for name, pieces in music.items():
        (top / name).mkdir()
        for index, states in enumerate(pieces, start=1):
            write_note_states(states, top / name / f"{index}.mid")
    return top


def said(capsys, *arguments):
    """What a command prints, here and now: a process of its own takes seconds to begin."""
    main([str(argument) for argument in arguments])
    return capsys.readouterr().out


def isl_mixture(capsys, *arguments):
    record = json.loads(said(capsys, "isl", *arguments, "--estimator", "mixture", "--json"))
    assert record["unit"] == "bits per note"
    return record


def test_isl_by_a_mixture_is_bits_saved_on_the_bars_of_each_file(folders):
    places = folders / "generated", folders / "held-out"
    score = json.loads(musiclib("isl", *places, "--estimator", "mixture", "--json").stdout)
    made, held = (
        np.concatenate([s[: len(s) // 16 * 16].reshape(-1, 2496) for s in map(read_note_states, p)])
        for p in (sorted(place.iterdir()) for place in places)
    )
    assert score["bits_saved"] == pytest.approx(
        saved(made, held, held.mean(axis=0)).sum() / held.sum(), rel=1e-9
    )
    assert (score["generated_measures"], score["held_out_measures"]) == (3 * 5, 4 * 5)
    assert score["dropped"] == 0


def test_isl_by_a_mixture_is_no_better_for_files_that_are_there_twice(folders, tmp_path, capsys):
    twice = tmp_path / "twice"
    twice.mkdir()
    for path in (folders / "generated").iterdir():
        for name in (path.name, f"again {path.name}"):
            (twice / name).write_bytes(path.read_bytes())
    once, again = (
        isl_mixture(capsys, place, folders / "held-out") for place in (folders / "generated", twice)
    )
    assert again["generated_measures"] == 2 * once["generated_measures"]
    assert again["bits_saved"] == pytest.approx(once["bits_saved"], rel=1e-6)


def test_a_reference_changes_what_bits_are_saved_over(folders, capsys):
    places = folders / "generated", folders / "held-out"
    alone = isl_mixture(capsys, *places)
    itself = isl_mixture(capsys, *places, "--reference", folders / "held-out")
    other = isl_mixture(capsys, *places, "--reference", folders / "reference")
    assert itself["bits_saved"] == pytest.approx(alone["bits_saved"])
    assert (
        other["bits_saved"] > alone["bits_saved"]
    )  # notes of another key describe the held-out ones worse
    assert "bits per note" in said(capsys, "isl", *places, "--estimator", "mixture")


def test_evaluate_prints_json_or_a_line_a_metric(folders, capsys):
    places = folders / "generated", folders / "held-out", "--reference", folders / "reference"
    result = musiclib("evaluate", *places, "--json")
    record = json.loads(result.stdout, parse_constant=pytest.fail)  # NaN and Infinity
    assert record["generated"] == {"pieces": 3, "steps": 270, "bars": 15}
    assert [copy["piece"] for copy in record["plagiarism"]] == ["1.mid", "2.mid", "3.mid"]
    bits = isl_mixture(capsys, *places)["bits_saved"]
    assert record["metrics"]["bits saved"]["value"] == pytest.approx(bits)
    lines = said(capsys, "evaluate", *places).splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == list(record["metrics"])


def test_silence_is_scored_and_music_under_a_bar_refused(folders, capsys):
    held_out, silence, short = (folders / name for name in ("held-out", "silence", "short"))
    assert isl_mixture(capsys, silence, held_out)["bits_saved"] < -5
    assert json.loads(said(capsys, "isl", silence, held_out, "--json"))["isl"] is None
    assert "sparse music scores high" in said(capsys, "evaluate", silence, held_out)
    result = musiclib("isl", short, held_out, "--estimator", "mixture")
    assert_one_sentence(result, "too little music")
    assert result.returncode == 1


@pytest.mark.parametrize("command", [("isl", "--estimator", "mixture"), ("evaluate",)])
@pytest.mark.parametrize(
    ("generated", "held_out", "words"),
    [
        ("short", "held-out", "no generated bar"),
        ("generated", "short", "no held-out bar"),
        ("generated", "silence", "held-out bars hold no note"),
    ],
)
def test_what_cannot_be_scored_ends_in_one_sentence(command, generated, held_out, words, folders):
    name, *options = command
    with pytest.raises(SystemExit, match=f"^musiclib: .*{words}"):
        main([name, str(folders / generated), str(folders / held_out), *options])


@pytest.mark.parametrize("command", [("isl", "--estimator", "mixture"), ("evaluate",)])
def test_a_reference_without_a_bar_is_refused(command, folders):
    name, *options = command
    places = [str(folders / side) for side in ("generated", "held-out")]
    with pytest.raises(SystemExit, match="no reference bar"):
        main([name, *places, "--reference", str(folders / "short"), *options])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "lstm", "--profile", "quik"), ("unknown profile 'quik'", "smoke, quick, paper")),
        (
            ("train", "gru"),
            ("unknown model 'gru'", "lstm, biaxial, biaxial-roll, rbm, conditional-rbm"),
        ),
        (("train", "biaxial", "--loss", "bernoulli"), ("--loss", "no option of biaxial")),
        (("train", "rbm", "--form", "published"), ("--form", "rbm has no other form")),
        (("notebook", "check", "--corpus", "no/such/folder"), ("no folder no/such/folder",)),
        (("notebook", "check", "--seeds", "many"), ("SEEDS=many",)),
        (("compose", "--weights", "no-such.safetensors", "--out", "new"), ("no-such.safetensors",)),
    ],
)
def test_mistakes_end_in_one_sentence(arguments, words):
    assert_one_sentence(musiclib(*arguments), *words)


@pytest.mark.processor
@pytest.mark.skipif(computes_bf16(), reason="this processor has bf16")
def test_bf16_where_it_is_not_is_refused_in_one_sentence_before_any_music_is_read():
    refused = musiclib("train", "biaxial", "--precision", "bf16")
    assert_one_sentence(refused, "bf16", "use fp32")
    assert "reading" not in refused.stderr


def test_the_published_form_is_trained_and_composes_and_a_run_says_whether_it_learned(tmp_path):
    corpus = folder_of(np.random.default_rng(0), tmp_path / "corpus", [160] * 8)
    options = ("--profile", "smoke", "--corpus", corpus, "--runs", tmp_path / "runs")
    trained = musiclib("train", "biaxial", "--form", "published", "--iterations", 2, *options)
    weights, _, verdict = trained.stdout.splitlines()
    assert verdict.startswith("did not learn: held-out loss")
    with safe_open(weights, "pt") as stored:
        assert json.loads(stored.metadata()["config"])["model"]["cell"] == "linear"
    command = "compose", "--weights", weights, "--out"
    composed = musiclib(*command, tmp_path / "new.mid", "--bars", 2)
    assert composed.returncode == 0, composed.stderr
    assert len(read_note_states(tmp_path / "new.mid")) == 32


def test_train_and_compose_twice_gives_the_same_bytes(tmp_path):
    rng = np.random.default_rng(0)
    corpus = folder_of(rng, tmp_path / "corpus", [160] * 8)
    (corpus / "broken.mid").write_bytes(b"<html>not music</html>")
    options = (
        "--profile",
        "smoke",
        "--corpus",
        corpus,
        "--runs",
        tmp_path / "runs",
        "--curriculum",
    )
    trained = musiclib("train", "biaxial", *options, "--iterations", 2, "--level-iterations", 1)
    assert trained.returncode == 0, trained.stderr
    assert "broken.mid" in trained.stderr and "1 not readable" in trained.stderr
    weights = trained.stdout.splitlines()[0]
    command = "compose", "--weights", weights, "--out"
    for name in ("once", "twice"):
        composed = musiclib(*command, tmp_path / name, "--pieces", 2, "--bars", 2)
        assert composed.returncode == 0, composed.stderr
    for name in ("1.mid", "2.mid"):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()
    assert len(read_note_states(tmp_path / "once" / "1.mid")) == 32
    again = musiclib(*command, tmp_path / "once")
    assert_one_sentence(again, "exists already")


def test_corpus_prints_tables_or_one_json_object_and_writes_table_and_pictures(
    every_reason, tmp_path, capsys
):
    command = "corpus", every_reason, "--profile", "smoke"
    written = "--table", tmp_path / "files.csv", "--pictures", tmp_path / "pictures"
    told = json.loads(said(capsys, *command, "--no-minutes", "--json", *written))
    reasons = {file["file"]: file["reason"] for file in told["files"]}
    assert reasons["main/waltz.mid"] == "metre" and reasons["main/bytes.mid"] == "too large"
    assert told["metre_rule"]["files_left_out"] == 1 and told["training"] is None
    assert len((tmp_path / "files.csv").read_text().splitlines()) == 1 + len(told["files"])
    made = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert made == [f"corpus.{suffix}" for suffix in ("csv", "pdf", "png", "txt")]
    text = said(capsys, *command, "--files")
    assert "the first" in text and "metre rule (2 or 4 only)" in text
    assert "training a network once in profile smoke" in text and "conditional-rbm  " in text
    assert all(any(line.startswith(f"{name}  ") for line in text.splitlines()) for name in reasons)


def test_names_that_are_no_text_or_look_like_a_formula_are_listed_and_drawn(tmp_path):
    places = [tmp_path / "$x_{1$" / f"$x_{{{n}$.mid" for n in range(5)]
    places += [tmp_path / "$x_{1$" / os.fsdecode(b"%d\xff\xfe.mid" % n) for n in range(5)]
    for seed, place in enumerate(places):
        write_note_states(random_states(130, seed, 0.1, low=20, high=60), place)
    written = "--table", tmp_path / "files.csv", "--pictures", tmp_path / "pictures"
    result = musiclib("corpus", places[0].parent, "--no-minutes", "--files", *written)
    assert result.returncode == 0, result.stderr
    assert "\n$x_{1$.mid  " in result.stdout and "\n1\\udcff\\udcfe.mid  " in result.stdout
    assert b"\n1\xff\xfe.mid," in (tmp_path / "files.csv").read_bytes()
    assert (tmp_path / "pictures" / "corpus.png").exists()


def test_corpus_saves_by_the_suffix_and_refuses_others_before_it_reads(
    every_reason, tmp_path, capsys
):
    command = "corpus", every_reason, "--no-minutes"
    for suffix in ("npz", "shards"):
        first = said(capsys, *command, "--save", tmp_path / f"c.{suffix}")
        again = said(capsys, "corpus", tmp_path / f"c.{suffix}", "--no-minutes")
        assert first.splitlines()[:9] == again.splitlines()[:9]  # the sets
    with pytest.raises(SystemExit, match=r"^musiclib: --save c\.zip: name it \.npz or \.shards$"):
        main(["corpus", "no such folder", "--save", "c.zip"])
    with pytest.raises(SystemExit, match=r"c\.shards exists already"):
        main(["corpus", "no such folder", "--save", str(tmp_path / "c.shards")])


def test_a_corpus_of_no_usable_file_ends_in_one_sentence(tmp_path, capsys):
    for index in range(20):
        (tmp_path / f"{index}.mid").write_bytes(b"<html>not music</html>")
    for option in ((), ("--json",), ("--files",)):
        with pytest.raises(SystemExit) as ended:
            main(["corpus", str(tmp_path), *option])
        sentence = str(ended.value)
        assert sentence.startswith("musiclib: only 0 usable main pieces, 5 needed: 20 could not")
        assert "\n" not in sentence and len(sentence) < 800 and " and 17 more)" in sentence
        assert capsys.readouterr().out == ""


def waltzes(rng, folder):
    """Eight pieces of 16 bars of 3/4."""
    folder.mkdir()
    for index in range(8):
        notes = [on(0, 60), off(1440, 60)]
        for pitch in rng.integers(60, 80, 47):
            notes += [on(0, int(pitch)), off(480, int(pitch))]
        saved_midi(folder / f"{index}.mid", [metre(0, 3)], notes)
    return folder


def test_waltzes_are_read_trained_on_and_composed_in_their_own_bars(tmp_path, capsys):
    corpus = waltzes(np.random.default_rng(0), tmp_path / "corpus")
    with pytest.raises(SystemExit, match=r"only 0 usable main pieces.* 8 have under 128 steps"):
        main(["corpus", str(corpus)])
    assert "steps" in said(capsys, "corpus", corpus, "--metre", "all")
    options = "--profile", "smoke", "--corpus", corpus, "--runs", tmp_path / "runs"
    options = *options, "--metre", "all", "--iterations", 2
    weights = said(capsys, "train", "biaxial", *options).splitlines()[0]
    asked = {"a.mid": (25,), "b.mid": (25, "--bar", 16), "c.mid": (100, "--bar", 4)}
    command = "compose", "--weights", weights, "--out"
    for name, bars in asked.items():
        said(capsys, *command, tmp_path / name, "--bars", *bars)
    primed = "--profile", "smoke", "--primer", "corpus", "--corpus", corpus, "--bars", 2
    said(capsys, *command, tmp_path / "primed", *primed, "--metre", "all")
    assert len(list((tmp_path / "primed").iterdir())) == 25
    default, common, other = ((tmp_path / name).read_bytes() for name in asked)
    assert default == common != other
    weights = said(capsys, "train", "lstm", *options).splitlines()[0]
    with pytest.raises(SystemExit, match=r"^musiclib: a bar of 12 steps: this network"):
        said(capsys, "compose", "--weights", weights, "--out", tmp_path / "lstm", "--bar", 12)


def test_a_machine_is_trained_and_mends(folders, tmp_path, capsys):
    """A folder mended by a process of its own and one mended here have the same bytes."""
    corpus = folder_of(np.random.default_rng(0), tmp_path / "corpus", [160] * 8)
    options = "--profile", "smoke", "--corpus", corpus, "--runs", tmp_path / "runs"
    weights, last = said(
        capsys, "train", "conditional-rbm", "--iterations", 2, *options
    ).splitlines()
    assert last.startswith("last loss ")
    mended = musiclib("mend", weights, folders / "generated", tmp_path / "mended")
    assert mended.returncode == 0 and mended.stdout == f"{tmp_path / 'mended'}\n"
    said(capsys, "mend", weights, folders / "generated", tmp_path / "here")
    for name in ("1.mid", "2.mid", "3.mid"):
        there, here = (tmp_path / folder / name for folder in ("mended", "here"))
        assert there.read_bytes() == here.read_bytes()
        assert len(read_note_states(here)) == 90
    with pytest.raises(SystemExit, match="an RBM, which does not compose"):
        said(capsys, "compose", "--weights", weights, "--out", tmp_path / "composed")


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (KeyboardInterrupt, 130, "stopped; no file is half written"),
        (Terminated, 143, "stopped; no file is half written"),
        (BrokenProcessPool, 1, "a worker process was killed"),
        (MemoryError, 1, "no memory left"),
        (OSError(28, "No space left on device"), 1, "no space left on the disk"),
    ],
)
def test_what_ends_a_command_from_outside_is_one_sentence(
    error, status, sentence, monkeypatch, capsys
):
    def interrupted(*_):
        raise error

    monkeypatch.setattr("musiclib.paper.readme.refresh", interrupted)
    with pytest.raises(SystemExit) as ended:
        main(["readme"])
    told = capsys.readouterr().err + (ended.value.code if status == 1 else "")
    assert told.strip().startswith(f"musiclib: {sentence}") and told.strip().count("\n") == 0
    assert status == 1 or ended.value.code == status
