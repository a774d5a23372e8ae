"""Folders of MIDI files, in the order that published scripts read them."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from musiclib.base.errors import InputError
from musiclib.music.note_states import read_note_states

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
    return {str(path.relative_to(folder)): read_note_states(path) for path in paths}
