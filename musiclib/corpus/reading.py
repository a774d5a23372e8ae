"""Where music comes from: the scores of music21 or a folder of MIDI files; cached, in parallel."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT, digest, replacing
from musiclib.base.parallel import side_by_side
from musiclib.corpus.levels import HELD_OUT, LEVEL_NAMES, MAIN
from musiclib.corpus.shipped import GROUPS, corpus_name, group_paths
from musiclib.music.midi_events import content_of, naming, parse
from musiclib.music.midi_folder import MIDI_SUFFIXES, midi_files
from musiclib.music.music21_scores import Parts, read_score
from musiclib.music.note_states import note_states
from musiclib.music.piano_roll import piano_roll

ENCODER_VERSION = "2"
CACHE = ROOT / ".cache" / "pieces"

LEVELS = "levels"  # the folder that holds a folder for each


@dataclass(frozen=True)
class Source:
    """A file of music, and which of its parts are read."""

    name: str
    path: Path
    parts: Parts = "all"


class Encoded(NamedTuple):
    """A piece in both representations: note states (T, 78, 2) and piano roll (T', 88), uint8."""

    states: np.ndarray
    roll: np.ndarray


SourceSets = dict[str, list[Source]]


def shipped_sources(limit: int | None = None) -> SourceSets:
    """Tunes, levels and main corpus from music21's scores; a limit holds per group, by its share.

    No score is in two of these sets.
    """
    sets: SourceSets = {}
    for group in GROUPS:
        paths = group_paths(group, limit)
        found = [Source(corpus_name(path), path, group.parts) for path in paths]
        sets.setdefault(group.use, []).extend(found)
    return sets


def folder_sources(folder: Path) -> SourceSets:
    """Sets of a corpus folder: `main/`, `levels/<name>/` and `held-out/`, or just MIDI files.

    A folder without subfolders of these names is all main. Raises InputError for a missing or an
    empty folder, for levels or held-out pieces without `main/`, and for fewer than four levels.
    """
    if not folder.is_dir():
        raise InputError(f"no folder {folder}: CORPUS must name a folder of MIDI files")
    levels = sorted(path for path in (folder / LEVELS).glob("*") if path.is_dir())
    structured = (folder / MAIN).is_dir()
    if not structured and (levels or (folder / HELD_OUT).is_dir()):
        raise InputError(f"{folder} has {LEVELS}/ or {HELD_OUT}/ but no {MAIN}/: add it")
    if levels and (len(levels) < len(LEVEL_NAMES) or {p.name for p in levels} & {MAIN, HELD_OUT}):
        raise InputError(f"{folder / LEVELS} needs four or more levels, none named {MAIN}")
    sets = {level.name: level for level in levels}
    sets |= {MAIN: folder / MAIN, HELD_OUT: folder / HELD_OUT} if structured else {MAIN: folder}
    found = {name: _files(place, folder) for name, place in sets.items()}
    if not found[MAIN]:
        raise InputError(f"no MIDI file (.mid, .midi) in {sets[MAIN]}: put some there")
    return {name: sources for name, sources in found.items() if sources}


def _files(place: Path, folder: Path) -> list[Source]:
    return [Source(str(path.relative_to(folder)), path) for path in midi_files(place)]


def encode(source: Source) -> Encoded:
    """Read one source; raises InputError naming it if it cannot be read."""
    with naming(source.path):
        if source.path.name.lower().endswith(MIDI_SUFFIXES):
            midi = parse(_content(source))
        else:
            midi = read_score(source.path, source.parts)
        return Encoded(note_states(midi), piano_roll(midi, metres="paper"))


def _content(source: Source) -> bytes:
    try:
        return content_of(source.path)
    except OSError as error:
        raise InputError(str(error.strerror)) from error


def encode_cached(source: Source, cache: Path = CACHE) -> Encoded:
    """Read one source, or its cached encoding: keyed by file content, parts and encoder version."""
    with naming(source.path):
        key = digest(_content(source), source.parts, ENCODER_VERSION)
    entry = cache / f"{key}.npz"
    try:
        with np.load(entry, allow_pickle=False) as stored:
            return Encoded(stored["states"], stored["roll"])
    except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error):
        pass  # not cached yet, or damaged: written anew
    encoded = encode(source)
    with replacing(entry) as temporary:
        np.savez_compressed(temporary, **encoded._asdict())
    return encoded


def encode_all(sources: list[Source]) -> tuple[dict[Source, Encoded], dict[Source, str]]:
    """Read sources in parallel over the cores: what was read, and why the others were not."""
    largest_first = sorted(sources, key=_size, reverse=True)  # so that no core waits at the end
    jobs = [(encode_cached, source) for source in largest_first]
    results = side_by_side(_encode_or_reason, jobs, "reading music")
    found = dict(zip(largest_first, results, strict=True))
    both = {source: found[source] for source in sources}
    read = {source: result for source, result in both.items() if isinstance(result, Encoded)}
    return read, {source: reason for source, reason in both.items() if source not in read}


def _size(source: Source) -> int:
    """Bytes of a source's file, 0 where there is none."""
    return source.path.stat().st_size if source.path.exists() else 0


def _encode_or_reason(encode: Callable[[Source], Encoded], source: Source) -> Encoded | str:
    try:
        return encode(source)
    except InputError as error:
        return str(error)
