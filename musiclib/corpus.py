"""The corpus: levels from easy to hard, the main corpus, and pieces held out (section 2.1)."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple
from zipfile import BadZipFile

import numpy as np

from musiclib.difficulty import easiest_first
from musiclib.errors import InputError
from musiclib.files import digest, replacing
from musiclib.keys import estimate_key
from musiclib.leaks import leaking
from musiclib.measures import STEPS_PER_MEASURE, density
from musiclib.sources import (
    HELD_OUT,
    MAIN,
    SourceSets,
    encode_all,
    folder_sources,
    shipped_sources,
)
from musiclib.transforms import reverse_time, shift

SHORTEST = 128  # steps; shorter pieces are left out, as published
LEVEL_COUNT = 4
HELD_OUT_SHARE = 5  # one piece in five
FEWEST_PIECES = LEVEL_COUNT + 1
DRAW_SEED = 2016

Mode = Literal["all", "major", "minor"]


class Piece(NamedTuple):
    """A piece as note states (T, 78, 2) and as piano roll (T', 88), uint8."""

    name: str
    states: np.ndarray
    roll: np.ndarray


@dataclass(frozen=True)
class Corpus:
    """Sets of pieces by name, levels first in order, then `main` and `held-out`.

    `skipped` says why a file was not read, `short` and `leaked` name pieces left out.
    """

    sets: dict[str, list[Piece]]
    skipped: dict[str, str] = field(default_factory=dict)
    short: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)

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
        """Digest of all names and notes."""
        parts: list[bytes | str] = []
        for name, pieces in self.sets.items():
            parts.append(name)
            for piece in pieces:
                parts += [piece.name, piece.states.tobytes(), piece.roll.tobytes()]
        return digest(*parts)

    def summary(self) -> list[str]:
        """A line a set: how many pieces and steps, and notes a step."""
        return [
            f"{name}: {len(pieces)} pieces, {sum(len(p.states) for p in pieces)} steps,"
            f" {density(states_of(pieces)):.2f} notes a step"
            for name, pieces in self.sets.items()
        ]

    def complaints(self) -> list[str]:
        """What was left out and why: unreadable files by name, short and leaking pieces counted."""
        lines = [f"skipped, not readable: {reason}" for reason in self.skipped.values()]
        counts = {
            "not readable": len(self.skipped),
            f"under {SHORTEST} steps in 2 or 4 time": len(self.short),
            "sharing music with held-out pieces": len(self.leaked),
        }
        left_out = [f"{count} {why}" for why, count in counts.items() if count]
        return [*lines, "left out: " + ", ".join(left_out)] if left_out else []


def read_corpus(folder: Path | str | None = None, limit: int | None = None) -> Corpus:
    """Read music21's scores (at most `limit` a group), a folder of MIDI, or a saved corpus (.npz).

    Raises InputError for a folder that is missing or holds too little music.
    """
    if not folder:
        return assemble(shipped_sources(limit))
    path = Path(folder).expanduser()
    return load(path) if path.suffix == ".npz" else assemble(folder_sources(path))


def assemble(sources: SourceSets) -> Corpus:
    """Read all sources and sort the pieces into levels, main and held-out."""
    wanted = list(dict.fromkeys(s for group in sources.values() for s in group))
    read, failed = encode_all(wanted)
    whole = {
        name: [Piece(s.name, *read[s]) for s in group if s in read]
        for name, group in sources.items()
    }
    usable = {name: list(filter(_long_enough, pieces)) for name, pieces in whole.items()}
    short = [p.name for pieces in whole.values() for p in pieces if not _long_enough(p)]
    _check_enough(usable, failed, len(short))
    sets, leaked = without_leaks(with_held_out(usable))
    sets = with_levels(sets)
    skipped = {source.name: reason for source, reason in failed.items()}
    return Corpus(sets, skipped, short, leaked)


def _long_enough(piece: Piece) -> bool:
    return len(piece.states) >= SHORTEST


def _check_enough(sets: dict[str, list[Piece]], failed: dict, short: int) -> None:
    for name in sets:
        fewest = FEWEST_PIECES if name == MAIN else 1
        if len(sets[name]) < fewest:
            raise InputError(
                f"only {len(sets[name])} usable {name} pieces, {fewest} needed: {len(failed)} could"
                f" not be read, {short} have under {SHORTEST} steps in 2 or 4 time; add MIDI files"
                + "".join(f"\n  {reason}" for reason in failed.values())
            )


def with_held_out(sets: dict[str, list[Piece]]) -> dict[str, list[Piece]]:
    """Hold out one piece in five of the main corpus and of the hardest level, unless some are."""
    if sets.get(HELD_OUT):
        return sets
    rng = np.random.default_rng(DRAW_SEED)
    drawn_from = [name for name in sets if name != HELD_OUT][-2:]  # the hardest level, main
    drawn: list[Piece] = []
    kept = dict(sets)
    for name in drawn_from:
        out = set(rng.permutation(len(sets[name]))[: round(len(sets[name]) / HELD_OUT_SHARE)])
        drawn += [p for i, p in enumerate(sets[name]) if i in out]
        kept[name] = [p for i, p in enumerate(sets[name]) if i not in out]
    return kept | {HELD_OUT: drawn}


def with_levels(sets: dict[str, list[Piece]]) -> dict[str, list[Piece]]:
    """Make four levels of the easier half of the main corpus where none are given."""
    given = {name: s for name, s in sets.items() if name not in (MAIN, HELD_OUT) and s}
    rest = {MAIN: sets[MAIN], HELD_OUT: sets[HELD_OUT]}
    if given:
        return given | rest
    if len(sets[MAIN]) < LEVEL_COUNT:
        raise InputError(f"{len(sets[MAIN])} main pieces are too few for levels: add other pieces")
    order = easiest_first([piece.states for piece in sets[MAIN]])
    easier = np.array_split(order[: max(LEVEL_COUNT, len(order) // 2)], LEVEL_COUNT)
    names = ("1-very-easy", "2-easy", "3-medium", "4-hard")
    return {n: [sets[MAIN][i] for i in part] for n, part in zip(names, easier, strict=True)} | rest


def without_leaks(sets: dict[str, list[Piece]]) -> tuple[dict[str, list[Piece]], list[str]]:
    """Take out of training what shares four measures with a held-out piece, transposed or not."""
    held_out = [piece.states for piece in sets[HELD_OUT]]
    kept, leaked = {HELD_OUT: sets[HELD_OUT]}, []
    for name in [name for name in sets if name != HELD_OUT]:
        out = set(leaking((piece.states for piece in sets[name]), held_out))
        leaked += [f"{name}: {p.name}" for i, p in enumerate(sets[name]) if i in out]
        kept[name] = [p for i, p in enumerate(sets[name]) if i not in out]
        if not kept[name]:
            raise InputError(f"every piece of {name} is among the held-out ones: add other pieces")
    return {name: kept[name] for name in sets}, leaked


def prepare(
    corpus: Corpus, *, normalise: bool, mode: Mode = "all", reverse: bool = False
) -> Corpus:
    """The corpus as a model trains on it: key-normalised, of one mode, played backwards.

    Raises InputError where no piece of the main corpus is in the mode; other sets may be empty.
    Pieces played backwards are cut to whole measures first, so that measures stay measures.
    """
    sets = {}
    for name, pieces in corpus.sets.items():
        keyed = ((piece, estimate_key(piece.states)) for piece in pieces)
        sets[name] = [
            _prepared(piece, key.interval if normalise else 0, reverse)
            for piece, key in keyed
            if mode in ("all", key.mode)
        ]
    if not sets[MAIN]:
        raise InputError(f"no piece of {MAIN} is in {mode}: choose another mode or corpus")
    return replace(corpus, sets=sets)


def _prepared(piece: Piece, interval: int, reverse: bool) -> Piece:
    states, roll = shift(piece.states, interval), shift(piece.roll, interval)
    if reverse:
        whole = len(states) // STEPS_PER_MEASURE * STEPS_PER_MEASURE
        states, roll = reverse_time(states[:whole]), roll[::-1]
    return Piece(piece.name, states, np.ascontiguousarray(roll))


def save(corpus: Corpus, path: Path) -> None:
    """Save a corpus as one .npz, for machines without music21 or the files."""
    if path.suffix != ".npz":
        raise InputError(f"{path}: a saved corpus must be named .npz")
    named = [(name, piece) for name, pieces in corpus.sets.items() for piece in pieces]
    arrays = {
        f"{kind}{i}": getattr(p, kind)
        for i, (_, p) in enumerate(named)
        for kind in ("states", "roll")
    }
    arrays["sets"] = np.array([name for name, _ in named])
    arrays["names"] = np.array([piece.name for _, piece in named])
    left_out = {"skipped": corpus.skipped, "short": corpus.short, "leaked": corpus.leaked}
    arrays["left_out"] = np.array(json.dumps(left_out))
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load(path: Path) -> Corpus:
    """Load what `save` wrote; raises InputError for another kind of file."""
    sets: dict[str, list[Piece]] = {}
    try:
        with np.load(path, allow_pickle=False) as stored:
            labels = zip(stored["sets"].tolist(), stored["names"].tolist(), strict=True)
            for i, (group, name) in enumerate(labels):
                piece = Piece(name, stored[f"states{i}"], stored[f"roll{i}"])
                sets.setdefault(group, []).append(piece)
            left_out = json.loads(stored["left_out"].item())
        return Corpus(sets | {MAIN: sets[MAIN], HELD_OUT: sets[HELD_OUT]}, **left_out)
    except (OSError, EOFError, LookupError, ValueError, TypeError, BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: not a corpus saved by musiclib ({error})") from error


def states_of(pieces: Iterable[Piece]) -> list[np.ndarray]:
    """The note states of pieces, in order."""
    return [piece.states for piece in pieces]
