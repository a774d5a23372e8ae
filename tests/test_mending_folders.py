"""Folders mended by a trained machine: file by file, names and tempos kept, whole or not at all."""

from functools import partial

import mido
import numpy as np
import pytest
from strategies import hand_states, random_states, repaired, scale_piece

from musiclib.base.errors import InputError
from musiclib.cli import main
from musiclib.corpus.sets import Corpus, Piece
from musiclib.mending.folders import load_machine, mend_folder
from musiclib.mending.mend import mend
from musiclib.mending.ways import conditional
from musiclib.models import (
    BiaxialConfig,
    ConditionalRBM,
    ConditionalRBMConfig,
    LSTMConfig,
    RBMConfig,
)
from musiclib.music.note_states import read_note_states, write_note_states
from musiclib.training.runs import RunConfig
from musiclib.training.train import train_run

MACHINES = {
    "rbm": RBMConfig(hidden=6, batch=8, checkpoints=(1,), iterations=30, learning_rate=0.2),
    "conditional-rbm": ConditionalRBMConfig(
        maps=2, reach=(1, 4), coupling=(1, 1), segment=48, iterations=60, learning_rate=0.02
    ),
}
NETWORKS = {
    "lstm": LSTMConfig(hidden=8, window=12, hop=5, batch=3, checkpoints=(1,)),
    "biaxial": BiaxialConfig(
        time_sizes=(6, 5), note_sizes=(4, 3), batch=2, segment=16, checkpoints=(1,), iterations=2
    ),
}
TEMPO = 654_321


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of weights of each machine and network, hardly trained."""
    return {
        name: trained(config, tmp_path_factory) for name, config in (MACHINES | NETWORKS).items()
    }


def trained(config, tmp_path_factory, **options):
    sets = {name: [piece(i) for i in range(3)] for name in ("1", "main", "held-out")}
    run = train_run(RunConfig(config, **options), Corpus(sets), tmp_path_factory.mktemp("runs"))
    return run.weights()


def piece(index):
    states = scale_piece(58 + index, 96, index)
    return Piece(str(index), states, np.pad(states[..., 0], ((0, 0), (3, 7)))[::2])


@pytest.fixture
def machine(weights):
    return load_machine(weights["conditional-rbm"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """MIDI files in a folder and below it, in other keys than C major, one of them silent."""
    top = tmp_path_factory.mktemp("unmended")
    write_note_states(scale_piece(62, 64) | random_states(64, 1, 0.01), top / "1.mid", TEMPO)
    write_note_states(scale_piece(65, 20), top / "10.MIDI")
    write_note_states(scale_piece(59, 50), top / "below" / "and below" / "2.midi", 300_000)
    write_note_states(hand_states(40), top / "below" / "silent.mid")
    write_note_states(hand_states(1, (60, 0, 1)), top / "short.mid")
    (top / "notes.txt").write_text("not music")
    return top


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def music_of(folder):
    return {name: read_note_states(folder / name, "all") for name in names(folder)}


def tempos(path):
    return [m.tempo for track in mido.MidiFile(path).tracks for m in track if m.type == "set_tempo"]


def contents(folder):
    return {name: (folder / name).read_bytes() for name in names(folder)}


def test_weights_of_a_machine_come_with_what_keys_it_knows(weights, tmp_path_factory):
    config = MACHINES["conditional-rbm"]
    machine = load_machine(weights["conditional-rbm"])
    assert isinstance(machine.model, ConditionalRBM) and machine.model.config == config
    assert machine.normalise and not machine.model.training
    in_all_keys = trained(config, tmp_path_factory, normalise=False)
    assert not load_machine(in_all_keys).normalise


@pytest.mark.parametrize("name", [*NETWORKS, "rbm"])
def test_weights_of_another_model_are_refused_by_saying_what_mends(name, weights):
    with pytest.raises(InputError, match=r"weights-final.safetensors: .*conditional RBM"):
        load_machine(weights[name])


def test_weights_trained_on_music_played_backwards_are_refused(tmp_path_factory):
    backwards = trained(MACHINES["conditional-rbm"], tmp_path_factory, reverse=True)
    with pytest.raises(InputError, match="backwards"):
        load_machine(backwards)


def test_weights_that_are_none_are_refused_by_name(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"no weights")
    for name in ("weights.safetensors", "absent.safetensors"):
        with pytest.raises(InputError, match=name):
            load_machine(tmp_path / name)


def test_every_midi_file_is_mended_under_its_own_name(machine, folder, tmp_path):
    before = contents(folder)
    new = mend_folder(machine, folder, tmp_path / "mended")
    assert new == tmp_path / "mended"
    assert names(new) == names(folder) - {"notes.txt"}
    assert contents(folder) == before


def test_mended_files_are_the_pieces_mended_and_as_long(machine, folder, tmp_path):
    mended = music_of(mend_folder(machine, folder, tmp_path / "mended"))
    for name, states in mended.items():
        given = repaired(read_note_states(folder / name, "all"))
        np.testing.assert_array_equal(states, mend(given, partial(conditional, machine.model)))
    assert {len(states) for states in mended.values()} == {64, 20, 50, 40, 1}


def test_mending_changes_music_by_a_machine_that_was_trained(folder, weights, tmp_path):
    machine = load_machine(weights["conditional-rbm"])
    mended = music_of(mend_folder(machine, folder, tmp_path / "mended"))
    changed = [name for name in mended if (mended[name] != music_of_file(folder / name)).any()]
    assert "1.mid" in changed


def music_of_file(path):
    return read_note_states(path, "all")


def test_first_tempos_stay(machine, folder, tmp_path):
    new = mend_folder(machine, folder, tmp_path / "mended")
    assert tempos(new / "1.mid") == [TEMPO]
    assert tempos(new / "below" / "and below" / "2.midi") == [300_000]
    assert tempos(new / "10.MIDI") == [500_000]


def changing_tempo(path):
    """Two tempos and a metre of three beats in a file that music is read from to its end."""
    write_note_states(scale_piece(60, 32), path, 400_000)
    midi = mido.MidiFile(path)
    later = mido.MetaMessage("set_tempo", tempo=200_000, time=0)
    waltz = mido.MetaMessage("time_signature", numerator=3, denominator=4, time=0)
    midi.tracks[0][1:1] = [waltz]
    midi.tracks[0].insert(len(midi.tracks[0]) // 2, later)
    midi.save(path)


def test_the_first_of_several_tempos_stays_and_no_metre_ends_the_music(machine, tmp_path):
    (tmp_path / "waltzes").mkdir()
    changing_tempo(tmp_path / "waltzes" / "1.mid")
    new = mend_folder(machine, tmp_path / "waltzes", tmp_path / "mended")
    assert tempos(new / "1.mid") == [400_000]
    assert len(music_of_file(new / "1.mid")) == 32


def test_mending_twice_gives_the_same_bytes(machine, folder, tmp_path):
    once, twice = (mend_folder(machine, folder, tmp_path / name) for name in ("once", "twice"))
    assert contents(once) == contents(twice)


def test_a_folder_that_exists_is_refused_and_left_alone(machine, folder, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already: name a new folder"):
        mend_folder(machine, folder, tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


@pytest.mark.parametrize(
    ("name", "words"), [("empty", r"no MIDI file \(.mid, .midi\) in"), ("absent", "no folder")]
)
def test_a_folder_without_midi_files_is_refused(machine, name, words, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("not music")
    with pytest.raises(InputError, match=rf"{words} .*{name}"):
        mend_folder(machine, tmp_path / name, tmp_path / "mended")
    assert not (tmp_path / "mended").exists()


def with_a_broken_file(folder):
    folder.mkdir()
    write_note_states(scale_piece(62, 40), folder / "1.mid")
    (folder / "2.mid").write_bytes(b"<html>not music</html>")
    return folder


def test_a_broken_file_is_skipped_and_named_and_where_all_are_broken_nothing_is_written(
    machine, tmp_path, capsys
):
    broken, new = with_a_broken_file(tmp_path / "broken"), tmp_path / "mended"
    assert names(mend_folder(machine, broken, new)) == {"1.mid"}
    assert "2.mid: it does not begin as a MIDI file does" in capsys.readouterr().err
    (broken / "1.mid").unlink()
    with pytest.raises(InputError, match=r"none of 1 file can be read: .*2\.mid: it does not"):
        mend_folder(machine, broken, tmp_path / "again")
    assert {path.name for path in tmp_path.iterdir()} == {"broken", "mended"}


def run(*arguments):
    main([str(argument) for argument in arguments])


def test_the_command_mends_a_folder(weights, folder, tmp_path, capsys):
    name = "conditional-rbm"
    run("mend", weights[name], folder, tmp_path / "mended")
    assert capsys.readouterr().out == f"{tmp_path / 'mended'}\n"
    expected = mend_folder(load_machine(weights[name]), folder, tmp_path / "expected")
    assert contents(tmp_path / "mended") == contents(expected)


@pytest.mark.parametrize("network", NETWORKS)
def test_composed_pieces_may_be_mended_in_one_go(network, weights, tmp_path, capsys):
    name = "conditional-rbm"
    options = "--weights", weights[network], "--pieces", 2, "--bars", 2, "--seed", 3
    compose = "compose", *options, "--out"
    run(*compose, tmp_path / "unmended")
    run("mend", weights[name], tmp_path / "unmended", tmp_path / "expected")
    run(*compose, tmp_path / "mended", "--mend", weights[name])
    assert contents(tmp_path / "mended") == contents(tmp_path / "expected")
    assert names(tmp_path / "mended") == {"1.mid", "2.mid"}
    assert {p.name for p in tmp_path.iterdir()} == {"unmended", "expected", "mended"}


def refused(words, *arguments):
    """Ends in one sentence."""
    with pytest.raises(SystemExit, match=f"^musiclib: [^\n]*{words}[^\n]*$"):
        run(*arguments)


@pytest.mark.parametrize("name", MACHINES)
def test_weights_of_a_machine_do_not_compose(name, weights, tmp_path):
    command = "compose", "--weights", weights[name], "--out", tmp_path / "new"
    refused("weights of an RBM, which does not compose", *command)
    assert not (tmp_path / "new").exists()


def test_weights_of_a_network_do_not_mend(weights, folder, tmp_path):
    new, lstm = tmp_path / "new", weights["lstm"]
    refused("not weights of a conditional RBM", "mend", lstm, folder, new)
    refused(
        "not weights of a conditional RBM",
        "compose",
        "--weights",
        lstm,
        "--out",
        new,
        "--mend",
        lstm,
    )
    assert not new.exists()


def test_the_command_says_what_is_wrong_with_folders(weights, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    broken = with_a_broken_file(tmp_path / "broken")
    (broken / "1.mid").unlink()
    for words, given, new in (
        ("exists already", folder, tmp_path),
        ("no MIDI file", tmp_path / "empty", tmp_path / "new"),
        (r"2\.mid", broken, tmp_path / "new"),
    ):
        refused(words, "mend", weights["conditional-rbm"], given, new)
