"""The scores that music21 ships, as MIDI: the default corpus (section 2.1 used piano MIDI instead).

Tempo marks are mostly missing, so every score is taken at 100 quarter notes a minute: a sample of
0.3 s is then an eighth note. Repeats are not written out.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import mido

Parts = Literal["all", "outer"]
TICKS_PER_BEAT = 480
TEMPO = 600_000

# (set, composer folder, suffix, parts); the sets 1 to 4 go from easy to hard.
GROUPS: tuple[tuple[str, str, str, Parts], ...] = (
    ("1-very-easy", "ryansMammoth", ".abc", "all"),
    ("2-easy", "bach", ".mxl", "outer"),
    ("3-medium", "bach", ".mxl", "all"),
    ("4-hard", "mozart", ".mxl", "all"),
    ("4-hard", "haydn", ".mxl", "all"),
    ("main", "beethoven", ".mxl", "all"),
    ("main", "schumann_robert", "", "all"),
)


def shipped(folder: str, suffix: str, limit: int | None) -> list[Path]:
    """Paths of music21's scores in a folder of its corpus, at most `limit`, evenly spread."""
    from music21.corpus.corpora import CoreCorpus

    ordered = sorted(p for p in CoreCorpus().getPaths() if _in(folder, p) and suffix in p.suffix)
    if limit is None or limit >= len(ordered):
        return ordered
    return [ordered[i * len(ordered) // limit] for i in range(limit)]


def _in(folder: str, path: Path) -> bool:
    return folder in (path.parent.name, path.parent.parent.name)


def read_score(path: Path, parts: Parts = "all") -> mido.MidiFile:
    """Parse a score (MusicXML, ABC, kern, ...) into MIDI, one track a part.

    `parts="outer"` keeps the highest and the lowest staff. music21's pickle cache is not used.
    """
    from music21 import converter
    from music21.musicxml.xmlObjects import MusicXMLWarning

    with warnings.catch_warnings():
        # Overfull bars in music21's own scores: offsets stay right.
        warnings.simplefilter("ignore", MusicXMLWarning)
        score = converter.parse(path, forceSource=True, storePickle=False)
    staves = list(score.parts)
    if parts == "outer":
        staves = [staves[0], staves[-1]]
    tracks = [_metre_track(staves[0]), *map(_note_track, staves)]
    return mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=tracks)


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
