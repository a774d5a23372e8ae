"""A composed piece judged: its metrics beside those of real music that is as long.

All is brought to C major or A minor first. Real music is excerpts of held-out pieces; the main
corpus is what both may have copied. ISL and bits saved are left out: a few bars are too few for
them, and one piece says little of a model. `metrics.evaluation` judges many.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from musiclib.base.errors import InputError
from musiclib.corpus.difficulty import traits
from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import Corpus, Piece
from musiclib.metrics.evaluation import as_many
from musiclib.metrics.plagiarism import Nearest, longest_runs, nearest_bars
from musiclib.music.bar_grid import bar_starts
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.keys import normalise_key

EXCERPTS = 9
METRICS = {  # how many digits are shown
    "density, notes sounding per step": 2,
    "onsets per step": 2,
    "range, semitones": 0,
    "notes in common with the nearest bar, 0 to 1": 2,
    "bars copied in a row": 0,
}


class Judges(NamedTuple):
    """Main pieces by name, and how far they were moved; held-out pieces to take excerpts of."""

    main: dict[str, np.ndarray]
    intervals: dict[str, int]
    held_out: dict[str, np.ndarray]


KEPT: dict[str, Judges] = {}  # by the corpus's checksum


def judged(states: np.ndarray, corpus: Corpus) -> pd.DataFrame:
    """Metrics of a piece (T, 78, 2) beside real music's: median, lowest and highest of 9 excerpts.

    Columns are metric, this piece, real music, all text. Raises InputError for under a bar.
    """
    bars = len(states) // STEPS_PER_BAR
    if not bars:
        raise InputError(f"a piece of {len(states)} steps: {STEPS_PER_BAR} are the least to judge")
    judges = _judges(corpus)
    [ours] = _values({"this": normalise_key(states).states}, judges)
    real = list(zip(*_real(corpus.checksum, bars), strict=True)) or [()] * len(METRICS)
    rows = [
        (name, f"{value:.{digits}f}", _spread(others, digits))
        for (name, digits), value, others in zip(METRICS.items(), ours, real, strict=True)
    ]
    return pd.DataFrame(rows, columns=["metric", "this piece", "real music"])


def nearest(states: np.ndarray, corpus: Corpus) -> Nearest | None:
    """The bar of the main corpus nearest to one of a piece (T, 78, 2); None for silence.

    Bars have 16 steps, from a chorale's first bar line on, and are counted from 0; `interval` is
    between the two as they are.
    """
    judges, ours = _judges(corpus), normalise_key(states)
    found = nearest_bars({"this": ours.states}, judges.main)["this"]
    if not found:
        return None
    moved = judges.intervals[found.training_piece] - ours.interval
    return found._replace(interval=found.interval + moved)


def _judges(corpus: Corpus) -> Judges:
    if corpus.checksum not in KEPT:
        ready = prepare(corpus, normalise=True)
        KEPT[corpus.checksum] = Judges(
            _by_name(ready.main),
            {piece.name: piece.key.interval for piece in corpus.main},
            _by_name(ready.held_out),
        )
    return KEPT[corpus.checksum]


def _by_name(pieces: list[Piece]) -> dict[str, np.ndarray]:
    """Note states from the first bar line on."""
    return {piece.name: np.asarray(piece.states)[_first_line(piece) :] for piece in pieces}


def _first_line(piece: Piece) -> int:
    lines = [] if piece.positions is None else bar_starts(piece.positions)
    return int(lines[0]) if len(lines) else 0


@lru_cache(maxsize=64)
def _real(checksum: str, bars: int) -> list[tuple[float, ...]]:
    """The metrics of excerpts of real music."""
    judges = KEPT[checksum]
    return _values(as_many(judges.held_out, EXCERPTS * bars, bars), judges)


def _values(pieces: Mapping[str, np.ndarray], judges: Judges) -> list[tuple[float, ...]]:
    """The values of all metrics, a tuple for each piece."""
    near, runs = nearest_bars(pieces, judges.main), longest_runs(pieces, judges.main)
    values = []
    for name, states in pieces.items():
        onsets, density, span = traits(states)
        common = near[name].share if near[name] else 0.0
        values.append((density, onsets, span, common, runs[name].bars))
    return values


def _spread(values: np.ndarray, digits: int) -> str:
    """The median, and from where to where they lie; a dash where there is too little real music."""
    if not len(values):
        return "-"
    middle, low, high = (f"{at(values):.{digits}f}" for at in (np.median, np.min, np.max))
    return f"{middle} ({low} to {high})"
