"""Bits saved per note: the repaired metric beside ISL.

What is measured: how many bits per note it saves to describe held-out bars with a Bernoulli
mixture fitted to generated ones, rather than with independent notes, each cell as often as in a
reference set. Every held-out bar counts: what a model does not play costs it bits instead of
being left out. More is better; 0 is what independent notes reach.

Conventions: a bar is 2,496 bits (16 steps x 78 notes x play, articulate); a note here is a bit
that is set, so that a note costs its first step twice and every step that it is held once. Bars
are cut from each piece by itself. Intervals are 95 % bootstrap intervals over held-out pieces.

References: section 2.5 of the paper for what is repaired; Theis, van den Oord and Bethge 2016 for
why a kernel estimate could not do it.
"""

from collections.abc import Sequence

import numpy as np

from musiclib.base.errors import InputError
from musiclib.metrics.bernoulli_mixture import floored, log_likelihood
from musiclib.metrics.bootstrap import Estimate, ratio
from musiclib.metrics.isl import validate
from musiclib.music.bars import bars, piece_bars


def saved(
    generated: np.ndarray, held_out: np.ndarray, frequencies: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Bits saved on each held-out bar (m, cells), float64 of shape (m,).

    `generated` (n, cells) holds bits; `frequencies` (cells,) is how often a cell of the reference
    set is played. Raises InputError for an empty table, other values than bits, other widths.
    """
    validate(generated, held_out)
    if len(frequencies) != held_out.shape[1]:
        raise InputError(f"{len(frequencies)} reference cells, {held_out.shape[1]} held-out ones")
    chances = floored(frequencies)
    independent = held_out @ np.log(chances) + (1 - held_out) @ np.log1p(-chances)
    return (log_likelihood(generated, held_out, seed) - independent) / np.log(2)


def bits_saved_of_pieces(
    generated: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
    frequencies: np.ndarray | None = None,
    seed: int = 0,
) -> Estimate:
    """Bits saved per note by generated pieces (T, 78, 2) on held-out ones; `n` counts the notes.

    `frequencies` (2496,) are those of the held-out bars themselves unless they are given.
    """
    ours, theirs = piece_bars(generated), piece_bars(held_out)
    validate(ours, theirs)
    if not theirs.any():
        raise InputError("the held-out bars hold no note: there is none to save bits on")
    bits = saved(ours, theirs, theirs.mean(axis=0) if frequencies is None else frequencies, seed)
    counts = [len(bars([piece])) for piece in held_out]
    ends = np.cumsum([count for count in counts if count])[:-1]
    totals = np.array([part.sum() for part in np.split(bits, ends)])
    notes = np.array([part.sum() for part in np.split(theirs, ends)])
    return ratio(totals, notes, seed)
