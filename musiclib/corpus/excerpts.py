"""Excerpts of piano rolls of which every step is a target, the first of a piece among them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from musiclib.base.errors import InputError
from musiclib.corpus.batches import below, interval
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.transforms import moved

NOTHING = 255  # in place of a key that is down or not: there is no such step


class Excerpts:
    """Excerpts of up to `steps` steps of piano rolls, drawn at random, every step of them a target.

    They begin at every bar of a piece, the last where it reaches the end. Before their first step
    lies the one that was heard before it, which at the beginning of a piece is silence; what is
    shorter is filled up with `NOTHING`. Each that is drawn is moved by up to `move` semitones.
    """

    def __init__(self, rolls: Sequence[np.ndarray], batch: int, steps: int, move: int = 0) -> None:
        if steps < STEPS_PER_BAR:
            raise InputError(f"excerpts of {steps} steps: ask for {STEPS_PER_BAR}, a bar, or more")
        self.rolls, self.batch, self.steps, self.move = rolls, batch, steps, move
        self.places = [
            (index, start)
            for index, roll in enumerate(rolls)
            for start in range(0, _up_to_a_bar(len(roll) - steps) + 1, STEPS_PER_BAR)
            if len(roll)
        ]
        if not self.places:
            raise InputError("no piece has a step to train on: add longer pieces")
        self.epoch = -(-len(self.places) // batch)

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """Rolls (batch, steps + 1, keys), uint8: 0, 1, or `NOTHING` where there is no music."""
        some = [self.places[below(len(self.places), generator)] for _ in range(self.batch)]
        return self._read(some, [interval(self.move, generator) for _ in some]), True

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """A fixed choice for held-out loss: excerpts spread evenly over all that there are."""
        wanted = batches * self.batch
        some = [self.places[i * len(self.places) // wanted] for i in range(wanted)]
        each = (some[first : first + self.batch] for first in range(0, wanted, self.batch))
        return [(self._read(part, [0] * len(part)), True) for part in each]

    def _read(self, places: Sequence[tuple[int, int]], moves: Sequence[int]) -> Tensor:
        each = [
            excerpt(moved(self.rolls[index][max(start - 1, 0) : start + self.steps], move), start)
            for (index, start), move in zip(places, moves, strict=True)
        ]
        return filled_up(each, self.steps + 1)


def excerpt(roll: np.ndarray, start: int = 0) -> np.ndarray:
    """A roll (T, keys) that begins with what was heard before its first step: silence, at 0."""
    return roll if start else np.concatenate([np.zeros_like(roll[:1]), roll])


def filled_up(rolls: Sequence[np.ndarray], rows: int) -> Tensor:
    """Rolls (T, keys) as one batch (B, rows, keys), uint8, filled up with `NOTHING`."""
    filled = np.full((len(rolls), rows, *rolls[0].shape[1:]), NOTHING, np.uint8)
    for row, roll in zip(filled, rolls, strict=True):
        row[: len(roll)] = roll
    return torch.from_numpy(filled)


def _up_to_a_bar(steps: int) -> int:
    return -(-max(steps, 0) // STEPS_PER_BAR) * STEPS_PER_BAR
