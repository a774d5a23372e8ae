"""What one training iteration looks at. A batch is a pure function of iteration and generator.

Pieces are arrays, or what is like one and lies on a disk: it has a length and gives an array for a
slice. Only the steps that a batch needs are read.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from musiclib.base.errors import InputError
from musiclib.music.bar_grid import bar_starts
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.corrupted import WRONG, corrupt
from musiclib.music.transforms import legal, moved

Grids = Sequence[np.ndarray | None]

AHEAD = 32  # windows of each lane that are read at once


class Batches(Protocol):
    """A source of batches; `fresh` says that the model's memory starts anew with this one."""

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """The batch of an iteration and `fresh`."""

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """A fixed choice of so many batches, for held-out loss."""


class Segments:
    """Segments of pieces drawn at random: for the biaxial RNN, starting at a bar, and the RBM.

    They begin every `hop` steps of a piece, or at the bar lines of a piece that has `positions`
    (T,). Each that is drawn is moved by up to `move` semitones, as far as its notes have room.
    `fresh` at the first iteration alone: the RBM's chains go on.
    """

    def __init__(
        self,
        pieces: Sequence[np.ndarray],
        batch: int,
        steps: int,
        hop: int = STEPS_PER_BAR,
        positions: Grids | None = None,
        move: int = 0,
    ) -> None:
        grids = [None] * len(pieces) if positions is None else positions
        starts = starts_of_segments(pieces, steps, hop, grids)
        usable = [index for index, some in enumerate(starts) if len(some)]
        self.pieces, self.grids, self.starts = (
            [each[index] for index in usable] for each in (pieces, grids, starts)
        )
        self.batch, self.steps, self.move = batch, steps, move
        self.in_bars = any(grid is not None for grid in self.grids)
        if not self.pieces:
            raise InputError(
                f"no piece has the {steps} steps of a training segment: add longer pieces"
            )

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """States (batch, steps, 78, 2), uint8; (batch, steps, 78, 3) where a piece has positions.

        The third plane holds them modulo 256, the same for all notes.
        """
        places, moves = [], []
        for _ in range(self.batch):
            piece = below(len(self.pieces), generator)
            places.append((piece, self.starts[piece][below(len(self.starts[piece]), generator)]))
            moves.append(interval(self.move, generator))
        return self._read(places, moves), iteration == 0

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """A fixed choice for held-out loss: segments spread evenly over all that there are."""
        starts = [self._side_by_side(piece) for piece in range(len(self.pieces))]
        ends = np.cumsum([len(some) for some in starts])
        wanted = batches * self.batch
        at = np.arange(wanted) * ends[-1] // wanted  # repeats where there are fewer
        places = [
            (piece, starts[piece][i - ends[piece] + len(starts[piece])])
            for piece, i in zip(np.searchsorted(ends, at, side="right"), at, strict=True)
        ]
        each = (places[first : first + self.batch] for first in range(0, wanted, self.batch))
        return [(self._read(some, [0] * len(some)), True) for some in each]

    def _side_by_side(self, piece: int) -> Sequence[int]:
        """Starts of segments of a piece that do not overlap, each as early as it can be."""
        if self.grids[piece] is None:
            return range(0, len(self.pieces[piece]) - self.steps + 1, self.steps)
        chosen = list(self.starts[piece][:1])
        for start in self.starts[piece]:
            if start >= chosen[-1] + self.steps:
                chosen.append(start)
        return chosen

    def _read(self, places: Sequence[tuple[int, int]], moves: Sequence[int]) -> Tensor:
        each = [self._segment(*place, move) for place, move in zip(places, moves, strict=True)]
        return torch.from_numpy(np.stack(each))

    def _segment(self, piece: int, start: int, move: int) -> np.ndarray:
        steps = slice(start, start + self.steps)
        states, grid = moved(self.pieces[piece][steps], move), self.grids[piece]
        if not self.in_bars:
            return states
        position = np.arange(start, start + self.steps) if grid is None else grid[steps]
        plane = np.broadcast_to(position[:, None, None], (*states.shape[:-1], 1))
        return np.concatenate([states, plane.astype(np.uint8)], axis=-1)


def starts_of_segments(
    pieces: Sequence[np.ndarray], steps: int, hop: int, positions: Grids | None = None
) -> list[Sequence[int]]:
    """Where in each piece a segment may begin: every `hop` steps, or at its bars if it has any."""
    ends = [max(len(piece) - steps + 1, 0) for piece in pieces]
    grids = [None] * len(pieces) if positions is None else positions
    return [
        range(0, end, hop) if grid is None else bar_starts(grid[:end])
        for end, grid in zip(ends, grids, strict=True)
    ]


class Corrupted:
    """Excerpts drawn at random, as they are and corrupted: for the conditional RBM.

    Up to `most` of the notes are deleted and as many wrong ones added, of a kind drawn each time.
    """

    def __init__(self, pieces: Sequence[np.ndarray], steps: int, most: float) -> None:
        self.pieces, self.steps, self.most = [p for p in pieces if len(p)], steps, most
        if not self.pieces:
            raise InputError("no piece has a step to train on: add longer pieces")

    def draw(self, iteration: int, generator: torch.Generator) -> tuple[Tensor, bool]:
        """The excerpt and how it is given, (1, T, 78, 2 + 2), uint8; T is at most `steps`."""
        piece = self.pieces[below(len(self.pieces), generator)]
        starts = max(len(piece) - self.steps, 0) // STEPS_PER_BAR + 1
        start = below(starts, generator) * STEPS_PER_BAR
        excerpt = legal(piece[start : start + self.steps])  # that of the whole piece, but struck
        rng = np.random.default_rng(below(2**62, generator))
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
        self.rolls, self.window, self.hop, self.shifted = rolls, window, hop, shifted
        self.ends = np.cumsum([len(roll) for roll in rolls])  # of each roll in the stream
        samples = int(sum(len(roll) for roll in rolls))
        self.lanes = min(batch, samples // (window + hop))
        if self.lanes == 0:
            raise InputError(f"{samples} samples of 0.3 s are too few for windows of {window}")
        self.length = samples // self.lanes
        self.epoch = (self.length - window - (hop if shifted else 1)) // hop + 1
        self.read: tuple[tuple[int, int] | None, Tensor] = None, torch.empty(0)

    def draw(self, iteration: int, generator: torch.Generator | None = None) -> tuple[Tensor, bool]:
        """Rolls (lanes, window + 1, 88), uint8: a window and the step to predict."""
        epoch, index = divmod(iteration, self.epoch)
        part, within = divmod(index, AHEAD)
        read, rolls = self.read
        if read != (epoch, part):
            rolls = self._part(epoch, part)
            self.read = (epoch, part), rolls
        return rolls[:, within * self.hop :][:, : self.window + 1], index == 0

    def _part(self, epoch: int, part: int) -> Tensor:
        """What the windows of a part of an epoch see, lane by lane."""
        start = part * AHEAD * self.hop + (epoch % self.hop if self.shifted else 0)
        stop = min(start + (AHEAD - 1) * self.hop + self.window + 1, self.length)
        lanes = np.arange(self.lanes) * self.length
        return torch.from_numpy(np.stack([self._rows(at + start, at + stop) for at in lanes]))

    def _rows(self, start: int, stop: int) -> np.ndarray:
        """Samples of the stream, from the rolls that they lie in."""
        first, last = np.searchsorted(self.ends, (start, stop - 1), side="right")
        parts = []
        for roll in range(first, last + 1):
            before = self.ends[roll] - len(self.rolls[roll])
            parts.append(self.rolls[roll][max(start - before, 0) : stop - before])
        return np.concatenate(parts)

    def every(self, batches: int) -> list[tuple[Tensor, bool]]:
        """The first `batches` of an epoch, in order, for held-out loss."""
        return [self.draw(index) for index in range(min(batches, self.epoch))]


def interval(most: int, generator: torch.Generator) -> int:
    """Semitones up, at most `most` either way; nothing is drawn where none are asked for."""
    return below(2 * most + 1, generator) - most if most else 0


def below(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator))
