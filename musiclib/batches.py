"""What one training iteration looks at. A batch is a pure function of iteration and generator."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from musiclib.errors import InputError
from musiclib.measures import STEPS_PER_MEASURE


class Batches(Protocol):
    """A source of batches; `fresh` says that the model's memory starts anew with this one."""

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """The batch of an iteration and `fresh`."""


class Segments:
    """Segments of pieces drawn at random, starting at a measure: for the biaxial RNN."""

    def __init__(self, pieces: Sequence[np.ndarray], batch: int, steps: int) -> None:
        self.pieces = [torch.from_numpy(piece) for piece in pieces if len(piece) >= steps]
        self.batch, self.steps = batch, steps
        if not self.pieces:
            raise InputError(
                f"no piece has the {steps} steps of a training segment: add longer pieces"
            )

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """States (batch, steps, 78, 2), uint8; always fresh."""
        return torch.stack([self._segment(generator) for _ in range(self.batch)]), True

    def _segment(self, generator: torch.Generator) -> Tensor:
        piece = self.pieces[_below(len(self.pieces), generator)]
        starts = (len(piece) - self.steps) // STEPS_PER_MEASURE + 1
        start = _below(starts, generator) * STEPS_PER_MEASURE
        return piece[start : start + self.steps]

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """A fixed choice for held-out loss: segments spread evenly over all that there are."""
        segments = [s for p in self.pieces for s in p.split(self.steps) if len(s) == self.steps]
        wanted = batches * self.batch
        at = np.arange(wanted) * len(segments) // wanted  # repeats where there are fewer
        return [(part, True) for part in torch.stack([segments[i] for i in at]).split(self.batch)]


class Windows:
    """Overlapping windows of a stream of piano rolls, in order, so that the LSTM keeps its memory.

    The stream is cut into `batch` lanes of equal length; each row of a batch reads one lane, a
    window every `hop` steps. An epoch is one reading of the lanes; at its start memory is fresh.
    """

    def __init__(self, rolls: Sequence[np.ndarray], batch: int, window: int, hop: int) -> None:
        stream = torch.from_numpy(np.concatenate(list(rolls)))
        self.window, self.hop = window, hop
        lanes = min(batch, len(stream) // (window + hop))
        if lanes == 0:
            raise InputError(f"{len(stream)} samples of 0.3 s are too few for windows of {window}")
        length = len(stream) // lanes
        self.lanes = stream[: lanes * length].unflatten(0, (lanes, length))  # (batch, length, 88)
        self.epoch = (length - window - 1) // hop + 1

    def draw(self, iteration: int, generator: torch.Generator | None = None) -> tuple[Tensor, bool]:
        """Rolls (batch, window + 1, 88), uint8: a window and the step to predict."""
        index = iteration % self.epoch
        start = index * self.hop
        return self.lanes[:, start : start + self.window + 1], index == 0

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """The first `batches` of an epoch, in order, for held-out loss."""
        return [self.draw(index) for index in range(min(batches, self.epoch))]


def _below(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator))
