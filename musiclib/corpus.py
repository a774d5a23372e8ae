"""The corpus: levels from easy to hard, the main corpus, and pieces held out (section 2.1)."""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple
from zipfile import BadZipFile

import numpy as np

from musiclib.difficulty import difficulties, easiest_first
from musiclib.errors import InputError
from musiclib.files import digest, replacing
from musiclib.keys import estimate_key
from musiclib.leaks import runs_of
from musiclib.measures import STEPS_PER_MEASURE, density
from musiclib.scores import TUNES
from musiclib.sources import (
    HELD_OUT,
    MAIN,
    SourceSets,
    encode_all,
    folder_sources,
    kind_of,
    shipped_sources,
)
from musiclib.transforms import reverse_time, shift

SHORTEST = 128  # steps; shorter pieces are left out, as published
LEVEL_NAMES = ("1-very-easy", "2-easy", "3-medium", "4-hard")
LEVEL_COUNT = len(LEVEL_NAMES)
HELD_OUT_SHARE = 5  # one piece in five of a folder of one's own
HELD_OUT_SHARE_OF_A_KIND = 6  # one piece in six of each kind of music21's scores
FEWEST_OF_A_KIND = 3  # from which on one piece at least is held out
WHOLE = "in all voices"  # chorales of the levels, read for comparing alone
FEWEST_PIECES = LEVEL_COUNT + 1
DRAW_SEED = 2016

Mode = Literal["all", "major", "minor"]


class Piece(NamedTuple):
    """A piece as note states (T, 78, 2) and as piano roll (T', 88), uint8."""

    name: str
    states: np.ndarray
    roll: np.ndarray

    @property
    def kind(self) -> str:
        """What kind of music it is: a group of music21's scores, or the folder it lies in."""
        return kind_of(self.name)


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

    def difficulties(self) -> dict[str, float]:
        """How hard each set is, 0 to 1: the mean over its pieces, each ranked among all pieces."""
        every = {piece.name: piece.states for pieces in self.sets.values() for piece in pieces}
        of = dict(zip(every, difficulties(list(every.values())), strict=True))
        return {name: float(np.mean([of[p.name] for p in s])) for name, s in self.sets.items() if s}

    def summary(self) -> list[str]:
        """A line per set: how many pieces and steps, and notes per step."""
        return [
            f"{name}: {len(pieces)} pieces, {sum(len(p.states) for p in pieces)} steps,"
            f" {density(states_of(pieces)):.2f} notes per step"
            for name, pieces in self.sets.items()
        ]

    def complaints(self) -> list[str]:
        """What was left out and why: unreadable files by name, short and leaking pieces counted."""
        lines = [f"skipped, not readable: {reason}" for reason in self.skipped.values()]
        counts = {
            "not readable": len(self.skipped),
            f"under {SHORTEST} steps in 2 or 4 time": len(self.short),
            "sharing music with held-out pieces or another set": len(self.leaked),
        }
        left_out = [f"{count} {why}" for why, count in counts.items() if count]
        return [*lines, "left out: " + ", ".join(left_out)] if left_out else []


def read_corpus(folder: Path | str | None = None, limit: int | None = None) -> Corpus:
    """Read music21's scores (at most `limit` a group), a folder of MIDI, or a saved corpus (.npz).

    Raises InputError for a folder that is missing or holds too little music.
    """
    if not folder:
        return assemble_shipped(shipped_sources(limit))
    path = Path(folder).expanduser()
    return load(path) if path.suffix == ".npz" else assemble(folder_sources(path))


def assemble(sources: SourceSets) -> Corpus:
    """Read a folder's sources and sort the pieces into levels, main and held-out."""
    usable, left_out = _read(sources)
    sets, leaked = without_leaks(with_held_out(usable))
    return replace(left_out, sets=with_levels(sets), leaked=leaked)


def assemble_shipped(sources: SourceSets) -> Corpus:
    """Read music21's scores: levels of other pieces than main, a piece in six of a kind held out.

    Chorales of which a level has some voices are compared with the other sets in all their voices.
    """
    levels = [source for name in LEVEL_NAMES for source in sources.get(name, ())]
    whole = [replace(source, parts="all") for source in levels]
    usable, left_out = _read(sources | {WHOLE: whole})
    all_voices = {piece.name: piece.states for piece in usable.pop(WHOLE)}
    sets = with_held_out_kinds(with_graded_tunes(usable))
    sets, leaked = without_leaks(sets, apart=True, also=all_voices)
    return replace(left_out, sets=sets, leaked=leaked)


def _read(sources: SourceSets) -> tuple[dict[str, list[Piece]], Corpus]:
    """The pieces that are long enough, and a corpus that tells what was left out."""
    wanted = list(dict.fromkeys(s for group in sources.values() for s in group))
    read, failed = encode_all(wanted)
    whole = {
        name: [Piece(s.name, *read[s]) for s in group if s in read]
        for name, group in sources.items()
    }
    usable = {name: list(filter(_long_enough, pieces)) for name, pieces in whole.items()}
    short = [p.name for pieces in whole.values() for p in pieces if not _long_enough(p)]
    short = list(dict.fromkeys(short))
    _check_enough(usable, failed, len(short))
    return usable, Corpus({}, {source.name: reason for source, reason in failed.items()}, short)


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


def with_held_out_kinds(sets: dict[str, list[Piece]]) -> dict[str, list[Piece]]:
    """Hold out one piece in six of each kind of the main corpus, one at least of three or more."""
    rng = np.random.default_rng(DRAW_SEED)
    drawn: set[str] = set()
    for kind in dict.fromkeys(piece.kind for piece in sets[MAIN]):
        names = [piece.name for piece in sets[MAIN] if piece.kind == kind]
        count = round(len(names) / HELD_OUT_SHARE_OF_A_KIND) or len(names) >= FEWEST_OF_A_KIND
        drawn |= {names[i] for i in rng.permutation(len(names))[: int(count)]}
    kept = [piece for piece in sets[MAIN] if piece.name not in drawn]
    held_out = [piece for piece in sets[MAIN] if piece.name in drawn]
    return sets | {MAIN: kept, HELD_OUT: held_out}


def with_graded_tunes(sets: dict[str, list[Piece]]) -> dict[str, list[Piece]]:
    """Make the first two levels of the easier and the harder half of the tunes."""
    tunes = sets[TUNES]
    halves = np.array_split(easiest_first([piece.states for piece in tunes]), 2)
    graded = {
        name: [tunes[i] for i in sorted(half)]
        for name, half in zip(LEVEL_NAMES, halves, strict=False)
    }
    return graded | {name: sets[name] for name in (*LEVEL_NAMES[len(graded) :], MAIN)}


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
    named = zip(LEVEL_NAMES, easier, strict=True)
    return {name: [sets[MAIN][i] for i in part] for name, part in named} | rest


def without_leaks(
    sets: dict[str, list[Piece]],
    *,
    apart: bool = False,
    also: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> tuple[dict[str, list[Piece]], list[str]]:
    """Take out of training what shares four bars with a held-out piece, transposed or not.

    With `apart`, no two sets share four bars: main keeps its pieces, then the harder level does.
    `also` holds other versions of pieces by name, states (T, 78, 2), which must not be shared.
    """
    known = runs_of(states_of(sets[HELD_OUT]))
    kept, leaked = dict(sets), []
    for name in [name for name in reversed(sets) if name != HELD_OUT]:
        runs = {p.name: runs_of([p.states, also.get(p.name, p.states)]) for p in sets[name]}
        kept[name] = [p for p in sets[name] if known.isdisjoint(runs[p.name])]
        gone = [f"{name}: {p.name}" for p in sets[name] if not known.isdisjoint(runs[p.name])]
        if not kept[name]:
            raise InputError(f"every piece of {name} is in another set too: add other pieces")
        leaked = gone + leaked
        known = known.union(*(runs[p.name] for p in kept[name])) if apart else known
    return kept, leaked


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


def some_of(pieces: list[Piece], steps: int, seed: int) -> list[Piece]:
    """Pieces drawn at random until they have `steps` steps, the last one cut to fit."""
    drawn, left = [], steps
    for index in np.random.default_rng(seed).permutation(len(pieces)):
        piece = pieces[index]
        samples = round(len(piece.roll) * min(1.0, left / len(piece.states)))
        drawn.append(Piece(piece.name, piece.states[:left], piece.roll[:samples]))
        left -= len(drawn[-1].states)
        if left <= 0:
            break
    return drawn


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
