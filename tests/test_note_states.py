"""MIDI files: read by the published rule, written to read back, refused when malformed."""

import csv

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import hand_states, legal_states

from musiclib.base.errors import InputError
from musiclib.music.note_states import TEMPO, read_note_states, write_note_states
from musiclib.music.piano_roll import read_piano_roll

C4 = 60


def read_tick_by_tick(midi):
    """The published rule word for word: every tick, every track, every event due."""
    step = midi.ticks_per_beat // 4
    tracks = [with_ticks(track) for track in midi.tracks]
    end = max(tick for track in tracks for tick, _ in track)
    matrix = [np.zeros((78, 2), np.uint8)]
    for tick in range(end + 1):
        if tick >= step // 2 and (tick - step // 2) % step == 0:
            held = matrix[-1].copy()
            held[:, 1] = 0
            matrix.append(held)
        for track in tracks:
            while track and track[0][0] == tick:
                event = track.pop(0)[1]
                if event.type == "time_signature" and event.numerator not in (2, 4):
                    return np.array(matrix)
                if event.type in ("note_on", "note_off") and 24 <= event.note <= 101:
                    starts = event.type == "note_on" and event.velocity > 0
                    matrix[-1][event.note - 24] = (1, 1) if starts else (0, 0)
    return np.array(matrix)


def with_ticks(track):
    tick, events = 0, []
    for event in track:
        tick += event.time
        events.append((tick, event))
    return events


def saved(path, *tracks, resolution=480):
    tracks = [mido.MidiTrack(track) for track in tracks]
    mido.MidiFile(ticks_per_beat=resolution, tracks=tracks).save(path)
    return path


def on(tick, pitch=C4, velocity=64):
    return mido.Message("note_on", note=pitch, velocity=velocity, time=tick)


def off(tick, pitch=C4):
    return mido.Message("note_off", note=pitch, time=tick)


def metre(tick, numerator, denominator=4):
    signature = {"numerator": numerator, "denominator": denominator}
    return mido.MetaMessage("time_signature", **signature, time=tick)


@st.composite
def midi_files(draw):
    resolution = draw(st.sampled_from([4, 96, 220, 384, 480, 1024]))
    step = resolution // 4
    delta = st.one_of(
        st.sampled_from([0, 0, step // 2, step, max(step // 2 - 1, 0), 3 * step + 1]),
        st.integers(0, 2 * step),
    )
    pitch = st.one_of(st.sampled_from([C4, C4 + 1, 24, 101, 23, 102]), st.integers(0, 127))
    event = st.one_of(
        st.builds(on, delta, pitch, st.sampled_from([64, 1, 0])),
        st.builds(on, delta, pitch),
        st.builds(off, delta, pitch),
    )
    tracks = draw(st.lists(st.lists(event, max_size=12), min_size=1, max_size=4))
    for numerator in draw(st.lists(st.sampled_from([2, 4, 4, 3, 6]), max_size=2)):
        track = draw(st.sampled_from(tracks))
        track.insert(draw(st.integers(0, len(track))), metre(draw(delta), numerator))
    return resolution, tracks


@given(midi_files())
def test_a_tick_by_tick_reader_agrees(scratch, music):
    resolution, tracks = music
    path = saved(scratch / "random.mid", *tracks, resolution=resolution)
    expected = read_tick_by_tick(mido.MidiFile(path))
    np.testing.assert_array_equal(read_note_states(path), expected)


def test_an_event_counts_to_the_nearest_sixteenth(tmp_path):
    """480 ticks per beat: steps begin at ticks 60, 180, 300, ..."""
    path = saved(tmp_path / "a.mid", [on(59), off(121), on(120, C4 + 1), off(120, C4 + 1)])
    states = read_note_states(path)
    assert states.shape == (5, 78, 2) and states.dtype == np.uint8
    assert states[:, C4 - 24].tolist() == [[1, 1], [1, 0], [0, 0], [0, 0], [0, 0]]
    assert states[:, C4 - 23].tolist() == [[0, 0], [0, 0], [0, 0], [1, 1], [0, 0]]


def test_a_note_that_ends_in_the_step_it_began_leaves_nothing(tmp_path):
    assert not read_note_states(saved(tmp_path / "a.mid", [on(0), off(59)])).any()


def test_at_one_tick_the_later_track_has_the_last_word(tmp_path):
    first = saved(tmp_path / "a.mid", [on(0)], [off(0)])
    second = saved(tmp_path / "b.mid", [off(0)], [on(0)])
    assert not read_note_states(first).any()
    assert read_note_states(second)[0, C4 - 24].tolist() == [1, 1]


def test_reading_stops_at_the_first_metre_that_is_not_2_or_4(tmp_path):
    path = saved(
        tmp_path / "a.mid", [metre(0, 2), metre(480, 4), metre(480, 3)], [on(0), off(1920)]
    )
    np.testing.assert_array_equal(read_note_states(path), hand_states(9, (C4, 0, 9)))
    assert len(read_note_states(path, metre="all")) == 17


@given(legal_states())
@example(hand_states(1, (24, 0, 1), (101, 0, 1)))
@example(hand_states(1))
@example(hand_states(40, (C4, 0, 3)))
def test_what_is_written_reads_back(scratch, states):
    write_note_states(states, scratch / "states.mid")
    np.testing.assert_array_equal(read_note_states(scratch / "states.mid"), states)


def test_a_file_is_written_as_published(tmp_path):
    """Velocity 40, 220 ticks per beat, and a note is released before it is struck again."""
    states = hand_states(3, (C4, 0, 1), (C4, 1, 1))
    write_note_states(states, tmp_path / "a.mid")
    midi = mido.MidiFile(tmp_path / "a.mid")
    notes = [(tick, e) for tick, e in with_ticks(midi.tracks[0]) if e.type.startswith("note")]
    assert midi.ticks_per_beat == 220
    assert [(tick, e.type) for tick, e in notes] == [
        (0, "note_on"),
        (55, "note_off"),
        (55, "note_on"),
        (110, "note_off"),
    ]
    assert {e.velocity for _, e in notes if e.type == "note_on"} == {40}


HEADER = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01"
NOTE = b"\x00\x90\x3c\x40\x60\x80\x3c\x40\x00\xff\x2f\x00"
TRACK = b"MTrk\x00\x00\x00\x0c" + NOTE
HUGE = b"MTrk\x00\x00\x00\x0f" + NOTE[:4] + b"\xff\xff\xff\x7f" + NOTE[5:]
MALFORMED = {
    "empty": b"",
    "truncated": HEADER + b"\x01\xe0" + TRACK[:-6],
    "header only": HEADER[:9],
    "html": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "riff": b"RIFF\x2e\x00\x00\x00RMIDdata\x1a\x00\x00\x00" + HEADER + b"\x01\xe0" + TRACK,
    "smpte": HEADER + b"\xe7\x28" + TRACK,
    "no ticks per beat": HEADER + b"\x00\x00" + TRACK,
    "asks for gigabytes": HEADER + b"\x00\x04" + HUGE,
    "no track": HEADER[:-2] + b"\x00\x00\x01\xe0",
}


def test_the_bytes_that_are_malformed_below_are_good_otherwise(tmp_path):
    (tmp_path / "good.mid").write_bytes(HEADER + b"\x00\x60" + TRACK)
    np.testing.assert_array_equal(
        read_note_states(tmp_path / "good.mid"), hand_states(5, (C4, 0, 4))
    )


@pytest.mark.parametrize("read", [read_note_states, read_piano_roll])
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_file_is_refused_by_name(tmp_path, kind, read):
    path = tmp_path / "odd one.mid"
    path.write_bytes(MALFORMED[kind])
    with pytest.raises(InputError, match=r"odd one\.mid"):
        read(path)


@pytest.mark.shared
def test_real_pieces_have_the_published_number_of_steps_and_read_back(piano_midi, tmp_path):
    with (piano_midi / "manifest.csv").open(newline="", encoding="utf-8") as table:
        steps = {row["path"]: int(row["orig_steps"]) for row in csv.DictReader(table)}
    assert len(steps) == 337
    for name, expected in steps.items():
        states = read_note_states(piano_midi / name)
        assert len(states) == expected, name
        write_note_states(states, tmp_path / "copy.mid")
        np.testing.assert_array_equal(read_note_states(tmp_path / "copy.mid"), states, name)


@pytest.mark.shared
def test_a_tick_by_tick_reader_agrees_on_real_pieces(piano_midi):
    for path in sorted(piano_midi.glob("*/*.mid"))[::28]:
        expected = read_tick_by_tick(mido.MidiFile(path))
        np.testing.assert_array_equal(read_note_states(path), expected, path.name)


def test_notes_of_the_last_step_end_with_it_for_other_programs(tmp_path):
    states = hand_states(16, (60, 0, 4), (60, 4, 12), (64, 8, 8), (101, 15, 1))
    write_note_states(states, path := tmp_path / "a.mid")
    np.testing.assert_array_equal(read_note_states(path, "all"), states)
    [piano] = pretty_midi.PrettyMIDI(str(path)).instruments
    notes = sorted((n.pitch, n.start, n.end) for n in piano.notes)
    step = TEMPO / 4e6
    whole = [(60, 0, 4), (60, 4, 16), (64, 8, 16), (101, 15, 16)]
    np.testing.assert_allclose(notes, [(p, a * step, b * step) for p, a, b in whole])
