"""The corpus: levels from easy to hard, the main corpus, and pieces held out (section 2.1)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np

from musiclib.base.files import digest_of
from musiclib.base.progress import say
from musiclib.corpus.difficulty import difficulties, traits
from musiclib.corpus.facts import Facts
from musiclib.corpus.leaks import fingerprints, passages
from musiclib.corpus.levels import HELD_OUT, MAIN
from musiclib.corpus.shipped import group_of
from musiclib.music.bars import density
from musiclib.music.keys import Key, key_of, pitch_class_steps
from musiclib.music.left_out import CUT, TOO_SHORT, LeftOut
from musiclib.music.note_states import Metre
from musiclib.music.packed import Packed

READS_ON, SAVED_ANEW = LeftOut.remedy, "saved anew with --metre all it has them"
SHORTEST = 128  # steps; shorter pieces are left out, as published


class Piece(NamedTuple):
    """A piece as note states (T, 78, 2) and as piano roll (T', 88), uint8.

    `positions` (T,), uint16, are those in true bars; None: bars of 16 steps from the beginning.
    All three may lie on disk. `facts` is what is known of the piece as it was read.
    """

    name: str
    states: np.ndarray | Packed
    roll: np.ndarray | Packed
    positions: np.ndarray | None = None
    facts: Facts | None = None

    @property
    def kind(self) -> str:
        """What kind of music it is: a group of music21's scores, or the folder it lies in."""
        return group_of(self.name) or PurePath(self.name).parent.name or "files"

    def in_memory(self) -> "Piece":
        """The piece with arrays that lie in memory."""
        there = {name: getattr(self, name) for name in ("states", "roll", "positions")}
        return self._replace(**{n: np.asarray(a) for n, a in there.items() if a is not None})

    @property
    def traits(self) -> tuple[float, float, int]:
        """Onsets per step, notes sounding per step, range in semitones."""
        return self.facts.traits if self.facts else traits(np.asarray(self.states))

    @property
    def key(self) -> Key:
        """The key that it is in, as published."""
        weights = self.facts.weights if self.facts else pitch_class_steps(np.asarray(self.states))
        return key_of(weights, "paper")

    @property
    def passages(self) -> np.ndarray:
        """Some of its fingerprints, uint64, the same ones in a copy."""
        return self.facts.passages if self.facts else passages(fingerprints(self.states))


@dataclass(frozen=True)
class Corpus:
    """Sets of pieces by name, levels first in order, then `main` and `held-out`.

    `skipped` says why a file was not read, `short`, `silent`, `double` and `leaked` name pieces
    left out, `double` by the piece that has the same notes. `files` is what is known of every file
    read, `saved` names the file that it comes from, if from one.
    """

    sets: dict[str, list[Piece]]
    skipped: dict[str, str] = field(default_factory=dict)
    short: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    double: dict[str, str] = field(default_factory=dict)
    files: dict[str, Facts] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    saved: str = ""

    @property
    def levels(self) -> dict[str, list[Piece]]:
        """The curriculum's sets, from easy to hard."""
        return {name: s for name, s in self.sets.items() if name not in (MAIN, HELD_OUT)}

    @property
    def main(self) -> list[Piece]:
        """The main training corpus."""
        return self.sets[MAIN]

    @property
    def held_out(self) -> list[Piece]:
        """Pieces that are never trained on."""
        return self.sets[HELD_OUT]

    @cached_property
    def checksum(self) -> str:
        """Digest of all names, notes and true bars."""
        return digest_of(self._parts())

    def _parts(self) -> Iterator[bytes | str]:
        for name, pieces in self.sets.items():
            yield name
            for piece in pieces:
                yield piece.name
                for array in (piece.states, piece.roll, piece.positions):
                    yield from () if array is None else (np.asarray(array).tobytes(),)

    def difficulties(self) -> dict[str, float]:
        """How hard each set is, 0 to 1: the mean over its pieces."""
        of = self.difficulty_of_pieces()
        return {name: float(np.mean([of[p.name] for p in s])) for name, s in self.sets.items() if s}

    def difficulty_of_pieces(self) -> dict[str, float]:
        """How hard each piece is by name, 0 to 1, ranked among all pieces."""
        every = {piece.name: piece.traits for pieces in self.sets.values() for piece in pieces}
        return dict(zip(every, difficulties(list(every.values())).tolist(), strict=True))

    @property
    def left_out(self) -> dict[str, Any]:
        """What was not read, or not used, as fields of a corpus."""
        kinds = ("skipped", "short", "leaked", "double", "silent")
        return {name: getattr(self, name) for name in kinds}

    def summary(self) -> list[str]:
        """A line per set: how many pieces and steps, and notes per step."""
        return [
            f"{name}: {len(pieces)} pieces, {sum(len(p.states) for p in pieces)} steps,"
            f" {density(piece.states for piece in pieces):.2f} notes per step"
            for name, pieces in self.sets.items()
        ]

    def complaints(self, remedy: str = READS_ON) -> list[str]:
        """What was left out, why, and how much music that costs, as `music.left_out` says it.

        `remedy` says what reads on in every metre.
        """
        lines = _left_out(self, SAVED_ANEW if self.saved else remedy).lines()
        if not self.saved:
            return lines
        head = [f"{self.saved}: when it was saved, this had been left out:"] * bool(lines)
        if self.metre == "paper" and not all(piece.facts for piece in self._pieces()):
            lines.append(f"{self.saved}: what is {CUT} is not kept in it")
        return head + lines

    def say_complaints(self, remedy: str = READS_ON) -> None:
        """Write them to stderr, if there are any."""
        for line in self.complaints(remedy):
            say(line)

    def _pieces(self) -> Iterator[Piece]:
        return (piece for pieces in self.sets.values() for piece in pieces)

    @property
    def leaked_names(self) -> list[str]:
        """The names of the pieces of `leaked`, which tells first which set each was in."""
        return [entry.removeprefix(f"{self._set_of(entry)}: ") for entry in self.leaked]

    def _set_of(self, entry: str) -> str:
        return next((name for name in self.sets if entry.startswith(f"{name}: ")), "")

    @property
    def metre(self) -> Metre:
        """How it was read: "all" where true bars are known."""
        return "paper" if all(piece.positions is None for piece in self._pieces()) else "all"


def _left_out(corpus: Corpus, remedy: str) -> LeftOut:
    """What became of the files of a corpus, as far as it is known."""
    used = {piece.name: piece.facts for piece in corpus._pieces() if piece.facts}
    known = used | corpus.files
    told = LeftOut(
        files=len(corpus.files) + len(corpus.skipped) if corpus.files else 0,
        steps=sum(facts.whole for facts in known.values()),
        notes=sum(facts.notes + facts.outside for facts in used.values()),
        skipped=corpus.skipped,
        cut={name: f.whole - f.steps for name, f in known.items() if f.whole > f.steps},
        outside={name: f.outside for name, f in used.items() if f.outside},
        remedy=remedy,
    )
    kinds = {
        (TOO_SHORT, _how_short(corpus)): corpus.short,
        ("without notes", "of which no note is read"): corpus.silent,
        ("duplicate", "with the notes of another file"): corpus.double,
        ("shared", "sharing music with held-out pieces or another set"): corpus.leaked_names,
    }
    for (kind, how), names in kinds.items():
        told.not_used(kind, how, {n: known[n].steps if n in known else None for n in names})
    return told


def _how_short(corpus: Corpus) -> str:
    """What is said of pieces that are too short: whether it is for their metre."""
    known = [corpus.files[name] for name in corpus.short if name in corpus.files]
    if len(known) < len(corpus.short):
        return f"under {SHORTEST} steps" + " as read in 2 or 4 time" * (corpus.metre == "paper")
    cut = sum(facts.whole >= SHORTEST for facts in known)
    return f"under {SHORTEST} steps" + f" ({cut:,} of them for being cut short)" * bool(cut)


def states_of(pieces: Iterable[Piece]) -> list[np.ndarray]:
    """The note states of pieces, in order."""
    return [piece.states for piece in pieces]
