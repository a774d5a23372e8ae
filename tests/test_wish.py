"""Composing as wished: with the shipped weights, as people do."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from strategies import scale_piece

from musiclib.base.errors import InputError
from musiclib.exploring import shipped
from musiclib.exploring.cadences import CADENCES
from musiclib.exploring.wish import compose_folder, compose_pieces, compose_wish
from musiclib.exploring.wishes import Wish
from musiclib.mending.folders import load_machine
from musiclib.models import describe, note_loop
from musiclib.models.checkpoints import load_weights, save_weights
from musiclib.models.fast_steps import compile_steps
from musiclib.music.key_names import TONICS, key_named, name_of
from musiclib.music.keys import Key, estimate_key
from musiclib.music.note_states import TEMPO, read_note_states, write_note_states
from musiclib.music.piano_roll import WRITTEN_TEMPO
from musiclib.music.transforms import legal, shift

NETWORKS = ("biaxial", "lstm", "biaxial-backwards")


def sounding(states):
    return states[..., 0].sum() / len(states)


@pytest.mark.parametrize("weights", NETWORKS)
def test_what_is_written_reads_back_as_what_is_heard_the_same_each_time(weights, tmp_path):
    piece, again = (compose_wish(Wish(weights, seed=1, bars=4)) for _ in range(2))
    assert piece.states.shape == (64, 78, 2) and piece.states.dtype == np.uint8
    assert piece.states.any()
    np.testing.assert_array_equal(piece.states, again.states)
    assert (piece.states != compose_wish(Wish(weights, seed=2, bars=4)).states).any()
    piece.write(tmp_path / "a.mid")
    np.testing.assert_array_equal(read_note_states(tmp_path / "a.mid", "all"), piece.states)
    assert piece.tempo == (WRITTEN_TEMPO if weights == "lstm" else TEMPO)
    assert piece.title == f"{weights}, seed 1, 4 bars"
    assert piece.key == name_of(estimate_key(piece.states))


def test_a_path_and_a_name_mean_the_same_weights_and_a_folders_first_piece_is_the_one(tmp_path):
    wish = Wish("lstm", seed=4, bars=2)
    by_path = compose_wish(replace(wish, weights=str(shipped.weights_of("lstm"))))
    assert by_path.title == "lstm, seed 4, 2 bars"
    by_path.write(tmp_path / "one.mid")
    folder = compose_folder(wish, tmp_path / "folder", 3)
    pieces = [(folder / f"{n}.mid").read_bytes() for n in (1, 2, 3)]
    assert pieces[0] == (tmp_path / "one.mid").read_bytes()
    assert len(set(pieces)) == 3
    with pytest.raises(InputError, match="exists already"):
        compose_folder(wish, folder, 1)


@pytest.mark.parametrize("weights", ["biaxial", "lstm"])
def test_a_wished_density_is_reached(weights):
    for density in (2.0, 4.0, 6.0):
        piece = compose_wish(Wish(weights, bars=16, seed=3, density=density))
        assert sounding(piece.states) == pytest.approx(density, rel=0.3)


def test_a_steered_piece_does_not_depend_on_those_beside_it():
    wish = Wish(bars=2, density=5.0)
    together = compose_pieces(wish, 3)
    np.testing.assert_array_equal(compose_wish(wish).states, together[0].states)
    assert (together[1].states != together[0].states).any()


@pytest.mark.parametrize("key", ["D major", "F# minor", "Bb major", "E minor"])
def test_a_wished_key_moves_the_tonic_by_the_shorter_way(key):
    wish = Wish(bars=4, seed=2)
    plain, moved = compose_wish(wish), compose_wish(replace(wish, key=key))
    tonic = key_named(key).tonic
    up = (tonic - estimate_key(plain.states).tonic + 6) % 12 - 6
    np.testing.assert_array_equal(moved.states, legal(shift(plain.states, up)))
    assert key_named(moved.key).tonic == tonic


@pytest.fixture
def song(tmp_path):
    """Four bars in E major, in a tempo of its own."""
    states = np.concatenate([scale_piece(64, 32, seed) for seed in range(2)])
    write_note_states(states, tmp_path / "song.mid", tempo=400_000)
    return tmp_path / "song.mid"


@pytest.mark.parametrize("weights", ["biaxial", "lstm"])
@pytest.mark.parametrize("key", ["", "G major"])
def test_a_piece_begins_with_the_first_bar_of_a_file_in_its_key_or_the_wished_one(
    weights, key, song
):
    given = read_note_states(song)
    piece = compose_wish(Wish(weights, primer=str(song), key=key, bars=3, mend="conditional-rbm"))
    own = estimate_key(given)
    up = (key_named(key).tonic - own.tonic + 6) % 12 - 6 if key else 0
    np.testing.assert_array_equal(piece.states[:16], shift(given[:16], up))
    assert piece.states[16:].any()
    assert piece.tempo == (WRITTEN_TEMPO if weights == "lstm" else 400_000)


def test_what_a_file_begins_is_heard_in_c_major(song, tmp_path):
    """A file a tone higher begins the same piece, a tone higher."""
    write_note_states(shift(read_note_states(song), 2), tmp_path / "up.mid", tempo=400_000)
    low, high = (compose_wish(Wish(primer=str(p), bars=4)) for p in (song, tmp_path / "up.mid"))
    inside = slice(12, 60)  # as far as neither leaves the pitches that there are
    np.testing.assert_array_equal(shift(low.states, 2)[:, inside], high.states[:, inside])


def test_bars_before_the_first_note_are_left_out(song, tmp_path):
    late = np.concatenate([np.zeros((32, 78, 2), np.uint8), read_note_states(song)])
    write_note_states(late, tmp_path / "late.mid", tempo=400_000)
    pieces = [compose_wish(Wish(primer=str(p), bars=2)) for p in (song, tmp_path / "late.mid")]
    np.testing.assert_array_equal(pieces[0].states[:16], pieces[1].states[:16])


def test_a_beginning_is_drawn_from_the_chorales():
    firsts = [compose_wish(Wish(primer="corpus", bars=1, seed=s)).states[0] for s in range(3)]
    assert all(first[:, 0].sum() >= 3 for first in firsts)
    assert len({first.tobytes() for first in firsts}) > 1


def test_mending_is_what_the_machine_makes_of_the_piece_but_for_what_was_given(tmp_path):
    machine, run = load_weights(shipped.weights_of("conditional-rbm"))
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in machine.parameters():  # one that changes much
            parameter.add_(torch.randn_like(parameter))
    path = tmp_path / "machine.safetensors"
    save_weights(machine, path, run | {"model": describe(machine.config)})
    wish = Wish(bars=4, density=4.0)
    plain, mended = (compose_wish(replace(wish, mend=m)).states for m in ("", str(path)))
    np.testing.assert_array_equal(mended, load_machine(path).mended(plain))
    assert (plain != mended).any()
    wish = Wish("biaxial-backwards", ending="plagal", bars=4, mend=str(path))
    np.testing.assert_array_equal(compose_wish(wish).states[-32:], CADENCES["plagal"])


def test_progress_is_told_to_whoever_asks():
    told = []
    compose_wish(Wish("lstm", bars=2), progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 16) for done in range(1, 17)]


@pytest.mark.processor
def test_all_that_composing_compiles_is_compiled_beforehand():
    compile_steps()
    known = len(note_loop._walk.signatures)
    compose_wish(Wish(bars=1))
    assert len(note_loop._walk.signatures) == known > 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bars": 0}, "bars 0: give a whole number from 1 up"),
        ({"bars": 2.5}, "bars 2.5"),
        ({"bars": 10**7}, "12,500 are the most"),
        ({"bar": -1}, "bar -1"),
        ({"seed": -1}, "seed -1"),
        ({"temperature": float("nan")}, "temperature nan"),
        ({"temperature": 0}, "temperature 0"),
        ({"temperature": float("inf")}, "temperature inf"),
        ({"density": -2.0}, "density -2"),
        ({"conservativity": "papr"}, "conservativity papr: give paper, off or a number"),
        ({"conservativity": -0.5}, "conservativity -0.5"),
        ({"key": "H major"}, "key 'H major'.*\"D major\""),
        ({"key": "D"}, "key 'D'"),
    ],
)
def test_what_cannot_be_wished_is_refused_with_the_value(wrong, words):
    with pytest.raises(InputError, match=words):
        Wish(**wrong)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"primer": "absent.mid"}, "absent.mid: no such file"),
        ({"weights": "absent"}, "absent: no file of weights"),
        ({"weights": "conditional-rbm"}, "does not compose"),
        ({"mend": "biaxial"}, "not weights of a conditional RBM"),
        ({"weights": "lstm", "bar": 12}, "hears no bars"),
    ],
)
def test_what_is_not_there_is_refused_by_name(wrong, words):
    with pytest.raises(InputError, match=words):
        compose_wish(Wish(**wrong))


def test_names_of_keys_are_read_as_they_are_written():
    for mode, tonics in TONICS.items():
        for tonic in range(12):
            key = Key(tonic, mode, 1.0)
            assert key_named(name_of(key))[:2] == (tonic, mode)
            assert tonics.count(name_of(key).split()[0]) == 1
    assert key_named("cb  Major")[:2] == (11, "major")
    assert key_named("E# minor")[:2] == (5, "minor")
    assert name_of(estimate_key(np.zeros((16, 78, 2), np.uint8))) == ""
