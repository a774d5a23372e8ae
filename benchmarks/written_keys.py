"""Pieces whose key is written: in MIDI files, in titles, in music21's chorales."""

import csv
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
from music21.corpus.corpora import CoreCorpus

from musiclib.base.errors import InputError
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.keys import OPENING, opening_steps, pitch_class_steps
from musiclib.music.midi_folder import midi_files
from musiclib.music.music21_scores import read_score
from musiclib.music.note_states import note_states, read_note_states

BARS = (2, 4, 6, 8, 12, 16)  # of openings
IN_TITLE = re.compile(r"(?<![A-Za-z])([A-G])([b#]?)_(major|minor)")
NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class Piece(NamedTuple):
    """A piece's written key, and how long pitch classes sound in it and in its opening bars."""

    name: str
    tonic: int  # where no mode is written, that of the signature's major key
    mode: str | None
    steady: bool  # one signature throughout
    whole: np.ndarray
    openings: dict[int, np.ndarray]

    @property
    def signature(self) -> int:
        """The tonic of the major key with the same signature."""
        return signature(self.tonic, self.mode)


def signature(tonic: int, mode: str | None) -> int:
    """The tonic of the major key with the same signature."""
    return (tonic + 3 * (mode == "minor")) % 12


def of_folder(folder: Path, most: int | None) -> dict[str, list[Piece]]:
    """Pieces of a folder of MIDI files with signatures, by where the key is written.

    The first signature of a file counts. A folder without a single one in minor does not write
    modes; there, titles in manifest.csv (columns path, title) that the signature bears out do.
    """
    signed = {path: keys for path in midi_files(folder)[:most] if (keys := signatures(path))}
    if not signed:
        raise InputError(f"no MIDI file with a key signature in {folder}: give a folder of such")
    modes = any(key.endswith("m") for keys in signed.values() for key in keys)
    found = [midi_piece(path, keys, modes) for path, keys in signed.items()]
    if modes:
        steady = [piece for piece in found if piece.steady]
        return {f"{folder.name}, first key": found, f"{folder.name}, one key": steady}
    return {f"{folder.name}, signature": found, f"{folder.name}, title": titled(folder, found)}


def signatures(path: Path) -> list[str]:
    """The key signatures of a MIDI file in order of time."""
    timed = []
    for track in mido.MidiFile(path).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "key_signature":
                timed.append((tick, message.key))
    return [key for _, key in sorted(timed, key=lambda event: event[0])]


def midi_piece(path: Path, written: list[str], modes: bool) -> Piece:
    """A piece with the key that is written first, as Ebm or F#."""
    key = written[0]
    mode = "minor" if key.endswith("m") else "major"
    states = read_note_states(path, "all")
    return _piece(path, tonic_of(key), mode if modes else None, len(set(written)) == 1, states)


def tonic_of(name: str) -> int:
    """The pitch class of a note's name."""
    return (NATURAL[name[0]] + (name[1:2] == "#") - (name[1:2] == "b")) % 12


def titled(folder: Path, pieces: list[Piece]) -> list[Piece]:
    """Pieces whose title names a key that goes with their signature."""
    manifest, by_name = folder / "manifest.csv", {piece.name: piece for piece in pieces}
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
    found = []
    for row in csv.DictReader(lines):
        match, piece = IN_TITLE.search(row["title"]), by_name.get(Path(row["path"]).name)
        if match and piece:
            named = piece._replace(tonic=tonic_of(match[1] + match[2]), mode=match[3])
            found += [named] if named.signature == piece.signature else []
    return found


def chorales(most: int | None) -> dict[str, list[Piece]]:
    """Music21's chorales of eight bars at least, by the signature in their MusicXML."""
    paths = [p for p in sorted(CoreCorpus().getPaths()) if p.match("bach/*.mxl")][:most]
    found = []
    for path in paths:
        states, fifths = note_states(read_score(path)), sharps(path)
        if len(states) >= OPENING and fifths is not None:
            found.append(_piece(path, 7 * fifths % 12, None, True, states))
    return {"music21's chorales, signature": found}


def sharps(path: Path) -> int | None:
    """Sharps of a score's first key signature, if it has one; flats are negative."""
    with zipfile.ZipFile(path) as packed:
        score = next(name for name in packed.namelist() if not name.startswith("META-INF"))
        match = re.search(rb"<fifths>(-?\d+)", packed.read(score))
    return int(match[1]) if match else None


def _piece(path: Path, tonic: int, mode: str | None, steady: bool, states: np.ndarray) -> Piece:
    openings = {bars: opening_steps(states, bars * STEPS_PER_BAR) for bars in BARS}
    return Piece(path.name, tonic, mode, steady, pitch_class_steps(states), openings)
