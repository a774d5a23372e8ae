"""What a piece is given to begin or to end with: a file's first bar, a cadence of two bars."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.files import expanded
from musiclib.exploring.cadences import CADENCES, STEPS, key_of
from musiclib.exploring.taken import Span, lost, taken
from musiclib.music.bar_grid import bar_starts, positions
from musiclib.music.keys import Key, estimate_key
from musiclib.music.left_out import why
from musiclib.music.midi_events import KIND, ON, TICK, Midi, naming, read_midi
from musiclib.music.note_states import PLAY, TEMPO, first_tempo, note_states
from musiclib.music.seconds import note_events
from musiclib.music.transforms import legal, shift

BARS_OF_ENDING = 2
TEMPOS = (200_000, 3_000_000)  # microseconds per beat, 300 to 20 beats a minute


class Given(NamedTuple):
    """Legal note states (k, 78, 2) in their own key; whether they end a piece, or begin it.

    `told` says what of a file they are, and what is left out of it.
    """

    states: np.ndarray
    key: Key
    ends: bool
    tempo: int = TEMPO
    told: str = ""

    def placed(self, music: np.ndarray, interval: int) -> np.ndarray:
        """Music (T, 78, 2) with what is given, moved up, in its place: note for note at the end.

        What the network holds over the border to an ending is struck anew there.
        """
        given, steps = shift(self.states, interval), len(self.states)
        if self.ends:
            return np.concatenate([legal(music[:-steps]), given])
        return legal(np.concatenate([given, music[steps:]]))


def ending_of(name: str, bar: int) -> Given:
    """A cadence by name, or the last two bars of a MIDI file, in bars of `bar` steps.

    Raises InputError for a name that is neither, for other bars than the cadence's, for silence.
    """
    if name not in CADENCES:
        return _of_file(name, bar, ends=True)
    if bar * BARS_OF_ENDING != STEPS:
        raise InputError(
            f"the {name} cadence has bars of {STEPS // 2} steps, not {bar}: give a MIDI file to"
            " end with, whose last two bars are taken"
        )
    return Given(CADENCES[name], key_of(name), ends=True)


def primer_of(path: str, bar: int) -> Given:
    """The first bar with a note, of `bar` steps, of a MIDI file; raises InputError for none."""
    return _of_file(path, bar, ends=False)


def _of_file(name: str, bar: int, *, ends: bool) -> Given:
    path = expanded(name)
    if not _is_there(path):
        ways = f"one of {', '.join(CADENCES)}" if ends else "none, corpus"
        raise InputError(f"{name}: no such file; give {ways}, or a MIDI file")
    with naming(path):
        midi = as_one_piano(whole := read_midi(path))
        states = legal(note_states(midi, "all"))
    span = _last_bars(midi, states, bar) if ends else _first_bar(states, bar)
    if not (cut := _filled(states, span)).any():
        to = f"no note from pitch 24 to 101 to {'end' if ends else 'begin'} with"
        raise InputError(f"{name}: {to}{lost(whole, ', ')}; give another file")
    tempo = min(max(first_tempo(midi), TEMPOS[0]), TEMPOS[1])
    told = taken(path.name, whole, span, bar, ends=ends)
    return Given(legal(cut), estimate_key(states), ends, tempo, told)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a folder on the way is closed, or the name is too long
        raise InputError(why(path, error)) from error


def as_one_piano(midi: Midi) -> Midi:
    """The file as one piano plays it, whose keys know no voices: drums are left out.

    At a tick releases come before strikes, and a key that several voices hold goes on sounding
    until the last of them lets go.
    """
    others = midi.events[midi.events[:, KIND] > ON]
    notes = note_events(midi)
    notes = notes[np.lexsort((notes[:, KIND], notes[:, TICK]))]
    events = np.concatenate([others, notes[_heard(notes.tolist())]])
    return midi._replace(events=events[np.argsort(events[:, TICK], kind="stable")])


def _heard(notes: list[list[int]]) -> list[bool]:
    """Which events a key follows: all strikes, and releases that leave no voice holding it."""
    holding: dict[int, set[int]] = {}
    heard = []
    for _, kind, pitch, voice in notes:
        voices = holding.setdefault(pitch, set())
        (voices.add if kind == ON else voices.discard)(voice)
        heard.append(kind == ON or not voices)
    return heard


def _first_bar(states: np.ndarray, bar: int) -> Span:
    first = int(states.any(axis=(1, 2)).argmax()) // bar * bar
    return Span(first, min(first + bar, len(states)), len(states))


def _last_bars(midi: Midi, states: np.ndarray, bar: int) -> Span:
    """The last two bars, or one where there is one, filled up with silence where they end early."""
    phase = _phase(midi, len(states), bar)
    end = _last_line(len(states), phase, bar)
    if not states[max(end - 2 * bar, 0) : end].any():  # silence after the music is left out
        end = 0
    sounding = len(states) - int(states[::-1, :, PLAY].any(axis=1).argmax())
    end = max(end, phase - (phase - sounding) // bar * bar)
    start = end - BARS_OF_ENDING * bar
    start += bar * (start + bar <= 0)
    return Span(start, end, len(states))


def _filled(states: np.ndarray, span: Span) -> np.ndarray:
    """The steps of a span, those outside of the piece silent."""
    room = (max(-span.first, 0), max(span.end - len(states), 0))
    filled = np.pad(states, (room, (0, 0), (0, 0)))
    return filled[span.first + room[0] : span.end + room[0]]


def _last_line(steps: int, phase: int, bar: int) -> int:
    """Where the last whole bar of so many steps ends."""
    return phase + (steps - phase) // bar * bar


def _phase(midi: Midi, steps: int, bar: int) -> int:
    """Where in `bar` steps the file's last bar line lies; 0 where its bars are others."""
    lines = bar_starts(positions(midi, steps))
    known = len(lines) > 1 and lines[-1] - lines[-2] == bar
    return int(lines[-1]) % bar if known else 0
