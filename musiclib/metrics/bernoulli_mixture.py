"""A Bernoulli mixture fitted to bars: a density in which every bar has a place.

Conventions: bars are rows of bits, (n, cells). The fit hangs on nothing but the music: not on
the order of cells or (but for ties, see `different`) of bars, not on how often the whole sample
is repeated, and cells that nobody plays change nothing. To that end repeats are weights of one row,
and rows and cells are put in an order that follows from their content before anything is drawn or
summed.

Reference: Juan and Vidal 2002 (expectation maximisation of Bernoulli mixtures).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from musiclib.base.progress import waiting

COMPONENTS = (1, 5, 10, 20, 40)
PART = 1000  # different bars that a fit sees: no sample wins by size alone
MOST_PARTS = 4
VALIDATION = 5  # one different bar in five chooses the number of components
BACKOFF = 10.0  # bars' worth of the sample's own frequencies that each component is mixed with
FLOOR = 1e-4  # share of a fair coin in every cell
ITERATIONS, TOLERANCE = 50, 1e-5
EDGE = 1e-6  # keeps logarithms finite while fitting
HASH_SEED = 2016


class Mixture(NamedTuple):
    """Shares (k,) of components, and each one's chance that a cell is played (k, cells)."""

    shares: np.ndarray
    chances: np.ndarray

    def log_likelihood(self, bars: np.ndarray) -> np.ndarray:
        """Log probability of each bar, nats, float64 of shape (m,)."""
        return logsumexp(_joint(bars.astype(np.float64), self.shares, self.chances), axis=1)


@waiting("fitting mixtures to the music")
def log_likelihood(generated: np.ndarray, bars: np.ndarray, seed: int = 0) -> np.ndarray:
    """Log probability of bars (m, cells) under mixtures fitted to generated ones (n, cells).

    The mean over up to four parts of the sample, 1,000 different bars each.
    """
    fits = [fit(rows, weights, seed) for rows, weights in parts(generated)]
    return np.mean([mixture.log_likelihood(bars) for mixture in fits], axis=0)


def floored(chances: np.ndarray) -> np.ndarray:
    """Chances mixed with a small share of a fair coin: none is 0 or 1."""
    return (1 - FLOOR) * chances + FLOOR / 2


def parts(table: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The sample as up to four sets of at most 1,000 different bars, with their weights."""
    rows, weights = different(table)
    count = min(MOST_PARTS, -(-len(rows) // PART))
    starts = np.linspace(0, max(len(rows) - PART, 0), count).astype(int)
    return [(rows[s : s + PART], weights[s : s + PART]) for s in starts]


def different(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different rows and each one's share, in a pseudo-random order.

    The order comes from a hash of each row's cells, which are named by how often they are played:
    neither renaming the cells nor repeating or reordering the rows changes it. Ties, which need
    cells that are played equally often, stay in order of appearance.
    """
    table = np.ascontiguousarray(table, dtype=np.uint8)
    _, first, counts = np.unique(_keys(table), return_index=True, return_counts=True)
    played = table.sum(axis=0, dtype=np.int64)
    names = np.unique(played[played > 0], return_inverse=True)[1]
    hashes = np.random.default_rng(HASH_SEED).integers(2**63, size=names.size, dtype=np.uint64)
    row_hash = table[first][:, played > 0] @ hashes[names]
    order = np.lexsort((first, row_hash))
    return table[first[order]], counts[order] / len(table)


def _keys(bits: np.ndarray) -> np.ndarray:
    """Each row of bits as one value that can be compared."""
    packed = np.packbits(bits, axis=1)
    return packed.view(f"V{packed.shape[1]}").ravel()


def fit(rows: np.ndarray, weights: np.ndarray, seed: int = 0) -> Mixture:
    """A mixture fitted to different rows in random order, the components chosen on a share."""
    cells = np.flatnonzero(rows.any(axis=0))
    chances = np.zeros((1, rows.shape[1]))
    shares = np.ones(1)
    if len(cells):
        cells = cells[np.argsort(_keys(np.ascontiguousarray(rows[:, cells].T)), kind="stable")]
        table = rows[:, cells].astype(np.float64)
        shares, found = _fit(table, weights, _choose(table, weights, seed), seed)
        chances = np.zeros((len(shares), rows.shape[1]))
        chances[:, cells] = found
    return Mixture(shares, floored(chances))


def _choose(table: np.ndarray, weights: np.ndarray, seed: int) -> int:
    """The number of components under which the validation share is likeliest."""
    held = len(table) // VALIDATION
    if not held:
        return 1
    likelihoods = {}
    for count in [count for count in COMPONENTS if count <= len(table) - held]:
        shares, chances = _fit(table[held:], weights[held:], count, seed)
        joint = _joint(table[:held], shares, floored(chances))
        likelihoods[count] = weights[:held] @ logsumexp(joint, axis=1)
    return max(likelihoods, key=likelihoods.__getitem__)


def _fit(
    table: np.ndarray, weights: np.ndarray, components: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Expectation maximisation from random bars as first guesses."""
    weights = weights * (len(table) / weights.sum())
    mean = weights @ table / len(table)
    drawn = np.random.default_rng(seed).choice(len(table), components, replace=False)
    chances = np.clip((table[drawn] + mean) / 2, EDGE, 1 - EDGE)
    shares = np.full(components, 1 / components)
    before = -np.inf
    for _ in range(ITERATIONS):
        joint = _joint(table, shares, chances)  # (n, k)
        likelihood = logsumexp(joint, axis=1, keepdims=True)
        belonging = np.exp(joint - likelihood) * weights[:, None]
        sizes = belonging.sum(axis=0)
        shares = (sizes + EDGE) / (sizes + EDGE).sum()
        chances = (belonging.T @ table + BACKOFF * mean) / (sizes[:, None] + BACKOFF)
        chances = np.clip(chances, EDGE, 1 - EDGE)
        now = float(weights @ likelihood[:, 0])
        if now - before < TOLERANCE * abs(now):
            break
        before = now
    return shares, chances


def _joint(table: np.ndarray, shares: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Log probability of each row together with each component, (n, k)."""
    played, silent = np.log(chances), np.log1p(-chances)
    return table @ (played - silent).T + silent.sum(axis=1) + np.log(shares)
