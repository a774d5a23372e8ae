"""Folders of MIDI files, in the order that published scripts read them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.progress import Progress
from musiclib.music.left_out import LeftOut, why
from musiclib.music.midi_events import Midi, naming, read_midi
from musiclib.music.note_states import Metre, note_states, notes_struck, steps_read

MIDI_SUFFIXES = (".mid", ".midi")


def midi_files(folder: Path) -> list[Path]:
    """MIDI files in a folder and its subfolders, ordered by path as strings (1, 10, 2).

    Links are followed; a folder that is there by several names is read once. One that cannot be
    looked into is among the files: reading it says why.
    """
    found = (place / name for place, names in _folders(folder) for name in names)
    return sorted(found, key=str)


def midi_suffix(name: str) -> str:
    """The end of a name that says it is a MIDI file, in lower case; empty for other files."""
    return next((suffix for suffix in MIDI_SUFFIXES if name.lower().endswith(suffix)), "")


def _folders(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A folder and all below it, each with the names in it of MIDI files; "" if it is closed."""
    waiting, seen = [folder], set()
    while waiting:
        place = waiting.pop()
        try:
            there, entries = place.stat(), list(os.scandir(place))
        except OSError:  # not ours to read, or gone
            yield place, [""]
            continue
        if (there.st_dev, there.st_ino) in seen:
            continue
        seen.add((there.st_dev, there.st_ino))
        inner = {entry.name for entry in entries if _is_folder(entry)}
        outer = (entry.name for entry in entries if entry.name not in inner)
        yield place, [name for name in outer if midi_suffix(name)]
        waiting += [place / name for name in sorted(inner, reverse=True)]  # the first is read first


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, say
        return False


class Read(NamedTuple):
    """Note states (T, 78, 2) by the path of their file in its folder; what was left out."""

    pieces: dict[str, np.ndarray]
    left_out: LeftOut


def read_folder(folder: Path, metre: Metre = "paper") -> dict[str, np.ndarray]:
    """Note states of all MIDI files in a folder by their path in it, ordered as strings.

    What cannot be read is skipped; stderr tells what is left out. Raises InputError where there
    is no MIDI file, or none can be read.
    """
    read = look_into(folder, metre)
    read.left_out.say()
    return read.pieces


def read_whole_folder(folder: Path) -> dict[str, np.ndarray]:
    """The same of a folder that we wrote ourselves: raises InputError for any bad file in it."""
    read = look_into(folder)
    for reason in read.left_out.skipped.values():
        raise InputError(reason)
    return read.pieces


def look_into(folder: Path, metre: Metre = "paper") -> Read:
    """The music of a folder and what was left out of it, which nobody is told yet."""
    paths = files_in(folder)
    read = Read({}, LeftOut(str(folder), len(paths)))
    with Progress(len(paths), "reading MIDI files") as progress:
        for path in paths:
            name = str(path.relative_to(folder))
            if file := read_file(path, name, metre, read.left_out):
                read.pieces[name] = file.states
            progress.add()
    read.left_out.check()
    return read


def files_in(folder: Path) -> list[Path]:
    """The same as `midi_files`; raises InputError where there is no folder, or no file in it."""
    if not folder.is_dir():
        raise InputError(f"no folder {folder}: give one that holds MIDI files")
    if not (paths := midi_files(folder)):
        raise InputError(f"no MIDI file (.mid, .midi) in {folder}")
    return paths


class FileRead(NamedTuple):
    """A file's events, and its note states (T, 78, 2)."""

    midi: Midi
    states: np.ndarray


def read_file(path: Path, name: str, metre: Metre, left_out: LeftOut) -> FileRead | None:
    """Read a file of a folder; any fault of it is its own, and noted by its `name`."""
    try:
        with naming(path):
            midi = read_midi(path)
            states = note_states(midi, metre)
    except Exception as error:
        left_out.skipped[name] = why(path, error)
        return None
    whole, (inside, outside) = steps_read(midi, "all"), notes_struck(midi, metre)
    if whole > len(states):
        left_out.cut[name] = whole - len(states)
    if outside:
        left_out.outside[name] = outside
    left_out.steps, left_out.notes = left_out.steps + whole, left_out.notes + inside + outside
    return FileRead(midi, states)
