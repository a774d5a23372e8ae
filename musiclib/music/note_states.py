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

from musiclib.base.errors import InputError
from musiclib.base.files import replacing

LOWEST_PITCH = 24
NOTES = 78
PLAY, ARTICULATE = 0, 1

STEPS_PER_BEAT = 4
TICKS_PER_BEAT = 220
VELOCITY = 40
TEMPO = 500_000  # microseconds per beat
ALL_NOTES_OFF = 123

# A hostile file of 74 bytes can ask for gigabytes: these are far above any real piece.
MAX_BYTES = 20_000_000
MAX_STEPS = 200_000
MAX_MESSAGES = 2_000_000

Metres = Literal["paper", "all"]


def read_note_states(path: Path | str, metres: Metres = "paper") -> np.ndarray:
    """Read a MIDI file into note states, uint8 of shape (T, 78, 2), T >= 1.

    `metres="paper"` stops before the first time signature whose numerator is neither 2 nor 4, as
    published; `"all"` reads on. Raises InputError for anything that is not readable MIDI.
    """
    try:
        return note_states(open_midi(path), metres)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def open_midi(path: Path | str) -> mido.MidiFile:
    """Parse a MIDI file; raises InputError naming what is wrong, FileNotFoundError if absent."""
    size = Path(path).stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"{size} bytes is more than the {MAX_BYTES} a MIDI file may have here")
    try:
        parsed = mido.MidiFile(path)
    except Exception as error:
        raise InputError(f"not a readable MIDI file ({type(error).__name__}: {error})") from error
    _check(parsed)
    return parsed


def _check(midi: mido.MidiFile) -> None:
    if midi.ticks_per_beat < STEPS_PER_BEAT or midi.ticks_per_beat >= 0x8000:
        raise InputError(f"{midi.ticks_per_beat} ticks per beat: needs 4 to 32767 (SMPTE not read)")
    if not midi.tracks or not any(midi.tracks):
        raise InputError("the file has no track with events")
    if sum(map(len, midi.tracks)) > MAX_MESSAGES:
        raise InputError(f"more than {MAX_MESSAGES} events")


def note_states(midi: mido.MidiFile, metres: Metres = "paper") -> np.ndarray:
    """Note states, uint8 of shape (T, 78, 2), of a parsed MIDI file; see `read_note_states`."""
    step = midi.ticks_per_beat // STEPS_PER_BEAT
    events, end = _events(midi, metres)
    last = _step_at(end, step)
    if last >= MAX_STEPS:
        raise InputError(f"{last + 1} steps is more than the {MAX_STEPS} a piece may have here")
    states = np.zeros((last + 1, NOTES, 2), np.uint8)
    now = 0
    for tick, message in events:
        now = _hold(states, now, _step_at(tick, step))
        _apply(states[now], message)
    _hold(states, now, last)
    return states


def last_tick(midi: mido.MidiFile, metres: Metres = "paper") -> int:
    """The tick at which reading ends: of the last event, or of the metre that stops it."""
    return _events(midi, metres)[1]


def _step_at(tick: int, step: int) -> int:
    """The step that a tick falls in: boundaries lie at k * step + step // 2."""
    return (tick - step // 2) // step + 1


def _events(midi: mido.MidiFile, metres: Metres) -> tuple[list[tuple[int, mido.Message]], int]:
    """Note events in the order they apply, and the tick at which reading ends."""
    events, end = [], 0
    for track in midi.tracks:
        tick = 0
        for message in track:
            tick += message.time
            events.append((tick, message))
        end = max(end, tick)
    events.sort(key=lambda event: event[0])  # stable: track order, then file order, within a tick
    notes = []
    for tick, message in events:
        if message.type in ("note_on", "note_off"):
            notes.append((tick, message))
        elif metres == "paper" and _stops(message):
            return notes, tick
    return notes, end


def _stops(message: mido.Message) -> bool:
    return message.type == "time_signature" and message.numerator not in (2, 4)


def _hold(states: np.ndarray, now: int, step: int) -> int:
    """Enter `step`: what sounded goes on sounding, held and not struck."""
    states[now + 1 : step + 1, :, PLAY] = states[now, :, PLAY]
    return step


def _apply(state: np.ndarray, message: mido.Message) -> None:
    note = message.note - LOWEST_PITCH
    if 0 <= note < NOTES:
        state[note] = message.type == "note_on" and message.velocity > 0


def first_tempo(midi: mido.MidiFile) -> int:
    """Microseconds per beat that a parsed MIDI file begins with."""
    tempo = TEMPO
    for track in midi.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if tick:
                break
            tempo = message.tempo if message.type == "set_tempo" else tempo
    return tempo


def write_note_states(states: np.ndarray, path: Path | str, tempo: int = TEMPO) -> None:
    """Write note states of shape (T, 78, 2) as a MIDI file that reads back to the same states.

    What sounds without having sounded before is struck. Notes of the last step have no note-off:
    it would begin another step. Controller 123 (all notes off) ends them for players.
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
    end = (len(play) * sixteenths - 1) * step + step // 2 - 1  # the last tick of the last step
    off = mido.Message("control_change", control=ALL_NOTES_OFF, time=end - written)
    track.extend([off, mido.MetaMessage("end_of_track")])
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
