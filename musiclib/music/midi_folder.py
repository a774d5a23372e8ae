"""Folders of MIDI files, in the order that published scripts read them."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.progress import Progress
from musiclib.music.midi_events import naming, read_midi
from musiclib.music.note_states import note_states, steps_read

MIDI_SUFFIXES = (".mid", ".midi")


def midi_files(folder: Path) -> list[Path]:
    """MIDI files in a folder and its subfolders, ordered by path as strings (1, 10, 2).

    Links are followed; a folder that is there by several names is read once.
    """
    found = (
        place / name for place, names in _folders(folder) for name in names if midi_suffix(name)
    )
    return sorted(found, key=str)


def midi_suffix(name: str) -> str:
    """The end of a name that says it is a MIDI file, in lower case; empty for other files."""
    return next((suffix for suffix in MIDI_SUFFIXES if name.lower().endswith(suffix)), "")


def _folders(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A folder and all below it, each with the names in it that are no folder."""
    waiting, seen = [folder], set()
    while waiting:
        place = waiting.pop()
        try:
            there, entries = place.stat(), list(os.scandir(place))
        except OSError:  # not ours to read, or gone
            continue
        if (there.st_dev, there.st_ino) in seen:
            continue
        seen.add((there.st_dev, there.st_ino))
        inner = {entry.name for entry in entries if os.path.isdir(entry)}  # noqa: PTH112 (never raises)
        yield place, [entry.name for entry in entries if entry.name not in inner]
        waiting += [place / name for name in sorted(inner, reverse=True)]  # the first is read first


def read_folder(folder: Path) -> dict[str, np.ndarray]:
    """Note states of all MIDI files in a folder by their path in it, ordered as strings."""
    if not folder.is_dir():
        raise InputError(f"no folder {folder}: give one that holds MIDI files")
    paths = midi_files(folder)
    if not paths:
        raise InputError(f"no MIDI file (.mid, .midi) in {folder}")
    pieces, cut, left_out = {}, [], 0
    with Progress(len(paths), "reading MIDI files") as progress:
        for path in paths:
            midi = read_midi(path)
            with naming(path):
                pieces[str(path.relative_to(folder))] = note_states(midi)
            if lost := steps_read(midi, "all") - steps_read(midi):
                cut, left_out = [*cut, path.name], left_out + lost
            progress.add()
    if cut:
        told = f"{len(cut)} of {len(paths)} files, as {cut[0]}, are read to a metre not 2 or 4"
        steps = left_out + sum(map(len, pieces.values()))
        print(f"{folder}: {told}: {left_out:,} of {steps:,} steps are left out", file=sys.stderr)
    return pieces
