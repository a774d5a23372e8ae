"""Notes of MIDI files in seconds, as pretty_midi has them and by hand."""

import mido
import numpy as np
import pytest
from pretty_rolls import parsed_by_pretty_midi

from musiclib.music.midi_events import events_of, read_midi
from musiclib.music.seconds import notes_in_seconds


def on(delta, note, velocity=64):
    return mido.Message("note_on", note=note, velocity=velocity, time=delta)


def notes_by_hand(*messages):
    """(onset, end, pitch) in ticks of a file of one track, 500 to the half second."""
    midi = mido.MidiFile(ticks_per_beat=500, tracks=[mido.MidiTrack(messages)])
    times, pitches, _ = notes_in_seconds(events_of(midi))
    ticks = np.rint(times * 1000).astype(int)
    return sorted((*pair, pitch) for pair, pitch in zip(ticks.tolist(), pitches, strict=True))


def test_a_strike_ends_what_sounded_and_the_file_what_is_left():
    found = notes_by_hand(on(10, 60), on(20, 60), on(5, 60, 0), on(5, 62), on(10, 64, 0))
    assert found == [(10, 30, 60), (30, 35, 60), (40, 50, 62)]


def test_a_release_at_the_tick_of_a_new_strike_ends_the_old_note():
    assert notes_by_hand(on(0, 60), on(9, 60), on(0, 60, 0), on(5, 60, 0)) == [
        (0, 9, 60),
        (9, 14, 60),
    ]
    assert notes_by_hand(on(0, 60), on(9, 60, 0), on(0, 60), on(5, 60, 0)) == [
        (0, 9, 60),
        (9, 14, 60),
    ]


def test_a_note_without_length_is_none():
    assert notes_by_hand(on(3, 60), on(0, 60, 0), on(9, 61, 0)) == []


def test_pretty_midi_has_the_same_notes_of_real_pieces(piano_midi):
    for path in sorted(piano_midi.rglob("*.mid"))[::40]:
        times, pitches, _ = notes_in_seconds(read_midi(path))
        parsed = parsed_by_pretty_midi(mido.MidiFile(path))
        found = sorted(
            (note.start, note.pitch)
            for instrument in parsed.instruments
            if not instrument.is_drum
            for note in instrument.notes
        )
        ours = sorted(zip(times[:, 0].tolist(), pitches.tolist(), strict=True))
        assert len(ours) == pytest.approx(len(found), rel=0.01)
        if len(ours) == len(found):
            np.testing.assert_allclose(ours, found, atol=1e-6)
