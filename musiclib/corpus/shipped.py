"""Which of the scores that music21 ships make the default corpus, and which set each is for.

Section 2.1 used piano MIDI that cannot be passed on.
"""

import re
import zipfile
from functools import cache
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from musiclib.corpus.levels import LEVEL_NAMES, MAIN
from musiclib.music.music21_scores import Parts
from musiclib.music.note_states import Metre

DEAL = 6  # a group's scores are dealt out like cards, to six places


class Group(NamedTuple):
    """Scores of one kind, what they are used for, and how many a limit leaves of them."""

    kind: str
    use: str  # the main corpus, tunes, or a level
    begins: tuple[str, ...]  # how their names in music21's corpus begin
    share: float = 1.0  # a limit of n leaves n * share scores, one at least
    parts: Parts = "all"
    deal: tuple[int, ...] = tuple(range(DEAL))  # the places whose scores are taken
    cheapest: bool = False  # a limit leaves the smallest files: large ones take seconds each


TUNES = "tunes"  # cut into the first two levels by computed difficulty
SUFFIXES = (".mxl", ".abc")
PIANO = (
    *("bach/bwv846", "mozart/k545", "joplin/", "cpebach/h186", "schoenberg/opus19"),
    "schumann_clara/polonaise",
)
*_, MEDIUM, HARD = LEVEL_NAMES
# A score belongs to the first kind that its name begins like. One tune in three is taken: all of
# them would take as long to read as the chorales do. Chorales of the levels are not in main.
GROUPS = (
    Group("fiddle tunes", TUNES, ("ryansMammoth/",), deal=(0, 3)),
    Group("piano pieces", MAIN, PIANO, 0.1),
    Group("chorales", MEDIUM, ("bach/",), 0.5, "outer", (0,)),
    Group("chorales", HARD, ("bach/",), 0.5, "three", (3,)),
    Group("chorales", MAIN, ("bach/",), deal=(1, 2, 4, 5)),
    Group("madrigals", MAIN, ("monteverdi/",), 0.5),
    Group("quartets of Mozart", MAIN, ("mozart/",), 0.1),
    Group("quartets of Haydn", MAIN, ("haydn/",), 0.05),
    Group("quartets of Beethoven", MAIN, ("beethoven/",), 0.03, cheapest=True),
    Group("quartet and song of Schumann", MAIN, ("schumann_robert/",), 0.04, cheapest=True),
)
# An older edition of a madrigal that is there too.
DOUBLES = ("monteverdi/madrigal.3.1_old.mxl",)


def group_paths(group: Group, limit: int | None = None, metre: Metre = "paper") -> list[Path]:
    """Paths of a group's scores, ordered by name, at most `limit` times the group's share.

    With `metre="paper"` scores that open in another one than 2 or 4 are left out: of them nothing
    would be read.
    """
    every = [path for path in _corpus_paths() if group_of(corpus_name(path)) == group.kind]
    usable = [path for path in every if metre == "all" or opening_metre(path) in (2, 4, None)]
    dealt = [path for i, path in enumerate(usable) if i % DEAL in group.deal]
    most = len(dealt) if limit is None else max(1, round(limit * group.share))
    if group.cheapest:
        return sorted(sorted(dealt, key=lambda path: path.stat().st_size)[:most])
    return _spread(dealt, most)


def chorale_paths() -> list[Path]:
    """Paths of all of Bach's chorales and chorale movements, ordered by name."""
    every = [path for path in _corpus_paths() if path.suffix == ".mxl"]
    return [p for p in every if corpus_name(p).startswith("bach/bwv") and not _for_piano(p)]


def _for_piano(path: Path) -> bool:
    return corpus_name(path).startswith(PIANO)


def group_of(name: str) -> str | None:
    """The kind of a score by its name in music21's corpus, or None for one that is not used."""
    if not name.endswith(SUFFIXES) or name in DOUBLES:
        return None
    return next((group.kind for group in GROUPS if name.startswith(group.begins)), None)


def corpus_name(path: Path) -> str:
    """A score's path below music21's corpus folder, as "bach/bwv10.7.mxl"."""
    parts = path.parts
    return "/".join(parts[len(parts) - parts[::-1].index("corpus") :])


@cache
def opening_metre(path: Path) -> int | None:
    """The numerator of a score's first time signature, without reading on; None if not told."""
    if path.suffix == ".abc":
        metre = re.search(rb"^M:\s*(C\|?|\d+)", path.read_bytes(), re.MULTILINE)
        text = metre[1].decode() if metre else ""
        return _numerator({"C": "4", "C|": "2"}.get(text, text))
    with zipfile.ZipFile(path) as packed:
        names = [n for n in packed.namelist() if n.endswith("xml") and "META-INF" not in n]
        with packed.open(names[0]) as score:
            tags = (tag for _, tag in ElementTree.iterparse(score) if tag.tag in ("beats", "part"))
            text = next((tag.text or "" for tag in tags), "")
    return _numerator(text)


def _numerator(text: str) -> int | None:
    return int(text) if text.isdigit() else None


@cache
def _corpus_paths() -> list[Path]:
    from music21.corpus.corpora import CoreCorpus

    return sorted(CoreCorpus().getPaths())


def _spread(paths: list[Path], most: int) -> list[Path]:
    if most >= len(paths):
        return paths
    return [paths[i * len(paths) // most] for i in range(most)]
