"""What needs no learning, the bar that a network has to clear, and whether a run clears it.

Three predictors of the next step, each given the best rates in hindsight, those of the very music
that is judged: one constant rate for all notes; a rate for each pitch; a rate for notes that
sounded a step before and one for those that did not ("repeat"). A network whose held-out loss does
not stay below the best of them by a margin has learned nothing that its figures could be about.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize_scalar
from scipy.special import entr
from torch import Tensor

from musiclib.corpus.excerpts import NOTHING
from musiclib.music.note_states import ARTICULATE, PLAY

CONSTANT, PITCH, REPEAT = "one constant rate", "a rate for each pitch", "repeating the step before"
MARGIN = 0.02  # share of the best loss without learning that a network must be below it
LATE = 0.1  # last share of training, in which every held-out loss counts


class Verdict(NamedTuple):
    """Whether a run learned; `why` says what its held-out loss was late and at best, beside what.

    A run that was better once has not learned either: it has forgotten, by learning its pieces by
    heart, what it knew of other music.
    """

    learned: bool
    why: str


def verdict(held_out: pd.DataFrame, without: Mapping[str, float]) -> Verdict:
    """Whether held-out losses stay below what needs no learning in the last tenth of training.

    `held_out` has the columns iteration and loss, its last row at the end of training. Without
    held-out music a run has not shown that it learned.
    """
    if not len(held_out) or not without:
        return Verdict(False, "there is no held-out loss")
    late = held_out["loss"][held_out["iteration"] > (1 - LATE) * held_out["iteration"].max()]
    name = min(without, key=without.__getitem__)
    worst = late.max(skipna=False)
    return Verdict(
        bool(worst < (1 - MARGIN) * without[name]),
        f"held-out loss {worst:.5g} late in training, {held_out['loss'].min():.5g} at best,"
        f" {without[name]:.5g} by {name}",
    )


def coin_flips(target: np.ndarray, before: np.ndarray) -> dict[str, float]:
    """Nats per row of 88 independent coin flips; `target` and `before` (rows, 88) are 0 or 1."""
    return {name: loss / len(target) for name, loss in _flips(target, before).items()}


def struck_notes(target: np.ndarray, before: np.ndarray) -> dict[str, float]:
    """Nats in all of note states (steps, 78, 2): play, and articulate where a note plays."""
    play, struck = target[..., PLAY], target[..., ARTICULATE]
    sounded = before[..., PLAY]
    articulation = _nats(play.sum(), (play * struck).sum())
    by_past = sum(
        _nats((play * s).sum(), (play * s * struck).sum()) for s in (sounded, 1 - sounded)
    )
    flips = _flips(play, sounded)
    return {name: flips[name] + articulation for name in (CONSTANT, PITCH)} | {
        REPEAT: flips[REPEAT] + by_past
    }


def of_segments(batches: Sequence[tuple[Tensor, bool]]) -> dict[str, float]:
    """`struck_notes` of batches of segments (B, T, 78, 2), nats per batch of steps 1 and later."""
    states = torch.stack([batch for batch, _ in batches]).double().numpy()
    before, target = (
        part.reshape(-1, *states.shape[3:]) for part in (states[:, :, :-1], states[:, :, 1:])
    )
    return {name: loss / len(batches) for name, loss in struck_notes(target, before).items()}


def of_excerpts(batches: Sequence[tuple[Tensor, bool]]) -> dict[str, float]:
    """`coin_flips` of batches of excerpts of rolls (B, T + 1, K), nats per step that there is."""
    rolls = torch.cat([batch for batch, _ in batches]).numpy()
    there = rolls[:, 1:, 0] != NOTHING
    before, target = rolls[:, :-1][there].astype(float), rolls[:, 1:][there].astype(float)
    return coin_flips(target, before)


def _flips(play: np.ndarray, before: np.ndarray) -> dict[str, float]:
    return {
        CONSTANT: _nats(play.size, play.sum()),
        PITCH: sum(_nats(len(play), count) for count in play.sum(axis=0)),
        REPEAT: sum(_nats(s.sum(), (play * s).sum()) for s in (before, 1 - before)),
    }


def _nats(flips: float, heads: float) -> float:
    """Of coins that all have the share of heads as their chance."""
    share = heads / flips if flips else 0.0
    return float(flips * (entr(share) + entr(1 - share)))


def shares(target: np.ndarray, before: np.ndarray) -> dict[str, float]:
    """Published categorical loss, nats per row: -sum_i y_i log(p_i / sum_j p_j), all (rows, 88)."""
    notes = target.sum(axis=1)
    of_pitch = target.sum(axis=0) / max(target.sum(), 1)
    return {
        CONSTANT: float(notes.mean() * np.log(target.shape[1])),
        PITCH: float(target.sum() * entr(of_pitch).sum() / len(target)),
        REPEAT: _repeating(target, before),
    }


def _repeating(target: np.ndarray, before: np.ndarray) -> float:
    """A weight for keys that sounded a step before, another for the others, at their best ratio."""
    sounded, keys = before.sum(axis=1), target.shape[1]
    notes, again = target.sum(axis=1), (target * before).sum(axis=1)

    def loss(log_ratio: float) -> float:
        total = np.log(sounded * np.exp(log_ratio) + keys - sounded)
        return float((notes * total - again * log_ratio).mean())

    return loss(minimize_scalar(loss, bounds=(-12, 12), method="bounded").x)
