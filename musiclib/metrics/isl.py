"""Indirect Sampling Likelihood (ISL), section 2.5 of the paper.

What is measured: how likely held-out bars are under a kernel density estimate of generated
ones. The published estimate is statsmodels' ``KDEMultivariate`` with 2,496 unordered variables, one
a cell of the bar, and its default bandwidth.

Conventions: a bar is 2,496 bits (16 steps x 78 notes x play, articulate). Values are natural
logarithms, nats per bar; higher is better, wrongly so for sparse music (see notebook 08).
Where statsmodels multiplies factors until they underflow to 0, below about -744, we add logarithms
and stay finite. For bits the kernel's log is a weighted Hamming distance, so that all of them are
one product of matrices: made in blocks, in float64, on a GPU where there is one.

See `bits_saved` for a metric that silence does not win.

References: Breuleux, Bengio and Vincent 2011 (the idea); Aitchison and Aitken 1976 (the kernel);
Theis, van den Oord and Bethge 2016 (why to mistrust it).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array

from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.progress import Progress
from musiclib.music.bars import bars

BANDWIDTH_FACTOR = 1.06
HELD_OUT_BLOCK, GENERATED_BLOCK = 1024, 4096  # rows: under 200 MB in all, whatever the sizes
SPARSE = 0.1  # share of cells played below which a sparse product is faster
DEVICE = device()


class Score(NamedTuple):
    """An ISL with what it rests on; `isl` is None where every held-out bar was dropped."""

    isl: float | None
    generated_bars: int
    held_out_bars: int
    dropped: int


def isl(generated: np.ndarray, held_out: np.ndarray) -> Score:
    """Mean log density of held-out bars, leaving out those that the kernel makes NaN.

    `generated` (n, cells) and `held_out` (m, cells) hold bits. Raises InputError where either is
    empty or the widths differ.
    """
    values = log_densities(generated, held_out)
    kept = values[~np.isnan(values)]
    mean = float(kept.mean()) if len(kept) else None
    return Score(mean, len(generated), len(values), len(values) - len(kept))


def isl_of_pieces(generated: Sequence[np.ndarray], held_out: Sequence[np.ndarray]) -> Score:
    """ISL of pieces (T, 78, 2) in file-name order; the first held-out one counts twice (paper)."""
    return isl(bars(generated), bars([*held_out[:1], *held_out]))


def validate(generated: np.ndarray, held_out: np.ndarray) -> None:
    """Raise InputError unless both are (n, cells) bits of one width with at least one row."""
    for name, table in {"generated": generated, "held-out": held_out}.items():
        if table.ndim != 2 or not table.size:
            raise InputError(f"no {name} bar of 16 steps: there is too little music")
        other = _other_than_bits(table)
        if other is not None:
            raise InputError(f"{name} bars must hold 0 and 1 alone, not {other}")
    if generated.shape[1] != held_out.shape[1]:
        raise InputError(
            f"generated bars have {generated.shape[1]} cells, held-out {held_out.shape[1]}"
        )


def _other_than_bits(table: np.ndarray) -> float | None:
    """The first value that is neither 0 nor 1."""
    for rows in blocks(len(table), GENERATED_BLOCK):
        wrong = (table[rows] != 0) & (table[rows] != 1)
        if wrong.any():
            return table[rows][wrong][0]
    return None


def bandwidth(generated: np.ndarray) -> np.ndarray:
    """statsmodels' normal reference rule per cell: 1.06 s n^(-1/(4 + cells)).

    n is twice the number of bars: the published runs gave statsmodels every bar twice,
    since it wants more rows than columns.
    """
    n, cells = generated.shape
    played = np.sum(generated, axis=0, dtype=np.int64) / n
    return BANDWIDTH_FACTOR * np.sqrt(played * (1 - played)) * (2 * n) ** (-1 / (4 + cells))


def log_densities(generated: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Log density of each held-out bar, float64 of shape (m,), NaN where the kernel is 0/0.

    A cell that is the same in all generated bars has bandwidth 0 and one level, so its kernel
    is 0/0 for a held-out bar that differs there. Elsewhere a kernel is a product over cells of
    1 - h (equal) or h (different): its log is linear in the Hamming distance of each cell.
    """
    validate(generated, held_out)
    h = bandwidth(generated)
    alive = h > 0
    fits = np.flatnonzero(_agreeing(held_out, generated[0], ~alive))
    values = np.full(len(held_out), np.nan)
    values[fits] = _log_kernel_sums(generated, held_out, fits, h) - np.log(len(generated))
    return values


def _agreeing(held_out: np.ndarray, bar: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Which rows equal a bar in the given cells."""
    parts = blocks(len(held_out), GENERATED_BLOCK)
    return np.concatenate([~((held_out[p] != bar) & cells).any(axis=1) for p in parts])


def _log_kernel_sums(
    generated: np.ndarray, held_out: np.ndarray, fits: np.ndarray, h: np.ndarray
) -> np.ndarray:
    """Log of the sum of kernels over generated bars for the held-out rows `fits`.

    With weights w = log h - log(1 - h), a log kernel is sum log(1 - h) + x.w + y.w - 2 x.(yw);
    cells that never change (h = 0) weigh nothing.
    """
    alive = h > 0
    equal = np.log1p(-h)
    weight = torch.from_numpy(np.where(alive, np.log(np.where(alive, h, 1)) - equal, 0)).to(DEVICE)
    totals = torch.full((len(fits),), -torch.inf, dtype=torch.float64, device=DEVICE)
    with Progress(len(generated), "isl") as progress:
        for rows in blocks(len(generated), GENERATED_BLOCK):
            x = _left_factor(generated[rows])
            constant = x(weight[:, None]) + equal[alive].sum()  # (n, 1)
            for part in blocks(len(fits), HELD_OUT_BLOCK):
                y = torch.from_numpy(held_out[fits[part]].T.astype(np.float64)).to(DEVICE)
                log_kernels = x(y * (-2 * weight[:, None])).add_(constant)  # (n, m)
                top = log_kernels.amax(dim=0)
                sums = top + log_kernels.sub_(top).exp_().sum(dim=0).log_()  # (m,)
                totals[part] = torch.logaddexp(totals[part], sums + weight @ y)
            progress.add(len(generated[rows]))
    return totals.cpu().numpy()


def _left_factor(bits: np.ndarray) -> Callable[[torch.Tensor], torch.Tensor]:
    """What multiplies bits (n, cells) with a matrix from the right, in float64.

    Music leaves most cells empty: without a GPU a sparse product is several times faster then.
    """
    if DEVICE.type == "cpu" and np.count_nonzero(bits) < SPARSE * bits.size:
        sparse = csr_array(bits.astype(bool), dtype=np.float64)
        return lambda right: torch.from_numpy(sparse @ right.numpy())
    dense = torch.from_numpy(np.array(bits, dtype=np.uint8, order="C")).to(DEVICE).double()
    return lambda right: dense @ right


def blocks(count: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover range(count)."""
    return (slice(start, start + size) for start in range(0, count, size))
