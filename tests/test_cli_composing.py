"""`compose` from the command line: pieces, folders, and a sentence for whatever is wrong."""

import os
import shlex
import stat
import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save
from strategies import scale_piece
from test_cli import musiclib

from musiclib.cli import main
from musiclib.cli.composing import EXAMPLES, compose
from musiclib.exploring import shipped
from musiclib.exploring.cadences import CADENCES
from musiclib.exploring.wish import compose_wish
from musiclib.exploring.wishes import Wish
from musiclib.listening.sound import RATE
from musiclib.music.note_states import read_note_states, write_note_states
from musiclib.music.transforms import shift

WEIGHTS = shipped.weights_of("biaxial")
READ_ONLY = "/dev/null"  # no folder, and in none that anyone may write to


def run(*arguments):
    main(["compose", *map(str, arguments)])


def test_a_piece_is_written_as_midi_and_nothing_else_is(tmp_path, capsys):
    run("--out", tmp_path / "new" / "a.mid", "--seed", 2, "--bars", 3, "--key", "D major")
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'new' / 'a.mid'}\n"
    piece = compose_wish(Wish(seed=2, bars=3, key="D major"))
    assert told.err.splitlines()[-1] == f"biaxial, seed 2, 3 bars, {piece.key}"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.mid"]
    np.testing.assert_array_equal(read_note_states(tmp_path / "new" / "a.mid"), piece.states)


def test_a_file_is_replaced_and_a_folder_is_not(tmp_path):
    place = tmp_path / "a.MID"
    place.write_bytes(b"old")
    run("--out", place, "--bars", 1, "--weights", "lstm")
    assert place.read_bytes()[:4] == b"MThd"
    refused("is a folder", "--out", folder := tmp_path / "b.mid", before=folder.mkdir)
    refused("exists already", "--out", tmp_path)


def test_every_option_reaches_the_piece(tmp_path):
    options = {"density": 5.0, "temperature": 0.8, "seed": 3, "mend": "conditional-rbm"}
    options |= {"bars": 3, "key": "G minor", "ending": "minor", "weights": "biaxial-backwards"}
    run("--out", tmp_path / "a.mid", *(w for n, v in options.items() for w in (f"--{n}", v)))
    written = read_note_states(tmp_path / "a.mid")
    np.testing.assert_array_equal(written, compose_wish(Wish(**options)).states)
    np.testing.assert_array_equal(written[-32:], shift(CADENCES["minor"], -2))
    write_note_states(scale_piece(60, 48), song := tmp_path / "song.mid")
    run("--out", tmp_path / "b.mid", "--primer", song, "--bars", 2, "--conservativity", "0.9")
    piece = compose_wish(Wish(primer=str(song), bars=2, conservativity=0.9))
    np.testing.assert_array_equal(read_note_states(tmp_path / "b.mid"), piece.states)


def test_the_same_command_gives_the_same_bytes_in_another_process(tmp_path):
    options = "compose", "--bars", 2, "--seed", 9, "--out"
    told = musiclib(*options, tmp_path / "there.mid")
    assert told.returncode == 0, told.stderr
    main([*map(str, options), str(tmp_path / "here.mid")])
    assert (tmp_path / "there.mid").read_bytes() == (tmp_path / "here.mid").read_bytes()


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".wav"])
def test_a_piece_is_written_as_sound_beside_it(suffix, tmp_path, capsys):
    soundfile = pytest.importorskip("soundfile")
    sound = tmp_path / f"a{suffix}"
    run("--out", tmp_path / "a.mid", "--audio", sound, "--bars", 2, "--density", 4)
    assert capsys.readouterr().out == f"{tmp_path / 'a.mid'}\n{sound}\n"
    samples, rate = soundfile.read(sound)
    assert rate == RATE and len(samples) >= 3.9 * RATE
    assert 0.3 < np.abs(samples).max() <= 1.01


def test_the_help_teaches_by_examples_that_can_be_asked_for(capsys):
    shown = musiclib("compose", "--help").stdout
    commands = [line for line in EXAMPLES if line[0] != "#"]
    assert len(commands) >= 4 and all(f"python -m musiclib {line}" in shown for line in commands)
    for line in commands:
        compose.make_context("compose", shlex.split(line)[1:])  # raises for what it does not know


def refused(words, *arguments, before=lambda: None):
    before()
    with pytest.raises(SystemExit, match=f"^musiclib: [^\n]*{words}[^\n]*$"):
        run(*arguments)


def broken(kind, path):
    """A file of weights that is none."""
    content = WEIGHTS.read_bytes()
    if kind == "not numbers":
        weights = load_file(WEIGHTS)
        weights["output.bias"][:] = float("nan")
        with safe_open(WEIGHTS, "pt") as stored:
            path.write_bytes(save(weights, stored.metadata()))
        return path
    path.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "cut in its header": content[:100],
            "cut a little": content[:-1],
            "text": b"not weights\n" * 9,
            "empty": b"",
            "another model's header": content[:8] + content[8:].replace(b"biaxial", b"bioxial", 1),
            "another shape": content.replace(b"[128, 128]", b"[120, 128]", 1),
        }[kind]
    )
    return path


@pytest.mark.parametrize(
    "kind",
    [
        *("cut", "cut in its header", "cut a little", "text", "empty"),
        *("another model's header", "another shape", "not numbers"),
    ],
)
def test_a_broken_weight_file_is_named(kind, tmp_path):
    path = broken(kind, tmp_path / "w.safetensors")
    refused("w.safetensors: ", "--weights", path, "--out", tmp_path / "a.mid")
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("absent.safetensors: no file", ("--weights", "absent.safetensors")),
        ("no file of weights", ("--weights", ".")),
        ("an RBM, which does not compose", ("--weights", "conditional-rbm")),
        ("not weights of a conditional RBM", ("--mend", "biaxial")),
        ("text.mid: it does not begin as a MIDI file", ("--primer", "{}/text.mid")),
        ("empty.mid: it does not begin as a MIDI file", ("--primer", "{}/empty.mid")),
        ("silent.mid: no note", ("--primer", "{}/silent.mid")),
        ("absent.mid: no such file", ("--primer", "{}/absent.mid")),
        ("no regular file", ("--primer", "{}")),
        (
            "text.mid: it does not begin",
            ("--ending", "{}/text.mid", "--weights", "biaxial-backwards"),
        ),
        ("authentic, plagal", ("--ending", "amen", "--weights", "biaxial-backwards")),
        ("biaxial-backwards", ("--ending", "plagal", "--weights", "biaxial")),
        ("leave out one", ("--ending", "plagal", "--primer", "corpus")),
        ("'H major'", ("--key", "H major")),
        ("temperature nan", ("--temperature", "nan")),
        ("temperature -1", ("--temperature", "-1")),
        ("density 0", ("--density", "0")),
        ("conservativity loud", ("--conservativity", "loud")),
        ("conservativity nan", ("--conservativity", "nan")),
        ("hears no bars", ("--weights", "lstm", "--bar", 12)),
        ("goes with --primer corpus", ("--corpus", "somewhere")),
        ("no folder", ("--corpus", "{}/nowhere", "--primer", "corpus")),
        ("name a folder", ("--pieces", 3)),
        (".mp3, .ogg or .wav", ("--audio", "{}/a.flac")),
        ("name it .mid", ("--out", "{}/a.wav")),
        ("an hour", ("--bars", 1600, "--audio", "{}/a.mp3")),
        ("cannot be written", ("--audio", f"{READ_ONLY}/a.mp3")),
        ("cannot be written", ("--audio", "{}/text.mid/a.mp3")),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(words, arguments, tmp_path):
    (tmp_path / "text.mid").write_text("<html>")
    (tmp_path / "empty.mid").write_bytes(b"")
    write_note_states(np.zeros((20, 78, 2), np.uint8), tmp_path / "silent.mid")
    before = sorted(tmp_path.iterdir())
    arguments = [str(a).replace("{}", str(tmp_path)) for a in arguments]
    refused(words, "--out", tmp_path / "a.mid", *arguments)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        *(("--bars", 0), ("--bars", -2), ("--bars", "many"), ("--pieces", 0), ("--seed", -1)),
        *(("--bar", 0), ("--temperature", "hot"), ("--steps", 20)),
    ],
)
def test_options_that_are_none_end_with_status_2(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run("--out", tmp_path / "a.mid", *arguments)
    told = capsys.readouterr().err
    assert ended.value.code == 2 and told.startswith("musiclib: ") and told.count("\n") == 1
    assert arguments[0] in told and not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["a.mid", "pieces"])
def test_where_nothing_can_be_written_is_said_before_composing(place, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", READ_ONLY):
        refused(f"{place}: cannot be written", "--weights", "absent", "--out", f"{folder}/{place}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    refused("a.mid: cannot be written", "--out", tmp_path / "a.mid")


def test_a_full_disk_is_one_sentence_and_what_was_there_stays(tmp_path):
    """No more than so many bytes may be written to a file: a disk that is full, near enough."""
    (tmp_path / "a.mid").write_bytes(b"old")
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64));"
        "from musiclib.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", limited, "compose", "--out", str(tmp_path / "a.mid")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert told.returncode == 1 and "Traceback" not in told.stderr
    assert told.stderr.splitlines()[-1].startswith("musiclib: ")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.mid", b"old")]
