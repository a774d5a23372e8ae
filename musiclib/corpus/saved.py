"""A corpus as one .npz file, for machines without music21 or the files; it runs no code."""

import json
from pathlib import Path

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.files import DAMAGED
from musiclib.base.progress import waiting
from musiclib.base.writing import replacing
from musiclib.corpus.levels import HELD_OUT, MAIN
from musiclib.corpus.sets import Corpus, Piece

ARRAYS = ("states", "roll", "positions")


@waiting("writing the corpus")
def save(corpus: Corpus, path: Path) -> None:
    """Save a corpus as one .npz, for machines without music21 or the files."""
    if path.suffix != ".npz":
        raise InputError(f"{path}: a saved corpus must be named .npz")
    named = [(name, piece) for name, pieces in corpus.sets.items() for piece in pieces]
    arrays = {
        f"{kind}{i}": np.asarray(getattr(p, kind))
        for i, (_, p) in enumerate(named)
        for kind in ARRAYS
        if getattr(p, kind) is not None
    }
    arrays["sets"] = np.array([name for name, _ in named])
    arrays["names"] = np.array([piece.name for _, piece in named])
    arrays["left_out"] = np.array(json.dumps(corpus.left_out))
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


@waiting("loading the corpus")
def load(path: Path) -> Corpus:
    """Load what `save` wrote; raises InputError for another kind of file."""
    sets: dict[str, list[Piece]] = {}
    try:
        with np.load(path, allow_pickle=False) as stored:
            labels = zip(stored["sets"].tolist(), stored["names"].tolist(), strict=True)
            for i, (group, name) in enumerate(labels):
                kinds = (kind for kind in ARRAYS if f"{kind}{i}" in stored)
                piece = Piece(name, **{kind: stored[f"{kind}{i}"] for kind in kinds})
                sets.setdefault(group, []).append(piece)
            left_out = json.loads(stored["left_out"].item())
        return Corpus(sets | {MAIN: sets[MAIN], HELD_OUT: sets[HELD_OUT]}, **left_out)
    except DAMAGED as error:
        raise InputError(f"{path}: not a corpus saved by musiclib ({error})") from error
