"""pretty_midi: notes in seconds, a piano roll of any number of columns per second, a histogram."""

import warnings

import numpy as np
import pretty_midi
from peer_rules import AS_IT_COMES, OF_OURS, Ladder, notes_table, roll_of

from musiclib.music.midi_events import Midi
from musiclib.music.note_states import LOWEST_PITCH
from musiclib.music.notes import notes_of
from musiclib.music.piano_roll import KEYS, LOWEST_KEY, SECONDS

Read = pretty_midi.PrettyMIDI
FINE = 100  # columns per second


def read(path: str) -> Read:
    """A file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tempo, Key or Time", RuntimeWarning)
        return pretty_midi.PrettyMIDI(path)


def notes(midi: Read) -> np.ndarray:
    """Its notes, drums left out."""
    tick, tracks = midi.time_to_tick, enumerate(midi.instruments)
    return notes_table(
        (tick(n.start), tick(n.end), n.pitch, 16 * i) for i, t in tracks for n in t.notes
    )


def rolls(read_midi: Read, midi: Midi) -> Ladder:
    """Its rolls, made more and more like ours."""
    coarse, fine = 1 / SECONDS, round(FINE * SECONDS)
    times, tempos = read_midi.get_tempo_changes()
    ticks = [read_midi.time_to_tick(time) for time in times]
    changes = np.stack([ticks, np.round(6e7 / tempos)], axis=1).astype(np.int64)
    return {
        AS_IT_COMES: keys(read_midi.get_piano_roll(coarse)),
        "the sustain pedal holds nothing": keys(read_midi.get_piano_roll(coarse, None, None)),
        "times are rounded down to 0.01 s, not to 0.3 s": keys(
            read_midi.get_piano_roll(FINE, None, None)[:, ::fine]
        ),
        "a key sounds from the sample at or after its onset": roll_of(
            notes(read_midi), changes, midi
        ),
    }


def keys(roll: np.ndarray) -> np.ndarray:
    """Which of our keys sound: (T, 88) from (128, T)."""
    return roll[LOWEST_KEY : LOWEST_KEY + KEYS].T > 0


def metrics(midi: Read, path: str, ours: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """How long each pitch class sounds, in seconds and in the steps of our note states."""
    in_steps = pretty_midi.PrettyMIDI()
    in_steps.instruments = [pretty_midi.Instrument(0)]
    in_steps.instruments[0].notes = [
        pretty_midi.Note(64, pitch + LOWEST_PITCH, float(onset), float(end))
        for onset, end, pitch in notes_of(ours)
    ]
    return {
        name: {"pitch-class histogram": music.get_pitch_class_histogram(use_duration=True)}
        for name, music in ((AS_IT_COMES, midi), (OF_OURS, in_steps))
    }


TIMED = {"events": read, "piano roll": lambda path: read(path).get_piano_roll(1 / SECONDS)}
