"""Composing towards an ending: the last two bars are the given cadence, note for note."""

from itertools import pairwise

import mido
import numpy as np
import pytest
from strategies import random_states

from musiclib.base.errors import InputError
from musiclib.exploring.cadences import CADENCES, WRITTEN, key_of
from musiclib.exploring.given import ending_of, primer_of
from musiclib.exploring.wish import compose_wish
from musiclib.exploring.wishes import Wish
from musiclib.music.key_names import key_named
from musiclib.music.keys import estimate_key
from musiclib.music.note_states import read_note_states, write_note_states
from musiclib.music.notes import notes_of
from musiclib.music.transforms import shift

BACKWARDS = "biaxial-backwards"
HAND_WRITTEN = {  # MIDI pitches of the last chords, from the bass up
    "authentic": [48, 60, 64, 72],
    "plagal": [48, 64, 67, 72],
    "half": [55, 62, 67, 71],
    "deceptive": [57, 60, 64, 72],
    "minor": [45, 57, 60, 69],
    "picardy": [45, 57, 61, 69],
}


def last_notes(piece, path, steps):
    """The notes that a piece strikes in its last steps, when it is written and read back."""
    piece.write(path)
    read = read_note_states(path, "all")
    assert len(read) == piece.wish.steps
    np.testing.assert_array_equal(read, piece.states)
    notes = notes_of(read) - np.array([len(read) - steps, 0, 0])
    notes[:, 1] -= len(read) - steps
    return notes[notes[:, 0] >= 0]


def moved(notes, up):
    """Notes, so many semitones up."""
    return notes + np.array([0, 0, up])


@pytest.mark.parametrize("name", CADENCES)
def test_a_cadence_is_two_bars_of_four_voices_that_move_as_voices_should(name):
    states = CADENCES[name]
    assert states.shape == (32, 78, 2) and (states[..., 0].sum(axis=1) == 4).all()
    assert (np.flatnonzero(states[-1, :, 0]) + 24).tolist() == HAND_WRITTEN[name]
    chords = [np.flatnonzero(step) for step in states[..., 0]]
    for before, after in pairwise(chords):
        for low in range(4):
            for high in range(low + 1, 4):
                one, two = before[high] - before[low], after[high] - after[low]
                both = (before != after)[[low, high]].all()
                assert not (both and one % 12 == two % 12 and one % 12 in (0, 7))  # parallels


@pytest.mark.parametrize("name", WRITTEN)
def test_a_cadence_ends_in_the_key_that_it_says_or_on_its_dominant(name):
    key, bass = key_of(name), HAND_WRITTEN[name][0] % 12
    degree = {"half": 7, "deceptive": 9}.get(name, 0)
    assert (bass - key.tonic) % 12 == degree


@pytest.mark.parametrize("name", CADENCES)
@pytest.mark.parametrize(
    ("key", "seed"), [("", 1), ("D major", 2), ("F# minor", 3), ("Eb major", 4)]
)
def test_a_piece_ends_with_the_cadence_in_the_wished_key(name, key, seed, tmp_path):
    up = (key_named(key).tonic - key_of(name).tonic + 6) % 12 - 6 if key else 0
    piece = compose_wish(Wish(BACKWARDS, ending=name, key=key, bars=4, seed=seed))
    expected = moved(notes_of(CADENCES[name]), up)
    np.testing.assert_array_equal(last_notes(piece, tmp_path / "a.mid", 32), expected)
    assert piece.states[:-32].any()


@pytest.mark.parametrize(
    "how",
    [
        {"density": 6.0},
        {"temperature": 3.0},
        {"temperature": 0.05},
        {"conservativity": 0.2},
        {"mend": "conditional-rbm"},
        {"mend": "conditional-rbm", "density": 5.0, "key": "B minor"},
    ],
    ids=str,
)
def test_no_setting_touches_the_cadence(how, tmp_path):
    """A hot or dense network holds notes over the border: they are struck anew there."""
    for seed in range(3):
        piece = compose_wish(Wish(BACKWARDS, ending="plagal", bars=4, seed=seed, **how))
        up = 11 - 12 if "key" in how else 0
        expected = moved(notes_of(CADENCES["plagal"]), up)
        np.testing.assert_array_equal(last_notes(piece, tmp_path / "a.mid", 32), expected)


@pytest.mark.parametrize("bar", [16, 12, 24, 10])
@pytest.mark.parametrize("seed", range(3))
def test_the_last_two_bars_of_a_file_end_the_piece_in_its_own_key(bar, seed, tmp_path):
    """Whatever they are: random music has held notes at the border, and any key."""
    given = random_states(5 * bar, seed, 0.1, low=20, high=60)
    write_note_states(given, tmp_path / "given.mid", tempo=400_000)
    wish = Wish(BACKWARDS, ending=str(tmp_path / "given.mid"), bar=bar, bars=5, seed=seed)
    piece = compose_wish(wish)
    heard = read_note_states(tmp_path / "given.mid", "all")[-2 * bar :]
    np.testing.assert_array_equal(last_notes(piece, tmp_path / "a.mid", 2 * bar), notes_of(heard))
    assert piece.tempo == 400_000


def exported(path, signature, bars, note_off=480):
    """A file as sequencers export it: a metre, quarter notes that end at the line, 480 a beat."""
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("time_signature", numerator=signature, denominator=4))
    for pitch in range(60, 60 + signature * bars):
        track.append(
            mido.Message(
                "note_on", note=pitch, velocity=80, time=0 if pitch == 60 else 480 - note_off
            )
        )
        track.append(mido.Message("note_off", note=pitch, time=note_off))
    mido.MidiFile(type=0, ticks_per_beat=480, tracks=[track]).save(path)


@pytest.mark.parametrize("note_off", [480, 400])
@pytest.mark.parametrize(("signature", "bar"), [(4, 16), (3, 12)])
def test_bars_of_exported_files_are_counted_to_the_last_bar_line(
    signature, bar, note_off, tmp_path
):
    exported(tmp_path / "a.mid", signature, 3, note_off)
    given = ending_of(str(tmp_path / "a.mid"), bar)
    assert given.states.shape == (2 * bar, 78, 2)
    onsets, _, pitches = notes_of(given.states).T
    assert onsets.tolist() == list(range(0, 2 * bar, 4))
    assert (pitches + 24).tolist() == list(range(60 + signature, 60 + 3 * signature))
    first = primer_of(str(tmp_path / "a.mid"), bar)
    assert (notes_of(first.states)[:, 2] + 24).tolist() == list(range(60, 60 + signature))


def test_one_bar_is_an_ending_where_there_is_but_one(tmp_path):
    exported(tmp_path / "a.mid", 4, 1)
    assert len(ending_of(str(tmp_path / "a.mid"), 16).states) == 16


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"weights": "biaxial", "ending": "half"}, "biaxial-backwards"),
        ({"weights": "lstm", "ending": "half"}, "biaxial-backwards"),
        ({"ending": "amen"}, "authentic, plagal, half, deceptive, minor, picardy"),
        ({"ending": "half", "bar": 12}, "bars of 16 steps, not 12"),
        ({"ending": "half", "bars": 2}, "2 are given"),
        ({"primer": "some.mid"}, "trained on music played backwards"),
    ],
)
def test_what_cannot_end_so_is_refused(wish, words):
    with pytest.raises(InputError, match=words):
        compose_wish(Wish(**{"weights": BACKWARDS} | wish))


def test_a_primer_beside_an_ending_is_refused():
    with pytest.raises(InputError, match="leave out one"):
        Wish(BACKWARDS, ending="half", primer="corpus")


def test_a_file_of_silence_ends_nothing(tmp_path):
    write_note_states(np.zeros((40, 78, 2), np.uint8), tmp_path / "a.mid")
    for read in (ending_of, primer_of):
        with pytest.raises(InputError, match="no note"):
            read(str(tmp_path / "a.mid"), 16)


def test_a_piece_leaves_no_note_of_its_ending_out_of_range_but_moves_the_other_way(tmp_path):
    low = np.zeros((32, 78, 2), np.uint8)
    low[::4, [0, 4, 7]] = 1  # C major on the lowest pitch
    write_note_states(low, tmp_path / "a.mid")
    piece = compose_wish(Wish(BACKWARDS, ending=str(tmp_path / "a.mid"), key="A major", bars=3))
    np.testing.assert_array_equal(piece.states[-32:], shift(low, 9))
    assert estimate_key(piece.states[-32:]).tonic == 9


def test_voices_of_one_key_drums_and_releases_that_come_late_leave_an_ending_whole(tmp_path):
    """Two voices hold C4; a third strikes E4 at the tick at which a fourth lets go of it."""
    midi = mido.MidiFile(ticks_per_beat=480)
    for channel, notes in {
        0: [(0, 960, 60), (960, 3840, 62)],
        1: [(0, 3840, 60), (480, 960, 64)],
        2: [(0, 480, 64), (960, 3840, 55)],
        9: [(tick, tick + 120, 36) for tick in range(0, 3840, 240)],
    }.items():
        events = [(on, 1, pitch) for on, _, pitch in notes]
        events += [(off, 2, pitch) for _, off, pitch in notes]  # releases last, as some write them
        midi.tracks.append(track := mido.MidiTrack())
        now = 0
        for tick, kind, pitch in sorted(events):
            name = "note_on" if kind == 1 else "note_off"
            track.append(mido.Message(name, note=pitch, channel=channel, time=tick - now))
            now = tick
    midi.save(path := tmp_path / "voices.mid")
    ending = ending_of(str(path), 16)
    found = {(int(a), int(b), int(p) + 24) for a, b, p in notes_of(ending.states)}
    assert found == {*((0, 32, 60), (8, 32, 62), (0, 4, 64), (4, 8, 64), (8, 32, 55))}
