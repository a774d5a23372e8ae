"""MIDI files to note states and back, by the rule of the published experiments.

A note-state matrix has shape (T, 78, 2), dtype uint8: T steps of a sixteenth note, the MIDI
pitches 24 to 101, and two bits per note: play (it sounds) and articulate (it is struck here).

The reading rule is that of D. Johnson's biaxial RNN (reference [7] of the paper): step boundaries
lie half a step early, events are applied in order, and reading stops at the first time signature
whose numerator is neither 2 nor 4.
"""

from pathlib import Path
from typing import Literal

import mido
import numpy as np

from musiclib.base.compiled import compiled
from musiclib.base.errors import InputError
from musiclib.base.writing import replacing
from musiclib.music.midi_events import (
    KIND,
    METRE_CHANGE,
    ON,
    STEPS_END,
    TEMPO_CHANGE,
    TICK,
    TOO_LARGE,
    VALUE,
    Midi,
    MidiError,
    naming,
    read_midi,
)

LOWEST_PITCH = 24
NOTES = 78
PLAY, ARTICULATE = 0, 1

STEPS_PER_BEAT = 4
TICKS_PER_BEAT = 220
VELOCITY = 40
TEMPO = 500_000  # microseconds per beat

MAX_STEPS = 200_000  # far above any real piece: a small file can ask for gigabytes

Metre = Literal["paper", "all"]


def read_note_states(path: Path | str, metre: Metre = "paper") -> np.ndarray:
    """Read a MIDI file into note states, uint8 of shape (T, 78, 2), T >= 1.

    `metre="paper"` stops before the first time signature whose numerator is neither 2 nor 4, as
    published; `"all"` reads on. Raises MidiError for anything that is not readable MIDI.
    """
    with naming(path):
        return note_states(read_midi(path), metre)


def note_states(midi: Midi, metre: Metre = "paper") -> np.ndarray:
    """Note states, uint8 of shape (T, 78, 2), of a MIDI file's events; see `read_note_states`."""
    steps, size = steps_read(midi, metre), midi.ticks_per_beat // STEPS_PER_BEAT
    if steps > MAX_STEPS:
        limit = f"{steps:,} steps is more than the {MAX_STEPS:,} that a piece may have"
        raise MidiError(TOO_LARGE + limit)
    events = midi.events[: _stop(midi, metre)]
    notes = events[events[:, VALUE] - LOWEST_PITCH < NOTES]
    notes = notes[(notes[:, KIND] <= ON) & (notes[:, VALUE] >= LOWEST_PITCH)]
    states = np.zeros((steps, NOTES, 2), np.uint8)
    at, pitch = step_at(notes[:, TICK], size), notes[:, VALUE] - LOWEST_PITCH
    _apply(states, at, pitch, notes[:, KIND].copy())  # the loop is compiled for what is contiguous
    return states


def steps_read(midi: Midi, metre: Metre = "paper") -> int:
    """How many steps of a MIDI file are read: "all" less "paper" is what the published rule costs.

    No matrix is built.
    """
    return int(step_at(last_tick(midi, metre), midi.ticks_per_beat // STEPS_PER_BEAT)) + 1


def last_tick(midi: Midi, metre: Metre = "paper") -> int:
    """The tick at which reading ends: of the last event, or of the metre that stops it."""
    stop = _stop(midi, metre)
    return midi.end if stop is None else int(midi.events[stop, TICK])


def _stop(midi: Midi, metre: Metre) -> int | None:
    """The row of the first time signature that stops reading, if one does."""
    if metre == "all":
        return None
    stops = (midi.events[:, KIND] == METRE_CHANGE) & ~np.isin(midi.events[:, VALUE], (2, 4))
    return int(stops.argmax()) if stops.any() else None


def notes_struck(midi: Midi, metre: Metre = "all") -> tuple[int, int]:
    """How many notes are struck in what is read, among the 78 pitches and outside of them."""
    events = midi.events[: _stop(midi, metre)]
    pitches = events[events[:, KIND] == ON, VALUE]
    inside = int(((pitches >= LOWEST_PITCH) & (pitches < LOWEST_PITCH + NOTES)).sum())
    return inside, len(pitches) - inside


def step_at(tick, size: int):  # noqa: ANN001, ANN201
    """The step that ticks (a number or array) fall in: boundaries lie at k * size + size // 2."""
    return (tick - size // 2) // size + 1


@compiled
def _apply(states, steps, pitches, struck):  # noqa: ANN001, ANN202
    """Enter step after step: what sounded goes on, held and not struck, unless an event says so."""
    event = 0
    for step in range(len(states)):
        if step:
            states[step, :, PLAY] = states[step - 1, :, PLAY]
        while event < len(steps) and steps[event] == step:
            states[step, pitches[event]] = struck[event]
            event += 1


def first_tempo(midi: Midi) -> int:
    """Microseconds per beat that a MIDI file begins with."""
    first = (midi.events[:, KIND] == TEMPO_CHANGE) & (midi.events[:, TICK] == 0)
    return int(midi.events[first, VALUE][-1]) if first.any() else TEMPO


def write_note_states(states: np.ndarray, path: Path | str, tempo: int = TEMPO) -> None:
    """Write note states of shape (T, 78, 2) as a MIDI file that reads back to the same states.

    What sounds without having sounded before is struck. A marker says where the steps end: the
    note-offs of the last step, which would begin another one, follow it for other programs.
    """
    struck = states[..., ARTICULATE] & states[..., PLAY]
    write_notes(states[..., PLAY], struck, LOWEST_PITCH, Path(path), tempo=tempo)


def write_notes(
    play: np.ndarray,
    struck: np.ndarray,
    lowest_pitch: int,
    path: Path,
    *,
    sixteenths: int = 1,
    tempo: int = TEMPO,
) -> None:
    """Write play and struck bits, both (T, notes), as MIDI at `tempo` microseconds per beat.

    A row lasts `sixteenths` sixteenth notes of 55 ticks.
    """
    if play.ndim != 2 or not len(play):
        raise InputError(f"nothing to write to {path}: the piece has shape {play.shape}")
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    step = TICKS_PER_BEAT // STEPS_PER_BEAT
    written = 0
    for tick, message in _messages(play.astype(bool), struck.astype(bool), lowest_pitch):
        tick *= step * sixteenths
        track.append(message.copy(time=tick - written))
        written = tick
    end, last = len(play) * sixteenths * step, step - step // 2 + 1  # in which a step begins
    track.append(mido.MetaMessage("marker", text=STEPS_END, time=end - last - written))
    sounding = [int(note) + lowest_pitch for note in np.flatnonzero(play[-1])]
    track.extend(mido.Message("note_off", note=note, velocity=0) for note in sounding)
    track.append(mido.MetaMessage("end_of_track"))
    track[-1 - len(sounding)].time += last
    with replacing(path) as temporary:
        mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT, tracks=[track]).save(temporary)


def _messages(play: np.ndarray, struck: np.ndarray, lowest_pitch: int):  # noqa: ANN202
    """Yield (row, message): releases before strikes, from low to high."""
    before = np.zeros(play.shape[1], bool)
    for row, (sounds, strikes) in enumerate(zip(play, struck, strict=True)):
        starts = sounds & (strikes | ~before)
        for note in np.flatnonzero(before & (starts | ~sounds)):
            yield row, mido.Message("note_off", note=int(note) + lowest_pitch, velocity=0)
        for note in np.flatnonzero(starts):
            yield row, mido.Message("note_on", note=int(note) + lowest_pitch, velocity=VELOCITY)
        before = sounds
