"""Cadences to compose towards: two bars of 4/4 in four voices, in C major or A minor.

Voices are written from the highest down, in notes of so many sixteenths: C5:4 is a quarter note.
"""

import numpy as np

from musiclib.music.key_names import LETTERS
from musiclib.music.keys import HOME, Key
from musiclib.music.note_states import LOWEST_PITCH
from musiclib.music.notes import states_with

WRITTEN = {
    "authentic": (  # I ii6 V V7 | I
        "C5:4 D5:4 B4:8 C5:16",
        "G4:4 A4:4 G4:4 F4:4 E4:16",
        "E4:4 D4:12 C4:16",
        "C3:4 F3:4 G3:8 C3:16",
    ),
    "plagal": (  # I IV | I
        "C5:8 C5:8 C5:16",
        "G4:8 A4:8 G4:16",
        "E4:8 F4:8 E4:16",
        "C3:8 F2:8 C3:16",
    ),
    "half": (  # I ii6 | V
        "C5:8 D5:8 B4:16",
        "G4:8 A4:8 G4:16",
        "E4:8 D4:8 D4:16",
        "C3:8 F3:8 G3:16",
    ),
    "deceptive": (  # I ii6 V | vi
        "C5:4 D5:4 B4:8 C5:16",
        "G4:4 A4:4 G4:8 E4:16",
        "E4:4 D4:12 C4:16",
        "C3:4 F3:4 G3:8 A3:16",
    ),
    "minor": (  # i ii6 V V7 | i
        "A4:4 B4:4 G#4:8 A4:16",
        "E4:4 F4:4 E4:4 D4:4 C4:16",
        "C4:4 B3:12 A3:16",
        "A2:4 D3:4 E3:8 A2:16",
    ),
    "picardy": (  # i ii6 V V7 | I
        "A4:4 B4:4 G#4:8 A4:16",
        "E4:4 F4:4 E4:4 D4:4 C#4:16",
        "C4:4 B3:12 A3:16",
        "A2:4 D3:4 E3:8 A2:16",
    ),
}
IN_MINOR = ("minor", "picardy")
STEPS = 32


def key_of(name: str) -> Key:
    """The key that a cadence is written in: C major or A minor."""
    mode = "minor" if name in IN_MINOR else "major"
    return Key(HOME[mode], mode, 1.0, 1.0)


def _states(voices: tuple[str, ...]) -> np.ndarray:
    """Note states (32, 78, 2) of voices."""
    notes = [note for voice in voices for note in _notes(voice)]
    return states_with(np.array(notes), STEPS)


def _notes(voice: str) -> list[tuple[int, int, int]]:
    """(onset, end, pitch index) of each note of a voice."""
    notes, at = [], 0
    for written in voice.split():
        name, steps = written.split(":")
        notes.append((at, at + int(steps), _pitch(name) - LOWEST_PITCH))
        at += int(steps)
    return notes


def _pitch(name: str) -> int:
    """The MIDI pitch of a name: C4 is 60."""
    return 12 * (int(name[-1]) + 1) + LETTERS[name[0]] + name.count("#")


CADENCES = {name: _states(voices) for name, voices in WRITTEN.items()}
