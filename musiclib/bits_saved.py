"""Bits saved a note: the repaired measure beside ISL.

What is measured: how many bits a note it saves to describe held-out measures with a Bernoulli
mixture fitted to generated ones, rather than with independent notes, each cell as often as in a
reference set. Every held-out measure counts: what a model does not play costs it bits instead of
being left out. More is better; 0 is what independent notes reach.

Conventions: a measure is 2,496 bits (16 steps x 78 notes x play, articulate); a note here is a bit
that is set, so that a note costs its first step twice and every step that it is held once. Measures
are cut from each piece by itself. Intervals are 95 % bootstrap intervals over held-out pieces.

References: section 2.5 of the paper for what is repaired; Theis, van den Oord and Bethge 2016 for
why a kernel estimate could not do it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from musiclib.errors import InputError
from musiclib.isl import Score, validate
from musiclib.measures import CELLS, measures
from musiclib.mixture import floored, log_likelihood

RESAMPLES = 2000
CONFIDENCE = 95


class BitsSaved(NamedTuple):
    """Bits saved a note with its interval, which is None for fewer than two held-out pieces."""

    value: float
    low: float | None
    high: float | None
    generated_measures: int
    held_out_measures: int

    @property
    def score(self) -> Score:
        """The value under ISL's names; nothing is ever dropped."""
        return Score(self.value, self.generated_measures, self.held_out_measures, 0)


def saved(
    generated: np.ndarray, held_out: np.ndarray, frequencies: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Bits saved on each held-out measure (m, cells), float64 of shape (m,).

    `generated` (n, cells) holds bits; `frequencies` (cells,) is how often a cell of the reference
    set is played. Raises InputError for an empty table, other values than bits, other widths.
    """
    validate(generated, held_out)
    if len(frequencies) != held_out.shape[1]:
        raise InputError(f"{len(frequencies)} reference cells, {held_out.shape[1]} held-out ones")
    chances = floored(frequencies)
    independent = held_out @ np.log(chances) + (1 - held_out) @ np.log1p(-chances)
    return (log_likelihood(generated, held_out, seed) - independent) / np.log(2)


def bits_saved(
    generated: np.ndarray,
    held_out: np.ndarray,
    reference: np.ndarray | None = None,
    seed: int = 0,
) -> float:
    """Bits saved a note on held-out measures; all three are tables of bits of one width.

    `reference` is the held-out set itself unless it is given. Raises InputError where there is
    nothing to score: an empty table, other widths, or held-out measures without a note.
    """
    validate(generated, held_out)
    reference = held_out if reference is None else reference
    validate(reference, held_out)
    bits = saved(generated, held_out, reference.mean(axis=0), seed)
    return float(bits.sum() / _notes([held_out])[0])


def bits_saved_of_pieces(
    generated: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
    frequencies: np.ndarray | None = None,
    seed: int = 0,
) -> BitsSaved:
    """Bits saved a note by generated pieces (T, 78, 2) on held-out ones, with its interval.

    `frequencies` (2496,) are those of the held-out measures themselves unless they are given. A
    held-out piece without a whole measure or without a note is left out.
    """
    ours, cut = measures_of(generated), [measures([piece]) for piece in held_out]
    cut = [table for table in cut if table.any()]
    theirs = np.concatenate([*cut, np.zeros((0, CELLS), np.uint8)])
    validate(ours, theirs)
    bits = saved(ours, theirs, theirs.mean(axis=0) if frequencies is None else frequencies, seed)
    a_piece = [part.sum() for part in np.split(bits, np.cumsum([len(table) for table in cut])[:-1])]
    low, high = interval(np.asarray(a_piece), _notes(cut), seed)
    return BitsSaved(float(bits.sum() / _notes(cut).sum()), low, high, len(ours), len(theirs))


def measures_of(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """All whole measures of pieces, each cut by itself: uint8 of shape (n, 2496)."""
    return np.concatenate([measures([piece]) for piece in pieces] or [measures([])])


def frequencies_of(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """How often each cell is played in the measures of pieces, float64 of shape (2496,)."""
    return measures_of(pieces).mean(axis=0)


def interval(
    totals: np.ndarray, counts: np.ndarray, seed: int = 0
) -> tuple[float, float] | tuple[None, None]:
    """Bootstrap interval over pieces of sum(totals) / sum(counts); (None, None) for one piece."""
    if len(totals) < 2:
        return None, None
    drawn = np.random.default_rng(seed).integers(len(totals), size=(RESAMPLES, len(totals)))
    ratios = totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    tail = (100 - CONFIDENCE) / 2
    low, high = np.percentile(ratios, [tail, 100 - tail])
    return float(low), float(high)


def _notes(tables: Sequence[np.ndarray]) -> np.ndarray:
    """Bits set in each table, int64; raises InputError where there is none in all."""
    counts = np.array([table.sum(dtype=np.int64) for table in tables])
    if not counts.sum():
        raise InputError("the held-out measures hold no note: there is none to save bits on")
    return counts
