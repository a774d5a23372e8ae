"""What one training iteration looks at. A batch is a pure function of iteration and generator."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from musiclib.base.errors import InputError
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.corrupted import WRONG, corrupt
from musiclib.music.transforms import legal


class Batches(Protocol):
    """A source of batches; `fresh` says that the model's memory starts anew with this one."""

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """The batch of an iteration and `fresh`."""

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """A fixed choice of so many batches, for held-out loss."""


class Segments:
    """Segments of pieces drawn at random: for the biaxial RNN, starting at a bar, and the RBM.

    `fresh` at the first iteration alone: the RBM's chains go on.
    """

    def __init__(
        self, pieces: Sequence[np.ndarray], batch: int, steps: int, hop: int = STEPS_PER_BAR
    ) -> None:
        self.pieces = [torch.from_numpy(piece) for piece in pieces if len(piece) >= steps]
        self.batch, self.steps, self.hop = batch, steps, hop
        if not self.pieces:
            raise InputError(
                f"no piece has the {steps} steps of a training segment: add longer pieces"
            )

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """States (batch, steps, 78, 2), uint8."""
        segments = torch.stack([self._segment(generator) for _ in range(self.batch)])
        return segments, iteration == 0

    def _segment(self, generator: torch.Generator) -> Tensor:
        piece = self.pieces[_below(len(self.pieces), generator)]
        starts = (len(piece) - self.steps) // self.hop + 1
        start = _below(starts, generator) * self.hop
        return piece[start : start + self.steps]

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """A fixed choice for held-out loss: segments spread evenly over all that there are."""
        segments = [s for p in self.pieces for s in p.split(self.steps) if len(s) == self.steps]
        wanted = batches * self.batch
        at = np.arange(wanted) * len(segments) // wanted  # repeats where there are fewer
        return [(part, True) for part in torch.stack([segments[i] for i in at]).split(self.batch)]


class Corrupted:
    """Excerpts drawn at random, as they are and corrupted: for the conditional RBM.

    Up to `most` of the notes are deleted and as many wrong ones added, of a kind drawn each time.
    """

    def __init__(self, pieces: Sequence[np.ndarray], steps: int, most: float) -> None:
        self.pieces, self.steps, self.most = [legal(piece) for piece in pieces], steps, most

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """The excerpt and how it is given, (1, T, 78, 2 + 2), uint8; T is at most `steps`."""
        piece = self.pieces[_below(len(self.pieces), generator)]
        start = _below(max(len(piece) - self.steps, 0) // STEPS_PER_BAR + 1, generator)
        excerpt = legal(piece[start * STEPS_PER_BAR :][: self.steps])
        rng = np.random.default_rng(_below(2**62, generator))
        given = corrupt(excerpt, rng.uniform(0, self.most), rng, WRONG[rng.integers(len(WRONG))])
        return torch.from_numpy(np.concatenate([excerpt, given], axis=-1))[None], True

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """A fixed choice for held-out loss."""
        return [self.draw(i, torch.Generator().manual_seed(i)) for i in range(batches)]


class Windows:
    """Overlapping windows of a stream of piano rolls, in order, so that the LSTM keeps its memory.

    The stream is cut into `batch` lanes of equal length; each row of a batch reads one lane, a
    window every `hop` steps. An epoch is one reading of the lanes; at its start memory is fresh.
    Where epochs are `shifted` each begins a step on, so that `hop` of them predict every
    step once but for a lane's first window and its end.
    """

    def __init__(
        self, rolls: Sequence[np.ndarray], batch: int, window: int, hop: int, shifted: bool = False
    ) -> None:
        stream = torch.from_numpy(np.concatenate(list(rolls)))
        self.window, self.hop, self.shifted = window, hop, shifted
        lanes = min(batch, len(stream) // (window + hop))
        if lanes == 0:
            raise InputError(f"{len(stream)} samples of 0.3 s are too few for windows of {window}")
        length = len(stream) // lanes
        self.lanes = stream[: lanes * length].unflatten(0, (lanes, length))  # (batch, length, 88)
        self.epoch = (length - window - (hop if shifted else 1)) // hop + 1

    def draw(self, iteration: int, generator: torch.Generator | None = None) -> tuple[Tensor, bool]:
        """Rolls (batch, window + 1, 88), uint8: a window and the step to predict."""
        epoch, index = divmod(iteration, self.epoch)
        start = index * self.hop + (epoch % self.hop if self.shifted else 0)
        return self.lanes[:, start : start + self.window + 1], index == 0

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """The first `batches` of an epoch, in order, for held-out loss."""
        return [self.draw(index) for index in range(min(batches, self.epoch))]


def _below(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator))
