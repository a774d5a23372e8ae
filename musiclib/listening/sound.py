"""Notes as the sound of a piano: note states, and MIDI files with their own times.

**Conventions** Samples are float32 of shape (n,), mono, `RATE` a second, within -1 and 1. Every
note begins at its onset and is silent `RELEASE` seconds after its end; a key that is struck again
has risen before. All notes are equally strong. The same notes give the same samples.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from musiclib.base.errors import InputError
from musiclib.listening.encoding import MEDIA_TYPES, encoded, kind_of, write_samples
from musiclib.listening.voices import RATE, voice
from musiclib.music.midi_events import TOO_LARGE, MidiError, naming, read_midi
from musiclib.music.note_states import LOWEST_PITCH, STEPS_PER_BEAT, TEMPO
from musiclib.music.notes import PITCH, notes_of
from musiclib.music.seconds import notes_in_seconds

__all__ = ["MEDIA_TYPES", "RATE", "encoded", "kind_of", "sound", "sound_of_midi", "write_sound"]

RELEASE = 0.15  # seconds in which a damper ends a note
LIFT = 0.03  # seconds before it is struck again in which a key rises
HELD = 30  # seconds after which a held note is no longer heard
TAIL = 0.25  # seconds of the sound after the end of the music
LONGEST = 3_600  # seconds of music

# Loudness is the RMS of what sounds, as EBU R 128 gates it: quiet blocks do not count.
BLOCK = RATE * 2 // 5
GATE = 0.1  # of the loudest block's power, hence -10 dB
LOUDNESS = 0.16
LOUDEST, QUIETEST = 0.89, 0.31  # peaks


def sound(states: np.ndarray, tempo: int = TEMPO) -> np.ndarray:
    """Samples of note states (T, 78, 2) at `tempo` microseconds per beat: T steps and `TAIL`.

    Raises InputError for a tempo that is none, or for music of more than an hour.
    """
    if not 0 < tempo < float("inf"):
        raise InputError(f"tempo {tempo}: give microseconds per beat, such as {TEMPO}")
    notes, step = notes_of(states), tempo / 1e6 / STEPS_PER_BEAT
    times, pitches = notes[:, :PITCH] * step, notes[:, PITCH] + LOWEST_PITCH
    return rendered(times, pitches, len(states) * step)


def sound_of_midi(path: Path | str) -> np.ndarray:
    """Samples of a MIDI file at its own times, all its channels as one piano, without drums.

    Raises MidiError for what is not readable MIDI or lasts longer than an hour, FileNotFoundError
    if there is no such file.
    """
    with naming(path):
        times, pitches, seconds = notes_in_seconds(read_midi(path))
        if seconds > LONGEST:
            raise MidiError(f"{TOO_LARGE}it lasts {seconds:,.0f} s, and {LONGEST:,} s are rendered")
        return rendered(times, pitches, seconds)


def rendered(times: np.ndarray, pitches: np.ndarray, seconds: float) -> np.ndarray:
    """Samples of notes: onsets and ends (n, 2) in seconds, MIDI pitches (n,), music of `seconds`.

    Raises InputError for more than an hour.
    """
    if seconds > LONGEST:
        raise InputError(f"{seconds:,.0f} s of music: at most {LONGEST:,} s are rendered; cut it")
    out = np.zeros(round((seconds + TAIL) * RATE), np.float32)
    places = np.rint(times * RATE).astype(np.int64)
    for pitch in np.unique(pitches):
        of_pitch = places[pitches == pitch]
        _add(out, int(pitch), of_pitch[np.lexsort(of_pitch.T[::-1])])
    return _levelled(out)


def write_sound(states: np.ndarray, path: Path | str, tempo: int = TEMPO) -> Path:
    """Write the `sound` of note states (T, 78, 2) as `path`'s suffix says: .mp3, .ogg or .wav.

    Returns what was written: `path`, or a WAV beside it where there is no encoder. Raises
    InputError as `sound` and `write_samples` do.
    """
    return write_samples(sound(states, tempo), path)


def _add(out: np.ndarray, pitch: int, places: np.ndarray) -> None:
    """Add the notes of one pitch, int64 (n, 2): onsets, in order, and ends, in samples."""
    lift, release = round(LIFT * RATE), round(RELEASE * RATE)
    longest = min(int(np.diff(places).max()), round(HELD * RATE))
    held = voice()(pitch, longest + release)
    again = [*places[1:, 0].tolist(), None]
    for (onset, end), struck in zip(places.tolist(), again, strict=True):
        fade, last = (min(lift, end - onset), end) if struck == end else (release, end + release)
        note = held[: last - onset].copy()
        falling = note[last - fade - onset :]
        falling *= _fade(fade)[: len(falling)]
        out[onset : onset + len(note)] += note


@lru_cache
def _fade(length: int) -> np.ndarray:
    """Half a cosine, from 1 to 0."""
    return (0.5 + 0.5 * np.cos(np.pi * np.arange(1, length + 1) / length)).astype(np.float32)


def _levelled(samples: np.ndarray) -> np.ndarray:
    """Samples as loud as all others, unless their peak would be out of bounds."""
    peak = float(np.abs(samples).max())
    if peak == 0:
        return samples
    power = np.pad(np.square(samples), (0, -len(samples) % BLOCK)).reshape(-1, BLOCK).mean(axis=1)
    loudness = np.sqrt(power[power >= GATE * power.max()].mean())
    gain = max(min(LOUDNESS / loudness, LOUDEST / peak), QUIETEST / peak)
    return samples * np.float32(gain)
