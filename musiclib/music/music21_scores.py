"""The scores that music21 ships, as MIDI: the default corpus (section 2.1 used piano MIDI instead).

Tempo marks are mostly missing, so every score is taken at 100 quarter notes a minute: a sample of
0.3 s is then an eighth note. Repeats are not written out.
"""

import gc
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree import ElementTree

import mido

from musiclib.base.errors import InputError

Parts = Literal["all", "outer", "three"]
TICKS_PER_BEAT = 480
TEMPO = 600_000
DEAL = 6  # a group's scores are dealt out like cards, to six places


class Group(NamedTuple):
    """Scores of one kind, what they are used for, and how many a limit leaves of them."""

    kind: str
    use: str  # the main corpus, tunes (cut into levels 1 and 2 when read), or a level
    begins: tuple[str, ...]  # how their names in music21's corpus begin
    share: float = 1.0  # a limit of n leaves n * share scores, one at least
    parts: Parts = "all"
    deal: tuple[int, ...] = tuple(range(DEAL))  # the places whose scores are taken
    cheapest: bool = False  # a limit leaves the smallest files: large ones take seconds each


TUNES = "tunes"
SUFFIXES = (".mxl", ".abc")
PIANO = (
    *("bach/bwv846", "mozart/k545", "joplin/", "cpebach/h186", "schoenberg/opus19"),
    "schumann_clara/polonaise",
)
# A score belongs to the first kind that its name begins like. One tune in three is taken: all of
# them would take as long to read as the chorales do. Chorales of the levels are not in main.
GROUPS = (
    Group("fiddle tunes", TUNES, ("ryansMammoth/",), deal=(0, 3)),
    Group("piano pieces", "main", PIANO, 0.1),
    Group("chorales", "3-medium", ("bach/",), 0.5, "outer", (0,)),
    Group("chorales", "4-hard", ("bach/",), 0.5, "three", (3,)),
    Group("chorales", "main", ("bach/",), deal=(1, 2, 4, 5)),
    Group("madrigals", "main", ("monteverdi/",), 0.5),
    Group("quartets of Mozart", "main", ("mozart/",), 0.1),
    Group("quartets of Haydn", "main", ("haydn/",), 0.05),
    Group("quartets of Beethoven", "main", ("beethoven/",), 0.03, cheapest=True),
    Group("quartet and song of Schumann", "main", ("schumann_robert/",), 0.04, cheapest=True),
)
# An older edition of a madrigal that is there too.
DOUBLES = ("monteverdi/madrigal.3.1_old.mxl",)


def group_paths(group: Group, limit: int | None = None) -> list[Path]:
    """Paths of a group's scores, ordered by name, at most `limit` times the group's share.

    Scores that open in another metre than 2 or 4 are left out: of them nothing would be read.
    """
    every = [path for path in _corpus_paths() if kind_of(corpus_name(path)) == group.kind]
    usable = [path for path in every if opening_metre(path) in (2, 4, None)]
    dealt = [path for i, path in enumerate(usable) if i % DEAL in group.deal]
    most = len(dealt) if limit is None else max(1, round(limit * group.share))
    if group.cheapest:
        return sorted(sorted(dealt, key=lambda path: path.stat().st_size)[:most])
    return _spread(dealt, most)


def kind_of(name: str) -> str | None:
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


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """No search for garbage meanwhile: a large score's objects make that a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def read_score(path: Path, parts: Parts = "all") -> mido.MidiFile:
    """Parse a score (MusicXML, ABC, kern, ...) into MIDI, one track per part.

    `parts="outer"` keeps the highest and the lowest staff, `"three"` the second one too. music21's
    pickle cache is not used. Raises InputError for a file that holds several scores, or no staff.
    """
    from music21 import converter, stream
    from music21.musicxml.xmlObjects import MusicXMLWarning

    with warnings.catch_warnings(), _garbage_kept():
        # Overfull bars in music21's own scores: offsets stay right.
        warnings.simplefilter("ignore", MusicXMLWarning)
        score = converter.parse(path, forceSource=True, storePickle=False)
    if isinstance(score, stream.Opus):
        raise InputError(f"{len(score.scores)} scores in one file: split it, a score per file")
    staves = _chosen(list(score.parts), parts)
    tracks = [_metre_track(staves[0]), *map(_note_track, staves)]
    return mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=tracks)


def _chosen(staves: list, parts: Parts) -> list:
    if not staves:
        raise InputError("the score has no staff: choose a file with notes")
    upper = {"all": len(staves) - 1, "outer": 1, "three": 2}[parts]
    return [*staves[:-1][:upper], staves[-1]]


def _metre_track(staff) -> mido.MidiTrack:  # noqa: ANN001
    events = [(0, mido.MetaMessage("set_tempo", tempo=TEMPO))]
    for metre in staff.flatten().getElementsByClass("TimeSignature"):
        signature = {"numerator": metre.numerator, "denominator": metre.denominator}
        events.append((_ticks(metre.offset), mido.MetaMessage("time_signature", **signature)))
    return _track(events)


def _note_track(staff) -> mido.MidiTrack:  # noqa: ANN001
    events = []
    for start, end, pitch in _sounding(staff):
        events.append((_ticks(start), mido.Message("note_on", note=pitch, velocity=64)))
        events.append((_ticks(end), mido.Message("note_off", note=pitch)))
    return _track(events)


def _sounding(staff) -> Iterator[tuple[float, float, int]]:  # noqa: ANN001
    """(start, end, pitch) in quarter notes, tied notes joined, grace notes left out."""
    open_notes: dict[int, list] = {}
    for element in staff.flatten().notes:
        start, end = float(element.offset), float(element.offset + element.quarterLength)
        for note in getattr(element, "notes", [element]) if end > start else []:
            pitch = note.pitch.midi if hasattr(note, "pitch") else None
            if pitch is None:
                continue
            last = open_notes.get(pitch)
            goes_on = note.tie is not None and note.tie.type in ("stop", "continue")
            if last and goes_on and abs(last[1] - start) < 1e-6:
                last[1] = end
                continue
            if last:
                yield last[0], min(last[1], start), pitch
            open_notes[pitch] = [start, end]
    for pitch, (start, end) in open_notes.items():
        yield start, end, pitch


def _ticks(quarters: float) -> int:
    return round(float(quarters) * TICKS_PER_BEAT)


def _track(events: list[tuple[int, mido.Message]]) -> mido.MidiTrack:
    """Absolute ticks to a track; at one tick releases come before strikes."""
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda e: (e[0], e[1].type == "note_on")):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track
