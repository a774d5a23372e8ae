"""Scores that music21 reads (MusicXML, ABC, ...), as MIDI.

Tempo marks are mostly missing, so every score is taken at 100 quarter notes a minute: a sample of
0.3 s is then an eighth note. Repeats are not written out.
"""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import mido

from musiclib.base.errors import InputError
from musiclib.music.midi_events import Midi, events_of

Parts = Literal["all", "outer", "three"]
Signature = tuple[int, int, int]  # tick, numerator, denominator
TICKS_PER_BEAT = 480
SCORE_TEMPO = 600_000


def read_score(path: Path, parts: Parts = "all") -> Midi:
    """The events of a score, as `score_midi` has them."""
    return events_of(score_midi(path, parts))


def score_midi(path: Path, parts: Parts = "all") -> mido.MidiFile:
    """Parse a score (MusicXML, ABC, kern, ...) into MIDI, one track per part.

    `parts="outer"` keeps the highest and the lowest staff, `"three"` the second one too. music21's
    pickle cache is not used. Raises InputError for a file that holds several scores, or no staff.
    """
    from music21 import converter, stream
    from music21.musicxml.xmlObjects import MusicXMLWarning

    collecting = gc.isenabled()
    gc.disable()  # a large score's objects make the search for garbage a third of the time
    try:
        with warnings.catch_warnings():
            # Overfull bars in music21's own scores: offsets stay right.
            warnings.simplefilter("ignore", MusicXMLWarning)
            score = converter.parse(path, forceSource=True, storePickle=False)
    finally:
        if collecting:
            gc.enable()
    if isinstance(score, stream.Opus):
        raise InputError(f"{len(score.scores)} scores in one file: split it, a score per file")
    staves = _chosen(list(score.parts), parts)
    notes = list(map(_note_track, staves))
    end = max(sum(message.time for message in track) for track in notes)
    tracks = [_metre_track(staves[0], end), *notes]
    return mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=tracks)


def _chosen(staves: list, parts: Parts) -> list:
    if not staves:
        raise InputError("the score has no staff: choose a file with notes")
    upper = {"all": len(staves) - 1, "outer": 1, "three": 2}[parts]
    return [*staves[:-1][:upper], staves[-1]]


def _metre_track(staff, end: int) -> mido.MidiTrack:  # noqa: ANN001
    metres = [
        (_ticks(metre.offset), metre.numerator, metre.denominator)
        for metre in staff.flatten().getElementsByClass("TimeSignature")
    ]
    lines = {_ticks(bar.offset) for bar in staff.getElementsByClass("Measure")}
    events = [(0, mido.MetaMessage("set_tempo", tempo=SCORE_TEMPO))]
    for tick, top, below in [*metres, *_moved({line for line in lines if line < end}, metres)]:
        signature = mido.MetaMessage("time_signature", numerator=top, denominator=below)
        events.append((tick, signature))
    return _track(events)


def _moved(lines: set[int], metres: list[Signature]) -> Iterator[Signature]:
    """The metre once more at bar lines where it alone would put none, as after an upbeat."""
    changes = {tick: (top, below) for tick, top, below in metres}
    began, (top, below) = 0, (4, 4)
    for tick in sorted(lines | changes.keys()):
        if tick in changes:
            began, (top, below) = tick, changes[tick]
        elif (tick - began) * below % (top * 4 * TICKS_PER_BEAT):
            began = tick
            yield tick, top, below


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
