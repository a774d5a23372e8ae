"""Piano rolls by mido and pretty_midi: what the reader of this project is compared with."""

import warnings

import mido
import numpy as np
import pretty_midi

SECONDS = 0.3


def pretty_roll(path):
    """Which of the MIDI pitches 21 to 108 sound every 0.3 s, drums left out: (T, 88)."""
    midi = mido.MidiFile(path)
    end = max(sum(message.time for message in track) for track in midi.tracks)
    release_at_end(midi, end)
    parsed = parsed_by_pretty_midi(midi)
    roll = np.zeros((samples_before(parsed.tick_to_time(end)), 88), np.uint8)
    for note in [n for i in parsed.instruments if not i.is_drum for n in i.notes]:
        if 21 <= note.pitch <= 108:
            roll[samples_before(note.start) : samples_before(note.end), note.pitch - 21] = 1
    return roll


def parsed_by_pretty_midi(midi):
    """A file in memory, without the warning that tempos outside the first track are not read."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tempo, Key or Time", RuntimeWarning)
        return pretty_midi.PrettyMIDI(mido_object=midi)


def release_at_end(midi, end):
    """Add the note-offs that a file lacks: pretty_midi drops notes that never end."""
    for track in midi.tracks:
        sounding = {}
        for message in track:
            if message.type in ("note_on", "note_off"):
                struck = message.type == "note_on" and message.velocity > 0
                sounding[message.channel, message.note] = struck
        wait = end - sum(message.time for message in track)
        for channel, note in [key for key, struck in sounding.items() if struck]:
            track.append(mido.Message("note_off", channel=channel, note=note, time=wait))
            wait = 0


def samples_before(time):
    return int(np.ceil(time / SECONDS - 1e-6))
