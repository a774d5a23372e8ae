"""Events of MIDI files: as mido reads them, and nothing but an error for what is no MIDI."""

import os
import pickle
import struct

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import random_states
from test_note_states import HEADER, NOTE, TRACK, saved

from musiclib.music.midi_events import (
    MAX_BYTES,
    MAX_EVENTS,
    METRE_CHANGE,
    OFF,
    ON,
    TEMPO_CHANGE,
    MidiError,
    events_of,
    naming,
    parse,
    read_midi,
)
from musiclib.music.note_states import MAX_STEPS, note_states, write_note_states
from musiclib.music.piano_roll import piano_roll

ORGAN = [
    mido.MetaMessage("track_name", name="organ", time=0),
    mido.Message("program_change", program=19, channel=3, time=1),
    mido.Message("sysex", data=(1, 2, 3), time=0),
    mido.MetaMessage("set_tempo", tempo=612_345, time=10),
    mido.MetaMessage("time_signature", numerator=7, denominator=8, time=0),
    mido.Message("pitchwheel", pitch=-5, channel=3, time=2),
    mido.Message("note_on", note=60, velocity=64, channel=3, time=200),
    mido.Message("aftertouch", value=9, channel=3, time=3),
    mido.Message("note_on", note=61, velocity=1, channel=3, time=0),
    mido.Message("note_on", note=60, velocity=0, channel=3, time=20_000),
    mido.Message("control_change", control=64, value=127, channel=3, time=0),
    mido.Message("note_off", note=61, velocity=64, channel=3, time=0),
]


def by_mido(path):
    """The same events, one message after another."""
    rows, end = [], 0
    for number, track in enumerate(mido.MidiFile(path).tracks):
        tick = 0
        for m in track:
            tick += m.time
            if m.type in ("note_on", "note_off"):
                kind = ON if m.type == "note_on" and m.velocity > 0 else OFF
                rows.append((tick, kind, m.note, number * 16 + m.channel))
            elif m.type == "set_tempo":
                rows.append((tick, TEMPO_CHANGE, m.tempo, number))
            elif m.type == "time_signature":
                power = m.denominator.bit_length() - 1
                rows.append((tick, METRE_CHANGE, m.numerator, power))
        end = max(end, tick)
    return sorted(rows, key=lambda row: row[0]), end


def assert_as_by_mido(path):
    midi, (rows, end) = read_midi(path), by_mido(path)
    assert midi.end == end and len(midi.events) == len(rows)
    assert list(map(tuple, midi.events.tolist())) == rows


def test_events_are_those_of_mido_in_the_order_they_apply(tmp_path):
    path = saved(tmp_path / "a.mid", ORGAN, ORGAN[3:], ORGAN[::-1])
    assert_as_by_mido(path)
    in_memory, on_disk = events_of(mido.MidiFile(path)), read_midi(path)
    np.testing.assert_array_equal(in_memory.events, on_disk.events)


@pytest.mark.shared
def test_events_of_real_pieces_are_those_of_mido(piano_midi):
    for path in sorted(piano_midi.glob("*/*.mid"))[::28]:
        assert_as_by_mido(path)


def one_track(*parts, claims=None):
    body = b"".join(parts)
    size = len(body) if claims is None else claims
    return HEADER + b"\x01\xe0MTrk" + struct.pack(">I", size) + body


def test_a_status_runs_on_over_messages_about_the_music():
    rows = parse(one_track(b"\x00\x91\x3c\x40", b"\x05\xff\x01\x01A", b"\x06\x3d\x40")).events
    assert rows.tolist() == [[0, ON, 0x3C, 1], [11, ON, 0x3D, 1]]


MALFORMED = {
    "a length that lies": (one_track(NOTE, claims=500), "cut off"),
    "cut off in a number": (one_track(NOTE[:-4], b"\x81"), "cut off"),
    "a number without end": (one_track(b"\xff" * 9 + NOTE), "cut off|malformed"),
    "a message longer than its track": (one_track(b"\x00\xf0\x7f", NOTE), "cut off"),
    "no status": (one_track(b"\x00\x3c\x40"), "malformed"),
    "an undefined status": (one_track(b"\x00\xf4", NOTE), "malformed"),
    "a data byte over 127": (one_track(b"\x00\x90\xbc\x40", NOTE), "malformed"),
    "65,535 tracks": (HEADER[:-2] + b"\xff\xff\x01\xe0" + TRACK, "track 2 of 65535 is missing"),
    "too many events": (one_track(b"\x00\x90\x3c\x40", b"\x00\x3c\x40" * MAX_EVENTS), "more than"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_one_sentence_with_file_reason_and_remedy(tmp_path, name):
    content, reason = MALFORMED[name]
    (tmp_path / "odd.mid").write_bytes(content)
    with pytest.raises(MidiError, match=reason) as caught:
        read_midi(tmp_path / "odd.mid")
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.file.endswith("odd.mid") and error.reason and error.remedy
    assert str(error) == f"{error.file}: {error.reason}; {error.remedy}" == str(caught.value)


def test_what_is_no_regular_file_or_too_large_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    with (tmp_path / "large.mid").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (tmp_path / "ring.mid").symlink_to(tmp_path / "ring.mid")
    reasons = {"pipe.mid": "no regular file", "large.mid": "bytes", ".": "regular"}
    for name, reason in (reasons | {"ring.mid": "cannot be opened"}).items():
        with pytest.raises(MidiError, match=reason):
            read_midi(tmp_path / name)


def test_an_error_is_named_once_by_who_reads():
    with pytest.raises(MidiError, match=r"^a\.mid: odd; throw it away$"), naming("a.mid"):
        raise MidiError("odd", "b.mid", "throw it away")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A piece as bytes, and one of several tracks and kinds of events."""
    folder = tmp_path_factory.mktemp("good")
    write_note_states(random_states(64, 0, 0.1), folder / "a.mid")
    saved(folder / "b.mid", ORGAN, ORGAN[3:], ORGAN)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@settings(max_examples=500)
@given(st.integers(0, 2**32), st.sampled_from(["flip", "cut", "insert"]), st.integers(1, 8))
def test_whatever_becomes_of_a_file_it_is_read_within_limits_or_refused(good, seed, how, times):
    rng = np.random.default_rng(seed)
    content = bytearray(good[seed % 2])
    for _ in range(times):
        at = int(rng.integers(len(content)))
        if how == "flip":
            content[at] ^= 1 << int(rng.integers(8))
        elif how == "cut":
            del content[at : at + int(rng.integers(1, 9))]
        else:
            content[at:at] = rng.bytes(int(rng.integers(1, 9)))
    try:
        midi = parse(bytes(content))
        states, roll = note_states(midi, "all"), piano_roll(midi)
    except MidiError as error:
        assert error.reason
    else:
        assert states.shape[1:] == (78, 2) and 1 <= len(states) <= MAX_STEPS
        assert roll.shape[1:] == (88,) and len(roll) <= MAX_STEPS
        assert states.max() <= 1 and (states[..., 1] <= states[..., 0]).all()
