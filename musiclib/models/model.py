"""What training asks of a model, and composing of a network; `docs/a-third-network.md` adds one.

A model's configuration is a frozen dataclass whose fields are plain values. Training reads of it
`iterations` on the main corpus, `level_iterations` on each level, and `checkpoints`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from musiclib.corpus.batches import Batches
from musiclib.models.sampling import Coins, Conservativity
from musiclib.music.representations import NOTE_STATES, Representation


class Model(nn.Module):
    """A network or machine. What a subclass does not say is as here.

    - reads: the representation of music that it is trained on
    - hears_bars: whether positions in bars are given to `batches`, and a bar's length to `begin`
    - counts_epochs: whether its checkpoints count epochs of the main corpus, or iterations
    - lower_precision: whether it trains in less than float32 where that is asked for
    - clip_norm: the longest gradient that each of `clip_groups` may have, or None
    - over_batch: whether its loss is the "sum" or the "mean" over a batch's sequences, each by
      itself, so that several processes can share a batch; None: they cannot
    - lanes: the axis of its memory's tensors along which the sequences lie
    """

    reads: ClassVar[Representation] = NOTE_STATES
    hears_bars: ClassVar[bool] = False
    counts_epochs: ClassVar[bool] = False
    clip_norm: ClassVar[float | None] = None
    over_batch: ClassVar[Literal["sum", "mean"] | None] = None
    lanes: ClassVar[int] = 0

    @staticmethod
    def batches(config: Any, pieces: Sequence[np.ndarray]) -> Batches:
        """The batches that it trains on, of pieces (T, ...) in its representation.

        Where it hears bars, a third argument has the positions of each piece (T,), or None.
        """
        raise NotImplementedError

    @staticmethod
    def lower_precision(config: Any) -> bool:
        """Whether it trains in less than float32 where that is asked for."""
        return False

    @classmethod
    def shares(cls, config: Any) -> bool:
        """Whether several processes can share its batches."""
        return cls.over_batch is not None

    def loss(self, batch: Tensor, memory: Any = None) -> tuple[Tensor, Any]:
        """The training objective of a batch of uint8 music, and the new memory."""
        raise NotImplementedError

    def optimizer(self) -> torch.optim.Optimizer:
        """What changes its parameters."""
        raise NotImplementedError

    def start_from(self, pieces: Sequence[np.ndarray]) -> None:
        """Learn of the main corpus what is known before training: nothing."""

    @property
    def averaging(self) -> float:
        """The share of the running mean of its weights that an iteration keeps; 0: no mean."""
        return 0.0

    def parts(self, batch: Tensor) -> Sequence[Tensor]:
        """A batch in parts to be taken one after another, where the loss is a sum over them."""
        return (batch,)

    def rate(self, iteration: int, total: int) -> float:
        """The share of its learning rate at an iteration of `total`: it does not change."""
        return 1.0

    def clip_groups(self) -> Iterator[list[Tensor]]:
        """The gradients that are clipped by a norm of their own: each tensor's."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                yield [parameter.grad]

    def without_learning(self, batches: Sequence[tuple[Tensor, bool]]) -> dict[str, float]:
        """Losses on held-out batches that need no learning: see `models.without_learning`."""
        return {}


class Network(Model):
    """A model that composes.

    - conservativity: what its chances to play are raised to as published
    """

    conservativity: ClassVar[Conservativity] = "off"

    def logits(self, rolls: Tensor) -> Tensor:
        """Of a network that reads rolls: those (B, T, K) of steps 1.. of `rolls` (B, T + 1, K).

        Row 0 was heard before, and the network's memory is fresh.
        """
        raise NotImplementedError

    @property
    def primer_segment(self) -> int | None:
        """Steps of the segments whose first step begins a piece; None: it is a piece's own."""
        return None

    def begin(self, pieces: int) -> Any:
        """The memory before the first step; where it hears bars, `bar` has the steps of one."""
        raise NotImplementedError

    def step(self, notes: Tensor, memory: Any, coins: Coins) -> tuple[Tensor, Any]:
        """Hear one step of pieces (P, ...) and choose the next: it, and the memory."""
        raise NotImplementedError

    def fast(self) -> Any:
        """What has the same `begin` and `step` and is quicker where the network is."""
        return self
