"""Folders of MIDI files, in the order that published scripts read them."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from musiclib.base.errors import InputError
from musiclib.music.midi_events import naming, read_midi
from musiclib.music.note_states import note_states, steps_read

MIDI_SUFFIXES = (".mid", ".midi")


def midi_files(folder: Path) -> list[Path]:
    """MIDI files in a folder and its subfolders, ordered by path as strings (1, 10, 2)."""
    found: Iterator[Path] = (
        Path(place) / name
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.lower().endswith(MIDI_SUFFIXES)
    )
    return sorted(found, key=str)


def read_folder(folder: Path) -> dict[str, np.ndarray]:
    """Note states of all MIDI files in a folder by their path in it, ordered as strings."""
    if not folder.is_dir():
        raise InputError(f"no folder {folder}: give one that holds MIDI files")
    paths = midi_files(folder)
    if not paths:
        raise InputError(f"no MIDI file (.mid, .midi) in {folder}")
    pieces, cut, left_out = {}, [], 0
    for path in paths:
        midi = read_midi(path)
        with naming(path):
            pieces[str(path.relative_to(folder))] = note_states(midi)
        if lost := steps_read(midi, "all") - steps_read(midi):
            cut, left_out = [*cut, path.name], left_out + lost
    if cut:
        told = f"{len(cut)} of {len(paths)} files, as {cut[0]}, are read to a metre not 2 or 4"
        steps = left_out + sum(map(len, pieces.values()))
        print(f"{folder}: {told}: {left_out:,} of {steps:,} steps are left out", file=sys.stderr)
    return pieces
