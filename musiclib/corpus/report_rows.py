"""What became of every file of a corpus: used or not, why, and what is in it.

All of it comes from what is known of the files (`facts`): no notes are read again, unless of
pieces that were saved without their facts.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from musiclib.corpus.facts import Facts
from musiclib.corpus.sets import SHORTEST, Corpus, Piece
from musiclib.music.keys import MODES, Key, key_of, with_opening
from musiclib.music.midi_events import TOO_LARGE
from musiclib.music.note_states import LOWEST_PITCH, NOTES

USED = "used"
METRE, SHORT, OUTSIDE, SILENT = "metre", "too short", "out of range", "without notes"
DOUBLE, SHARED, LARGE, UNREADABLE = "duplicate", "shared with held-out", "too large", "unreadable"
KINDS = (USED, METRE, SHORT, OUTSIDE, SILENT, DOUBLE, SHARED, LARGE, UNREADABLE)
TONICS = {
    "major": ("C", "D flat", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"),
    "minor": (
        "C",
        "C sharp",
        "D",
        "E flat",
        "E",
        "F",
        "F sharp",
        "G",
        "G sharp",
        "A",
        "B flat",
        "B",
    ),
}
KEY_NAMES = tuple(f"{tonic} {mode}" for mode in MODES for tonic in TONICS[mode])


class File(NamedTuple):
    """A file of a corpus: a row of the report. What is not known is None.

    - sets: those that it is in; reason: one of `KINDS`; sentence: the reason in words
    - steps, steps_in_all_metres: as read, and in whatever metre
    - metres: the time signatures that it names, as "3/4"
    - notes, notes_out_of_range: strikes in all of the file, among the 78 pitches and not
    - range_semitones: from the lowest note read to the highest
    - key, confidence: as `music.keys` estimates it by the opening
    - difficulty: 0 to 1, among all pieces used
    """

    file: str
    sets: tuple[str, ...]
    reason: str
    sentence: str
    steps: int | None = None
    steps_in_all_metres: int | None = None
    metres: tuple[str, ...] | None = None
    notes: int | None = None
    notes_out_of_range: int | None = None
    onsets_per_step: float | None = None
    notes_per_step: float | None = None
    range_semitones: int | None = None
    key: str | None = None
    confidence: float | None = None
    difficulty: float | None = None


def files_of(corpus: Corpus) -> list[File]:
    """A row for every file that was found, used or not, ordered by name."""
    sets: dict[str, list[str]] = {}
    for name, pieces in corpus.sets.items():
        for piece in pieces:
            sets.setdefault(piece.name, []).append(name)
    hard = corpus.difficulty_of_pieces()
    rows = [_used(piece, tuple(sets[piece.name]), hard[piece.name]) for piece in _pieces(corpus)]
    rows += [_left_out(corpus, *why) for why in _reasons(corpus) if why[0] not in sets]
    return sorted(rows)


def _pieces(corpus: Corpus) -> Iterable[Piece]:
    """Each piece that is used, once."""
    return {p.name: p for pieces in corpus.sets.values() for p in pieces}.values()


def _used(piece: Piece, sets: tuple[str, ...], difficulty: float) -> File:
    known = piece.facts is not None
    facts = piece.facts or Facts.of(np.asarray(piece.states), np.asarray(piece.roll))
    row = File(piece.name, sets, USED, _use(facts, sets), difficulty=difficulty, **_told(facts))
    unknown = ("steps_in_all_metres", "metres", "notes", "notes_out_of_range")
    return row if known else row._replace(**dict.fromkeys(unknown))


def _told(facts: Facts) -> dict[str, Any]:
    """What facts say of a file, in a row's words."""
    key = key_of(with_opening(facts.weights, facts.opening))
    onsets, sounding, span = facts.traits
    silent = not facts.weights.any()
    return {
        "steps": facts.steps,
        "steps_in_all_metres": facts.whole,
        "metres": facts.metres,
        "notes": facts.notes,
        "notes_out_of_range": facts.outside,
        "onsets_per_step": float(onsets),
        "notes_per_step": float(sounding),
        "range_semitones": None if silent else int(span),
        "key": None if silent else named(key),
        "confidence": None if silent else float(key.confidence),
    }


def named(key: Key) -> str:
    """A key in words: "E flat major"."""
    return f"{TONICS[key.mode][key.tonic]} {key.mode}"


def _use(facts: Facts, sets: tuple[str, ...]) -> str:
    told = [f"in {' and '.join(sets)}"]
    if facts.whole > facts.steps:
        told.append(f"{facts.steps:,} of {facts.whole:,} steps, to a metre that is not 2 or 4")
    if facts.outside:
        of = f"{facts.notes + facts.outside:,}"
        told.append(f"{facts.outside:,} of {of} notes out of range")
    return ", ".join(told)


def _left_out(corpus: Corpus, name: str, reason: str, sentence: str) -> File:
    facts = corpus.files.get(name)
    return File(name, (), reason, sentence, **(_told(facts) if facts else {}))


def _reasons(corpus: Corpus) -> Iterator[tuple[str, str, str]]:
    """The files left out: name, which of `KINDS`, why in words."""
    for name, said in corpus.skipped.items():
        why = said.partition(f"{name}: ")[2] or said
        yield name, LARGE if why.startswith(TOO_LARGE) else UNREADABLE, why
    for name in corpus.short:
        yield name, *_why_short(corpus.files.get(name))
    for name in corpus.silent:
        yield name, *_why_silent(corpus.files.get(name))
    for name, other in corpus.double.items():
        yield name, DOUBLE, f"it has the notes of {other}"
    for name in corpus.leaked_names:
        yield name, SHARED, "it shares four bars with a held-out piece or another set"


def _why_short(facts: Facts | None) -> tuple[str, str]:
    if facts is None:
        return SHORT, f"under {SHORTEST} steps"
    if facts.whole >= SHORTEST:
        steps = f"{facts.steps:,} of {facts.whole:,} steps"
        return METRE, f"a metre that is not 2 or 4 begins after {steps}"
    return SHORT, f"{facts.steps:,} steps, under {SHORTEST}"


def _why_silent(facts: Facts | None) -> tuple[str, str]:
    if facts is None or not facts.notes + facts.outside:
        return SILENT, "no note of it is read"
    if not facts.notes:
        pitches = f"{LOWEST_PITCH} to {LOWEST_PITCH + NOTES - 1}"
        return OUTSIDE, f"none of its {facts.outside:,} notes is among the pitches {pitches}"
    if facts.whole > facts.steps:
        return METRE, "a metre that is not 2 or 4 begins before its first note"
    return SILENT, "none of its notes lasts to a sixteenth"


def table(files: list[File]):  # noqa: ANN201
    """The rows as a pandas table, sets and metres each as one text."""
    import pandas as pd  # here: it takes those who read a file half a second

    joined = ({"sets": _joined(f.sets), "metres": _joined(f.metres or ())} for f in files)
    rows = (f._replace(**texts) for f, texts in zip(files, joined, strict=True))
    counts = ("steps", "steps_in_all_metres", "notes", "notes_out_of_range", "range_semitones")
    return pd.DataFrame(rows, columns=File._fields).astype(dict.fromkeys(counts, "Int64"))


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)
