"""From files to a corpus: music21's scores, a folder of MIDI files, or a saved corpus."""

import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path

from filelock import FileLock

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT, expanded
from musiclib.base.progress import say, waiting
from musiclib.corpus import saved, shards
from musiclib.corpus.collections import MUSIC21, is_named
from musiclib.corpus.division import (
    with_graded_tunes,
    with_held_out,
    with_held_out_kinds,
    with_levels,
    without_leaks,
)
from musiclib.corpus.encoding import Encoded
from musiclib.corpus.levels import LEVEL_NAMES, MAIN
from musiclib.corpus.named import collection_sources
from musiclib.corpus.reading import IN_MEMORY, encode_all
from musiclib.corpus.sets import SHORTEST, Corpus, Piece
from musiclib.corpus.sources import SourceSets, folder_sources, shipped_sources
from musiclib.music.note_states import NOTES, Metre
from musiclib.music.packed import Packed
from musiclib.music.piano_roll import KEYS

WHOLE = "in all voices"  # chorales of the levels, read for comparing alone
FEWEST_PIECES = len(LEVEL_NAMES) + 1
NAMED = 3  # unreadable files in an error
ON_DISK = ROOT / ".cache" / "corpora"

Encode = Callable[[list], tuple[dict, dict]]


def read_corpus(
    folder: Path | str | None = None,
    limit: int | None = None,
    metre: Metre = "paper",
    executor: Executor | None = None,
) -> Corpus:
    """Read music21's scores (at most `limit` a group), a folder of MIDI, or a saved corpus.

    A name of `collections.NAMED` means what is downloaded when first asked for. `metre="all"` reads
    on in every metre and keeps true bars. `executor` has the workers that read, if not this
    machine's cores: Dask's `Client(...).get_executor()`, say. Raises InputError for a folder that
    is missing or holds too little music, and for files that cannot be had.
    """
    encode = partial(encode_all, metre=metre, executor=executor)
    if not folder or folder == MUSIC21:
        return ready(assemble_shipped(shipped_sources(limit, metre), encode))
    if is_named(folder):
        return ready(assemble(collection_sources(folder), encode))
    path = expanded(folder)
    if path.suffix in (".npz", shards.SUFFIX):
        kept = _saved(path)
        if metre != "paper" and kept.metre != metre:
            raise InputError(f"{path} has no true bars: save it anew with --metre {metre}")
        return kept
    return ready(assemble(folder_sources(path), encode))


def _saved(path: Path) -> Corpus:
    if path.suffix == shards.SUFFIX:
        return shards.read(path, saved=str(path))
    return replace(saved.load(path), saved=str(path))


def assemble(sources: SourceSets, encode: Encode = encode_all) -> Corpus:
    """Read a folder's sources and sort the pieces into levels, main and held-out."""
    usable, left_out = _read(sources, encode)
    with waiting("dividing the music"):
        usable, double = _without_doubles(usable)
        left_out = replace(left_out, double=double)
        _check_enough(usable, left_out)
        sets, leaked = without_leaks(with_held_out(usable))
        return replace(left_out, sets=with_levels(sets), leaked=leaked)


def assemble_shipped(sources: SourceSets, encode: Encode = encode_all) -> Corpus:
    """Read music21's scores: levels of other pieces than main, a piece in six of a kind held out.

    Chorales of which a level has some voices are compared with the other sets in all their voices.
    """
    levels = [source for name in LEVEL_NAMES for source in sources.get(name, ())]
    whole = [replace(source, parts="all") for source in levels]
    usable, left_out = _read(sources | {WHOLE: whole}, encode)
    _check_enough(usable, left_out)
    all_voices = {piece.name: piece.states for piece in usable.pop(WHOLE)}
    with waiting("dividing the music"):
        sets = with_held_out_kinds(with_graded_tunes(usable))
        sets, leaked = without_leaks(sets, apart=True, also=all_voices)
    return replace(left_out, sets=sets, leaked=leaked)


def ready(corpus: Corpus) -> Corpus:
    """The corpus in memory or, where it is too large, in shards that are kept beside the cache."""
    if sum(len(piece.states) for pieces in corpus.sets.values() for piece in pieces) <= IN_MEMORY:
        whole = {name: [piece.in_memory() for piece in s] for name, s in corpus.sets.items()}
        return replace(corpus, sets=whole)
    folder = ON_DISK / f"{corpus.checksum}{shards.SUFFIX}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):  # who waits finds it there
            return _in_shards(corpus, folder)
    except (OSError, InputError) as error:  # packed it may well fit
        reason = getattr(error, "strerror", None) or error
        say(f"{folder.parent}: {reason}; the music stays in memory, packed, and is not kept")
        return corpus


def _in_shards(corpus: Corpus, folder: Path) -> Corpus:
    try:
        return shards.read(folder, files=corpus.files)
    except InputError:  # not there yet, or damaged
        shutil.rmtree(folder, ignore_errors=True)
    shards.write(corpus, folder)
    return shards.read(folder, files=corpus.files)


def _read(sources: SourceSets, encode: Encode) -> tuple[dict[str, list[Piece]], Corpus]:
    """The pieces that are long enough and not silent, and a corpus that tells what was left out."""
    wanted = list(dict.fromkeys(s for group in sources.values() for s in group))
    read, failed = encode(wanted)
    pieces = {source: _piece(source.name, entry) for source, entry in read.items()}
    whole = {name: [pieces[s] for s in group if s in pieces] for name, group in sources.items()}
    usable = {name: [p for p in group if not _why_not(p)] for name, group in whole.items()}
    of_no_use = {(p.name, _why_not(p)): None for group in whole.values() for p in group}
    return usable, Corpus(
        {},
        {source.name: reason for source, reason in failed.items()},
        [name for name, why in of_no_use if why == "short"],
        files={piece.name: piece.facts for piece in pieces.values()},
        silent=[name for name, why in of_no_use if why == "silent"],
    )


def _piece(name: str, entry: Encoded) -> Piece:
    states, roll = Packed(entry.states, (NOTES, 2)), Packed(entry.roll, (KEYS,))
    return Piece(name, states, roll, entry.positions, entry.facts)


def _why_not(piece: Piece) -> str:
    """Why a piece is of no use: none of its notes is among the 78, say. Empty if it is of use."""
    facts = piece.facts
    if facts.outside and not facts.notes:
        return "silent"
    if len(piece.states) < SHORTEST:
        return "short"
    return "" if facts.weights.any() else "silent"


def _without_doubles(sets: dict[str, list[Piece]]) -> tuple[dict[str, list[Piece]], dict[str, str]]:
    """Sets in which the same notes come once, and for each file left out the one that stays."""
    kept, double = {}, {}
    for name, pieces in sets.items():
        first: dict[str, Piece] = {}
        for piece in pieces:
            if first.setdefault(piece.facts.digest, piece) is not piece:
                double[piece.name] = first[piece.facts.digest].name
        kept[name] = list(first.values())
    return kept, double


def _check_enough(sets: dict[str, list[Piece]], left_out: Corpus) -> None:
    for name in sets:
        fewest = FEWEST_PIECES if name == MAIN else 1
        if len(sets[name]) < fewest:
            raise InputError(
                f"only {len(sets[name])} usable {name} pieces, {fewest} needed:"
                f" {_counted(left_out)}; add MIDI files"
            )


def _counted(left_out: Corpus) -> str:
    """How many files were left out and why, the first unreadable ones by name."""
    first = [reason.partition("; ")[0] for reason in left_out.skipped.values()][:NAMED]
    more = len(left_out.skipped) - len(first)
    named = f" ({', '.join(first)}{f', and {more} more' * (more > 0)})" * bool(first)
    cut = sum(left_out.files[name].whole >= SHORTEST for name in left_out.short)
    counts = [
        f"{len(left_out.skipped)} could not be read{named}",
        f"{len(left_out.short)} have under {SHORTEST} steps"
        + f" ({cut} of them only as read in 2 or 4 time: --metre all reads on)" * (cut > 0),
    ]
    counts += [f"{len(left_out.double)} have the notes of another"] * bool(left_out.double)
    counts += [f"{len(left_out.silent)} have no note that is read"] * bool(left_out.silent)
    return ", ".join(counts)
