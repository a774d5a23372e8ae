"""Indirect Sampling Likelihood (ISL), section 2.5 of the paper.

What is measured: how likely held-out measures are under a kernel density estimate of generated
ones. The published estimate is statsmodels' ``KDEMultivariate`` with 2,496 unordered variables, one
a cell of the measure, and its default bandwidth.

Conventions: a measure is 2,496 bits (16 steps x 78 notes x play, articulate). Values are natural
logarithms, nats a measure; higher is better, and wrongly so for silence (see `Score.dropped`).
Where statsmodels multiplies factors until they underflow to 0, below about -744, we add logarithms
and stay finite.

References: Breuleux, Bengio and Vincent 2011 (the idea); Aitchison and Aitken 1976 (the kernel);
Theis, van den Oord and Bethge 2016 (why to mistrust it).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from musiclib.errors import InputError
from musiclib.measures import measures

BANDWIDTH_FACTOR = 1.06
BLOCK = 256


class Score(NamedTuple):
    """An ISL with what it rests on; `isl` is None where every held-out measure was dropped."""

    isl: float | None
    generated_measures: int
    held_out_measures: int
    dropped: int


def isl(generated: np.ndarray, held_out: np.ndarray) -> Score:
    """Mean log density of held-out measures, leaving out those that the kernel makes NaN.

    `generated` (n, cells) and `held_out` (m, cells) hold bits. Raises InputError where either is
    empty or the widths differ.
    """
    validate(generated, held_out)
    values = log_densities(generated, held_out)
    kept = values[~np.isnan(values)]
    mean = float(kept.mean()) if len(kept) else None
    return Score(mean, len(generated), len(values), len(values) - len(kept))


def isl_of_pieces(generated: Sequence[np.ndarray], held_out: Sequence[np.ndarray]) -> Score:
    """ISL of pieces (T, 78, 2) in file-name order; the first held-out one counts twice (paper)."""
    return isl(measures(generated), measures([*held_out[:1], *held_out]))


def validate(generated: np.ndarray, held_out: np.ndarray) -> None:
    """Raise InputError unless both are (n, cells) bits of one width with at least one row."""
    for name, table in {"generated": generated, "held-out": held_out}.items():
        if table.ndim != 2 or not len(table):
            raise InputError(f"no {name} measure: the music is shorter than 16 steps in all")
        other = table[~np.isin(table, (0, 1))]
        if len(other):
            raise InputError(f"{name} measures must hold 0 and 1 alone, not {other[0]}")
    if generated.shape[1] != held_out.shape[1]:
        raise InputError(
            f"generated measures have {generated.shape[1]} cells, held-out {held_out.shape[1]}"
        )


def bandwidth(generated: np.ndarray) -> np.ndarray:
    """statsmodels' normal reference rule a cell: 1.06 s n^(-1/(4 + cells)).

    n is twice the number of measures: the published runs gave statsmodels every measure twice,
    since it wants more rows than columns.
    """
    n, cells = generated.shape
    return (
        BANDWIDTH_FACTOR * generated.std(axis=0, dtype=np.float64) * (2 * n) ** (-1 / (4 + cells))
    )


def log_densities(generated: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Log density of each held-out measure, float64 of shape (m,), NaN where the kernel is 0/0.

    A cell that is the same in all generated measures has bandwidth 0 and one level, so its kernel
    is 0/0 for a held-out measure that differs there. Elsewhere a kernel is a product over cells of
    1 - h (equal) or h (different): its log is linear in the Hamming distance of each cell.
    """
    h = bandwidth(generated)
    alive = h > 0
    log_equal, log_different = np.log1p(-h[alive]), np.log(h[alive])
    weight = log_different - log_equal
    x = generated[:, alive].astype(np.float64)
    constant = log_equal.sum() + x @ weight  # (n,)
    values = np.full(len(held_out), np.nan)
    fits = (held_out[:, ~alive] == generated[0, ~alive]).all(axis=1)
    for rows in np.array_split(np.flatnonzero(fits), max(1, fits.sum() // BLOCK)):
        y = held_out[rows][:, alive].astype(np.float64)
        log_kernels = constant + (y @ weight)[:, None] - 2 * (y * weight) @ x.T  # (rows, n)
        values[rows] = logsumexp(log_kernels, axis=1) - np.log(len(generated))
    return values
