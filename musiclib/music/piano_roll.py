"""Piano rolls for the baseline LSTM: 88 keys sampled every 0.3 s (section 2.4.1)."""

from pathlib import Path

import numpy as np

from musiclib.base.compiled import compiled
from musiclib.music.midi_events import (
    KIND,
    ON,
    PLACE,
    TICK,
    TOO_LARGE,
    VALUE,
    Midi,
    MidiError,
    naming,
    read_midi,
)
from musiclib.music.note_states import MAX_STEPS, Metre, last_tick, write_notes
from musiclib.music.seconds import note_events, seconds_at, tempo_changes

LOWEST_KEY = 21
KEYS = 88
SECONDS = 0.3

# One sample is written as an eighth note at 100 beats a minute, which lasts just 0.3 s.
SIXTEENTHS_PER_SAMPLE = 2
WRITTEN_TEMPO = int(SECONDS * 2 * 1e6)


def read_piano_roll(path: Path | str, seconds: float = SECONDS) -> np.ndarray:
    """Read a MIDI file into a piano roll, uint8 of shape (T, 88), one row every `seconds`."""
    with naming(path):
        return piano_roll(read_midi(path), seconds)


def piano_roll(midi: Midi, seconds: float = SECONDS, metre: Metre = "all") -> np.ndarray:
    """Which of the MIDI pitches 21 to 108 sound at 0, `seconds`, 2 `seconds`, ...

    Times follow the tempo changes of the first track; drums are left out; what is not released
    ends with the file. `metre="paper"` stops where note states do. Raises MidiError for a piece
    that is too long.
    """
    notes = note_events(midi)
    ticks = np.concatenate([notes[:, TICK], [last_tick(midi, metre), midi.end]])
    times = seconds_at(ticks, tempo_changes(midi), midi.ticks_per_beat)
    samples = np.ceil(times / seconds - 1e-6).astype(np.int64)  # before it; 1e-6 absorbs rounding
    rows, (end, last) = samples[:-2], samples[-2:]
    if end > MAX_STEPS:
        limit = f"{end:,} samples is more than the {MAX_STEPS:,} that a piece may have"
        raise MidiError(TOO_LARGE + limit)
    roll = np.zeros((end, KEYS), np.uint8)
    keys = notes[:, PLACE] * 128 + notes[:, VALUE]
    order = np.argsort(keys, kind="stable")  # a key's notes together, in their order
    _press(roll, keys[order], notes[order], rows[order], midi.end, last)
    return roll


@compiled
def _press(roll, keys, notes, rows, end, last_row):  # noqa: ANN001, ANN202
    """Fill the roll: a release ends what its key has begun before, and the file what is left."""
    for i in range(len(keys)):
        tick, key = notes[i, TICK], notes[i, VALUE] - LOWEST_KEY
        if i == 0 or keys[i] != keys[i - 1]:
            first = first_row = latest = latest_row = -1  # strikes not yet released
        if notes[i, KIND] == ON:
            latest, latest_row = tick, rows[i]
            if first < 0:
                first, first_row = tick, rows[i]
            if (i + 1 == len(keys) or keys[i + 1] != keys[i]) and 0 <= key < KEYS and first < end:
                roll[first_row:last_row, key] = 1
        elif first >= 0:
            if first < tick and 0 <= key < KEYS:
                roll[first_row : rows[i], key] = 1
            struck_anew = first < tick == latest  # the release is not that of this strike
            first, first_row = (latest, latest_row) if struck_anew else (-1, -1)


def write_piano_roll(roll: np.ndarray, path: Path | str, tempo: int = WRITTEN_TEMPO) -> None:
    """Write a roll of shape (T, 88) as MIDI, 0.3 s a row; a key that stays down is one note."""
    play = np.asarray(roll)
    write_notes(
        play,
        np.zeros_like(play),
        LOWEST_KEY,
        Path(path),
        sixteenths=SIXTEENTHS_PER_SAMPLE,
        tempo=tempo,
    )
