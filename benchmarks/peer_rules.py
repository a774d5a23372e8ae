"""What other libraries have read, put through our rules one by one: what a difference is due to.

Notes are int64 (n, 4): onset and end in ticks, MIDI pitch, place (16 times the track).
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from musiclib.music.midi_events import KIND, OFF, ON, PLACE, TEMPO_CHANGE, TICK, VALUE, Midi
from musiclib.music.note_states import (
    ARTICULATE,
    LOWEST_PITCH,
    NOTES,
    PLAY,
    STEPS_PER_BEAT,
    note_states,
)
from musiclib.music.piano_roll import piano_roll

PITCHES = slice(LOWEST_PITCH, LOWEST_PITCH + NOTES)
AS_IT_COMES = "as it comes"
OF_OURS = "of our note states"
WITHIN = "a note within one step is left out"
IN_ORDER = "a release ends what any track holds on its key"
UNPAIRED = "a release that ends no note of its track counts"
BY_TRACK = "at one tick a later track's release follows a strike"

NOTHING = np.zeros((0, 4), np.int64)

Bits = tuple[np.ndarray, np.ndarray]  # play and articulate, both (T, 78)
Ladder = dict[str, np.ndarray]  # what is left of the differences once this, too, is as ours


def notes_table(rows: Iterable[tuple[int, int, int, int]]) -> np.ndarray:
    """Notes as a table, int64 (n, 4)."""
    return np.array(list(rows), np.int64).reshape(-1, 4)


def painted(rows: np.ndarray, steps: int = 0) -> Bits:
    """Play and articulate of notes given in steps: each sounds from its onset to its end."""
    shape = (max(steps, int(rows[:, :2].max(initial=0)) + 1), 128)
    play, struck = np.zeros(shape, bool), np.zeros(shape, bool)
    for onset, end, pitch, _ in rows:
        play[onset:end, pitch] = True
    struck[rows[:, 0], rows[:, 2]] = True
    return play[:, PITCHES], struck[:, PITCHES]


def states_ladder(notes: np.ndarray, midi: Midi, on_our_grid: str) -> dict[str, Bits]:
    """Notes on our grid, which may be named, and by one after the other of our rules."""
    size = midi.ticks_per_beat // STEPS_PER_BEAT
    steps = notes.copy()
    steps[:, :2] = (notes[:, :2] + size - size // 2) // size
    return {
        on_our_grid: painted(steps),
        WITHIN: painted(steps[steps[:, 0] < steps[:, 1]]),
        IN_ORDER: _read(notes, midi, by_track=False),
        BY_TRACK: _read(notes, midi, by_track=True),
        UNPAIRED: _read(notes, midi, by_track=True, more=unpaired(notes, midi)),
    }


def unpaired(notes: np.ndarray, midi: Midi) -> np.ndarray:
    """The releases of a file that end none of the notes, as events before all others of a tick."""
    releases = midi.events[midi.events[:, KIND] == OFF][:, [TICK, VALUE]]
    left = Counter(map(tuple, releases.tolist())) - Counter(map(tuple, notes[:, 1:3].tolist()))
    return notes_table((tick, OFF, pitch, 0) for tick, pitch in left.elements())


def _read(notes: np.ndarray, midi: Midi, by_track: bool, more: np.ndarray = NOTHING) -> Bits:
    places = notes[:, 3] if by_track else np.zeros(len(notes), np.int64)
    events = np.concatenate([more, _events(notes, places)])
    events = events[np.argsort(events[:, TICK], kind="stable")]
    states = note_states(midi._replace(events=events), "all")
    return states[..., PLAY], states[..., ARTICULATE]


def _events(notes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Strikes and releases by tick, then place; at one place releases come first."""
    onset, end, pitch, _ = notes.T
    off = np.stack([end, np.full_like(end, OFF), pitch, places], axis=1)
    on = np.stack([onset, np.full_like(onset, ON), pitch, places], axis=1)
    events = np.concatenate([off, on])
    return events[np.lexsort([events[:, KIND], events[:, PLACE], events[:, TICK]])]


def roll_of(notes: np.ndarray, tempos: np.ndarray, midi: Midi) -> np.ndarray:
    """Our piano roll (T, 88) of another library's notes and tempos (tick, microseconds)."""
    changes = np.zeros((len(tempos), 4), np.int64)
    changes[:, 0], changes[:, 1], changes[:, 2] = tempos[:, 0], TEMPO_CHANGE, tempos[:, 1]
    events = np.concatenate([changes, _events(notes, notes[:, 3])])
    return piano_roll(midi._replace(events=events[np.argsort(events[:, 0], kind="stable")]))
