"""From files to a corpus: music21's scores, a folder of MIDI files, or a saved corpus."""

from dataclasses import replace
from pathlib import Path

from musiclib.base.errors import InputError
from musiclib.corpus.collections import MUSIC21, is_named
from musiclib.corpus.division import (
    with_graded_tunes,
    with_held_out,
    with_held_out_kinds,
    with_levels,
    without_leaks,
)
from musiclib.corpus.levels import LEVEL_NAMES, MAIN
from musiclib.corpus.named import collection_sources
from musiclib.corpus.reading import SourceSets, encode_all, folder_sources, shipped_sources
from musiclib.corpus.saved import load
from musiclib.corpus.sets import SHORTEST, Corpus, Piece

WHOLE = "in all voices"  # chorales of the levels, read for comparing alone
FEWEST_PIECES = len(LEVEL_NAMES) + 1


def read_corpus(folder: Path | str | None = None, limit: int | None = None) -> Corpus:
    """Read music21's scores (at most `limit` a group), a folder of MIDI, or a saved corpus (.npz).

    A name of `collections.NAMED` means what is downloaded when first asked for. Raises InputError
    for a folder that is missing or holds too little music, and for files that cannot be had.
    """
    if not folder or folder == MUSIC21:
        return assemble_shipped(shipped_sources(limit))
    if is_named(folder):
        return assemble(collection_sources(folder))
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
