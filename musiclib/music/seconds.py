"""MIDI files in seconds, off the grid of steps too: what is heard when, tempo changes and all."""

import numpy as np

from musiclib.music.midi_events import KIND, ON, PLACE, TEMPO_CHANGE, TICK, VALUE, Midi
from musiclib.music.note_states import TEMPO

DRUMS = 9  # their channel


def tempo_changes(midi: Midi) -> np.ndarray:
    """The rows of a file's events that are tempo changes of its first track, int64 (n, 4)."""
    events = midi.events
    return events[(events[:, KIND] == TEMPO_CHANGE) & (events[:, PLACE] == 0)]


def note_events(midi: Midi) -> np.ndarray:
    """The rows of a file's events that strike or release a note, drums left out, int64 (n, 4)."""
    events = midi.events
    return events[(events[:, KIND] <= ON) & (events[:, PLACE] & 15 != DRUMS)]


def seconds_at(ticks: np.ndarray, changes: np.ndarray, ticks_per_beat: int) -> np.ndarray:
    """When ticks are, float64: at 120 beats per minute until the first of the tempo `changes`."""
    tempos = np.concatenate([[TEMPO], changes[:, VALUE]])
    starts = np.concatenate([[0], changes[:, TICK]])
    per_tick = tempos / 1e6 / ticks_per_beat
    began = np.concatenate([[0], np.cumsum(np.diff(starts) * per_tick[:-1])])
    part = np.searchsorted(starts, ticks, side="right") - 1
    return began[part] + (ticks - starts[part]) * per_tick[part]


def notes_in_seconds(midi: Midi) -> tuple[np.ndarray, np.ndarray, float]:
    """A file's notes in order of their ends, and how many seconds the file lasts.

    Returns onsets and ends in seconds, float64 (n, 2), and MIDI pitches, int64 (n,). A release or
    a new strike of its key ends a note, and the file what is left. Notes without length are none.
    """
    rows = np.array(_pairs(midi), np.int64).reshape(-1, 3)
    changes = tempo_changes(midi)
    times = seconds_at(rows[:, :2], changes, midi.ticks_per_beat)
    end = seconds_at(np.array([midi.end]), changes, midi.ticks_per_beat)
    return times, rows[:, 2], float(end[0])


def _pairs(midi: Midi) -> list[tuple[int, int, int]]:
    """(tick of the onset, tick of the end, MIDI pitch) of each note."""
    pairs, begun, anew = [], {}, {}
    for tick, kind, pitch, place in note_events(midi).tolist():
        key = place, pitch
        first = begun.get(key, tick)
        if first < tick:
            pairs.append((begun.pop(key), tick, pitch))
        if kind == ON:
            begun[key] = tick
            if first < tick:
                anew[key] = tick  # the release of what this ended may follow at the same tick
        elif anew.get(key) != tick:
            begun.pop(key, None)
    pairs += [(first, midi.end, key[1]) for key, first in begun.items() if first < midi.end]
    return pairs
