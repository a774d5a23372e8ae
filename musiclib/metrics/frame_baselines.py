"""Log-likelihood per frame of piano rolls by what needs no network, beside published ones.

Rolls are uint8 of shape (frames, keys); natural logarithms; the sum over all frames of all pieces
divided by the number of frames, as Boulanger-Lewandowski et al. (2012) have it.
"""

from collections.abc import Sequence

import numpy as np

Rolls = Sequence[np.ndarray]
SMOOTHING = 0.5  # added to how often a key was down, and to how often it was not


def even_odds(rolls: Rolls) -> float:
    """Every key is down at half of the frames: -88 ln 2 = -60.997 for 88 keys, of any music."""
    return -float(np.log(2) * np.concatenate(rolls).shape[1])


def independent_keys(train: Rolls, rolls: Rolls) -> float:
    """Every key is down as often as in the training music, whatever came before."""
    known = np.concatenate(train)
    return _log_likelihood(np.concatenate(rolls), _share(known.sum(axis=0), len(known)))


def first_order(train: Rolls, rolls: Rolls) -> float:
    """Every key is down as often as in the training music after it was down, or was not.

    Of the frames that have one before them; the first of a piece has none.
    """
    before, now = _pairs(train)
    after = [_share((now * was).sum(axis=0), was.sum(axis=0)) for was in (1 - before, before)]
    before, now = _pairs(rolls)
    return _log_likelihood(now, np.where(before, after[1], after[0]))


def _pairs(rolls: Rolls) -> tuple[np.ndarray, np.ndarray]:
    """Each frame that has one before it: that one, and itself."""
    before, now = ([roll[part] for roll in rolls] for part in (slice(None, -1), slice(1, None)))
    return np.concatenate(before).astype(float), np.concatenate(now).astype(float)


def _share(down: np.ndarray, frames: np.ndarray | int) -> np.ndarray:
    return (down + SMOOTHING) / (frames + 2 * SMOOTHING)


def _log_likelihood(now: np.ndarray, chances: np.ndarray) -> float:
    """The mean over frames of the sum over keys."""
    return float(np.where(now, np.log(chances), np.log1p(-chances)).sum(axis=1).mean())
