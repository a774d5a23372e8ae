"""Names of keys: "D major", "F# minor", "Bb major"."""

import re

from musiclib.base.errors import InputError
from musiclib.music.keys import Key

TONICS = {  # as they are spelt in keys of few accidentals
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"": 0, "#": 1, "b": -1}
KEY = re.compile(r"\s*([A-Ga-g])([#b]?)\s+([Mm]ajor|[Mm]inor)\s*")


def name_of(key: Key) -> str:
    """The name of a key, "F# minor"; empty for silence, which has none."""
    return f"{TONICS[key.mode][key.tonic]} {key.mode}" if key.correlation else ""


def key_named(text: str) -> Key:
    """The key of a name; raises InputError for what is none."""
    found = KEY.fullmatch(text)
    if not found:
        raise InputError(
            f"key {text!r}: write a letter from A to G, with # or b where needed, and the mode, as"
            ' "D major" or "F# minor"'
        )
    letter, accidental, mode = found.groups()
    tonic = (LETTERS[letter.upper()] + ACCIDENTALS[accidental]) % 12
    return Key(tonic, mode.lower(), 1.0, 1.0)
