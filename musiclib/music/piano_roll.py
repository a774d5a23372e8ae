"""Piano rolls for the baseline LSTM: 88 keys sampled every 0.3 s (section 2.4.1)."""

import warnings
from pathlib import Path

import mido
import numpy as np
import pretty_midi

from musiclib.base.errors import InputError
from musiclib.music.note_states import MAX_STEPS, Metres, last_tick, open_midi, write_notes

LOWEST_KEY = 21
KEYS = 88
SECONDS = 0.3

# One sample is written as an eighth note at 100 beats a minute, which lasts just 0.3 s.
SIXTEENTHS_PER_SAMPLE = 2
TEMPO = int(SECONDS * 2 * 1e6)


def read_piano_roll(path: Path | str, seconds: float = SECONDS) -> np.ndarray:
    """Read a MIDI file into a piano roll, uint8 of shape (T, 88), one row every `seconds`."""
    try:
        return piano_roll(open_midi(path), seconds)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def piano_roll(midi: mido.MidiFile, seconds: float = SECONDS, metres: Metres = "all") -> np.ndarray:
    """Which of the MIDI pitches 21 to 108 sound at 0, `seconds`, 2 `seconds`, ...

    Times follow the tempo changes of the first track; drums are left out; what is not released
    ends with the file. `metres="paper"` stops where note states do. Uses up `midi`: pretty_midi
    turns its times from differences into absolute ones. Raises InputError for a piece that is too
    long.
    """
    end, stop = last_tick(midi, "all"), last_tick(midi, metres)
    _release_at_end(midi, end)
    try:
        with warnings.catch_warnings():
            # Key signatures on later tracks are common and do not matter here.
            warnings.filterwarnings("ignore", "Tempo, Key or Time", RuntimeWarning)
            parsed = pretty_midi.PrettyMIDI(mido_object=midi)
        steps = _samples_before(parsed.tick_to_time(stop), seconds)
    except Exception as error:
        raise InputError(f"times cannot be computed ({type(error).__name__}: {error})") from error
    notes = [n for i in parsed.instruments if not i.is_drum for n in i.notes]
    if steps > MAX_STEPS:
        raise InputError(f"{steps} samples is more than the {MAX_STEPS} a piece may have here")
    roll = np.zeros((steps, KEYS), np.uint8)
    for note in notes:
        if LOWEST_KEY <= note.pitch < LOWEST_KEY + KEYS:
            rows = slice(_samples_before(note.start, seconds), _samples_before(note.end, seconds))
            roll[rows, note.pitch - LOWEST_KEY] = 1
    return roll


def _release_at_end(midi: mido.MidiFile, end: int) -> None:
    """Add the note-offs that a file lacks: pretty_midi drops notes that never end."""
    for track in midi.tracks:
        sounding: dict[tuple[int, int], bool] = {}
        for message in track:
            if message.type in ("note_on", "note_off"):
                struck = message.type == "note_on" and message.velocity > 0
                sounding[message.channel, message.note] = struck
        wait = end - sum(message.time for message in track)
        for channel, note in [key for key, struck in sounding.items() if struck]:
            track.append(mido.Message("note_off", channel=channel, note=note, time=wait))
            wait = 0


def _samples_before(time: float, seconds: float) -> int:
    """How many of 0, seconds, 2 seconds, ... lie before `time`; 1e-6 absorbs rounding."""
    return int(np.ceil(time / seconds - 1e-6))


def write_piano_roll(roll: np.ndarray, path: Path | str) -> None:
    """Write a roll of shape (T, 88) as MIDI, 0.3 s a row; a key that stays down is one note."""
    play = np.asarray(roll)
    write_notes(
        play,
        np.zeros_like(play),
        LOWEST_KEY,
        Path(path),
        sixteenths=SIXTEENTHS_PER_SAMPLE,
        tempo=TEMPO,
    )
