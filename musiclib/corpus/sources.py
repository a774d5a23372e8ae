"""Which files are read, for which set: music21's scores, or those of a folder."""

from dataclasses import dataclass
from pathlib import Path

from musiclib.base.errors import InputError
from musiclib.base.progress import waiting
from musiclib.corpus.levels import HELD_OUT, LEVEL_NAMES, MAIN
from musiclib.corpus.shipped import GROUPS, corpus_name, group_paths
from musiclib.music.midi_folder import midi_files, midi_suffix
from musiclib.music.music21_scores import Parts
from musiclib.music.note_states import Metre

LEVELS = "levels"  # the folder that holds a folder for each


@dataclass(frozen=True)
class Source:
    """A file of music, and which of its parts are read."""

    name: str
    path: Path
    parts: Parts = "all"

    @property
    def midi(self) -> bool:
        """Whether it is MIDI; else music21 reads it."""
        return bool(midi_suffix(self.path.name))

    @property
    def suffix(self) -> str:
        """What says how to read it, in lower case; a file may be named ".mid" and no more."""
        return midi_suffix(self.path.name) or self.path.suffix.lower()


SourceSets = dict[str, list[Source]]


@waiting("looking through music21's scores")
def shipped_sources(limit: int | None = None, metre: Metre = "paper") -> SourceSets:
    """Tunes, levels and main corpus from music21's scores; a limit holds per group, by its share.

    No score is in two of these sets. With `metre="all"` waltzes and polonaises are among them.
    """
    sets: SourceSets = {}
    for group in GROUPS:
        paths = group_paths(group, limit, metre)
        found = [Source(corpus_name(path), path, group.parts) for path in paths]
        sets.setdefault(group.use, []).extend(found)
    return sets


@waiting("looking for MIDI files")
def folder_sources(folder: Path) -> SourceSets:
    """Sets of a corpus folder: `main/`, `levels/<name>/` and `held-out/`, or just MIDI files.

    A folder without subfolders of these names is all main. Raises InputError for a missing or an
    empty folder, for levels or held-out pieces without `main/`, and for fewer than four levels.
    """
    if not folder.is_dir():
        raise InputError(f"no folder {folder}: CORPUS must name a folder of MIDI files")
    levels = _folders_in(folder / LEVELS)
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


def _folders_in(place: Path) -> list[Path]:
    """The folders in a place, ordered; none where it is not there."""
    if not place.is_dir():
        return []
    try:
        return sorted(path for path in place.iterdir() if path.is_dir())
    except OSError as error:
        raise InputError(
            f"{place}: it cannot be opened ({error.strerror}); make it readable, or move it away"
        ) from error


def _files(place: Path, folder: Path) -> list[Source]:
    return [Source(str(path.relative_to(folder)), path) for path in midi_files(place)]
