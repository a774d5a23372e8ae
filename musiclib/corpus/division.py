"""How pieces are divided into levels, main and held-out; no set leaks into another (2.1)."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from musiclib.base.errors import InputError
from musiclib.corpus.difficulty import easiest_first
from musiclib.corpus.leaks import families, fingerprints, runs_of, share, together
from musiclib.corpus.levels import HELD_OUT, LEVEL_NAMES, MAIN
from musiclib.corpus.sets import Piece
from musiclib.corpus.shipped import TUNES

HELD_OUT_SHARE = 5  # one piece in five of a folder of one's own
HELD_OUT_SHARE_OF_A_KIND = 6  # one piece in six of each kind of music21's scores
FEWEST_OF_A_KIND = 3  # from which on one piece at least is held out
DRAW_SEED = 2016


def with_held_out(sets: dict[str, list[Piece]]) -> dict[str, list[Piece]]:
    """Hold out one piece in five of the main corpus and of the hardest level, unless some are.

    Copies and versions of a piece are held out together, or not.
    """
    if sets.get(HELD_OUT):
        return sets
    rng = np.random.default_rng(DRAW_SEED)
    drawn_from = [name for name in sets if name != HELD_OUT][-2:]  # the hardest level, main
    drawn: list[Piece] = []
    kept = dict(sets)
    for name in drawn_from:
        out = _families_of(sets[name], round(len(sets[name]) / HELD_OUT_SHARE), rng)
        drawn += [p for i, p in enumerate(sets[name]) if i in out]
        kept[name] = [p for i, p in enumerate(sets[name]) if i not in out]
    return kept | {HELD_OUT: drawn}


def _families_of(pieces: list[Piece], most: int, rng: np.random.Generator) -> set[int]:
    """Indices of at most so many pieces, drawn at random, those that share passages together."""
    order = rng.permutation(len(pieces))
    family = families([piece.passages for piece in pieces])
    size = np.bincount(family)
    if most and size.min() > most:  # one at least, even if it takes more
        return set(np.flatnonzero(family == size.argmin()))
    drawn, chosen = 0, set()
    for own in dict.fromkeys(family[order]):
        if drawn + size[own] <= most:
            drawn, chosen = drawn + size[own], chosen | {own}
    return set(np.flatnonzero(np.isin(family, list(chosen))))


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
    halves = np.array_split(easiest_first([piece.traits for piece in tunes]), 2)
    graded = {
        name: [tunes[i] for i in sorted(half)]
        for name, half in zip(LEVEL_NAMES, halves, strict=False)
    }
    return graded | {name: sets[name] for name in (*LEVEL_NAMES[len(graded) :], MAIN)}


def with_levels(sets: dict[str, list[Piece]]) -> dict[str, list[Piece]]:
    """Make the levels that are not given of the easier half of the main corpus.

    All four, or those that come after the first of `LEVEL_NAMES`; a folder's own levels are all
    that there are. The pieces of the levels made here stay in main, too.
    """
    given = {name: s for name, s in sets.items() if name not in (MAIN, HELD_OUT) and s}
    rest = {MAIN: sets[MAIN], HELD_OUT: sets[HELD_OUT]}
    names = LEVEL_NAMES[len(given) :] if tuple(given) == LEVEL_NAMES[: len(given)] else ()
    if not names:
        return given | rest
    count = len(names)
    if len(sets[MAIN]) < count:
        raise InputError(f"{len(sets[MAIN])} main pieces are too few for levels: add other pieces")
    order = easiest_first([piece.traits for piece in sets[MAIN]])
    easier = np.array_split(order[: max(count, len(order) // 2)], count)
    named = zip(names, easier, strict=True)
    return given | {name: [sets[MAIN][i] for i in part] for name, part in named} | rest


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
    known = runs_of(piece.states for piece in sets[HELD_OUT])
    kept, leaked = dict(sets), []
    for name in [name for name in reversed(sets) if name != HELD_OUT]:
        kept[name], gone, new = [], [], [known]
        for piece in sets[name]:
            runs = fingerprints(piece.states)
            if piece.name in also:
                runs = together([runs, fingerprints(also[piece.name])])
            leaks = share(runs, known)
            (gone if leaks else kept[name]).append(piece)
            new += [runs] if apart and not leaks else []
        if not kept[name]:
            raise InputError(f"every piece of {name} is in another set too: add other pieces")
        leaked = [f"{name}: {piece.name}" for piece in gone] + leaked
        known = together(new)
    return kept, leaked
