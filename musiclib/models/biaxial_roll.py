"""The biaxial RNN over the keys of a piano roll: which are down at each step, nothing else.

It is what the field's benchmarks of frame-level likelihood ask for (notebook 17). A step's
likelihood is exact: the product of each key's chance given the past and the keys below it.

Shapes: B excerpts, T steps, K keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from musiclib.base.typed import Count, Rate, Share, later
from musiclib.corpus.excerpts import Excerpts
from musiclib.models import without_learning
from musiclib.models.biaxial import BiaxialConfig, BiaxialRNN, Memory
from musiclib.models.features import Keyboard
from musiclib.models.likelihood import mean_nats
from musiclib.models.recipe import Semitones
from musiclib.models.sampling import Coins
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import PLAY
from musiclib.music.piano_roll import KEYS, LOWEST_KEY
from musiclib.music.representations import PIANO_ROLL


@dataclass(frozen=True, kw_only=True)
class RollBiaxialConfig(BiaxialConfig):
    """Sizes and a recipe that learn fast on a processor; notebook 17 says how they were chosen.

    - keys: how many, from `lowest`, a MIDI pitch, up; rolls of music have 88 from 21
    - hears_below: whether a key is told if the one below it is down; else all keys are independent,
      given the past, as the LSTM's are
    """

    time_sizes: tuple[Count, ...] = (64, 64)
    note_sizes: tuple[Count, ...] = (32, 32)
    dropout: Share = 0.3
    batch: Count = 4
    segment: Count = 64
    level_iterations: int = 100
    checkpoints: tuple[int, ...] = ()
    iterations: int = 2000
    cooling: Share = 0.0
    optimiser: Literal["adadelta", "adam", "adamw"] = "adamw"
    learning_rate: Rate = 0.01
    weight_decay: Rate = 0.01
    warm_up: int = 50
    averaging: Share = 0.998
    transposition: Semitones = 5
    keys: Count = KEYS
    lowest: Count = LOWEST_KEY
    hears_below: bool = later(True)


class RollBiaxialRNN(BiaxialRNN):
    """P(key is down) of each key, given the past and the keys below; rolls are (B, T, K)."""

    reads = PIANO_ROLL
    hears_bars = False
    over_batch = None  # excerpts have different numbers of steps
    conservativity = "off"

    def __init__(self, config: RollBiaxialConfig) -> None:
        self.keyboard = Keyboard(config.lowest, config.keys, bits=1)
        super().__init__(config)

    @staticmethod
    def batches(config: RollBiaxialConfig, pieces: Sequence[np.ndarray]) -> Excerpts:
        """Excerpts that start at a bar of 16 steps."""
        return Excerpts(pieces, config.batch, config.segment, config.transposition)

    def logits(self, rolls: Tensor) -> Tensor:
        """What `forward` gives."""
        return self(rolls)

    def forward(self, rolls: Tensor) -> Tensor:
        """Teacher-forced logits (B, T, K) of steps 1.. of `rolls` (B, T + 1, K).

        The first row is what is heard before an excerpt, at the last position of a bar.
        """
        down = (rolls == 1)[..., None]
        return super().forward(down, STEPS_PER_BAR - 1)[..., PLAY]

    def loss(self, rolls: Tensor, memory: None = None) -> tuple[Tensor, None]:
        """Mean negative log-likelihood of the steps of excerpts (B, T + 1, K); no memory."""
        return mean_nats(self(rolls), rolls), None

    def parts(self, rolls: Tensor) -> tuple[Tensor, ...]:
        """A batch is taken whole: its loss is a mean over its steps."""
        return (rolls,)

    def without_learning(self, batches: Sequence[tuple[Tensor, bool]]) -> dict[str, float]:
        """Losses on held-out `batches` that need no learning: `models.without_learning`."""
        return without_learning.of_excerpts(batches)

    def fast(self) -> Any:
        """It steps as it is written."""
        return self

    def begin(self, pieces: int) -> Memory:
        """The memory before the first step: silence was heard."""
        device = self.output.weight.device
        silence = torch.zeros(pieces, 1, self.keyboard.notes, 1, device=device)
        x = self.hear(silence, STEPS_PER_BAR - 1).flatten(0, 2)
        before = self.time_axis.begin(pieces * self.keyboard.notes)
        return Memory(self.time_axis.step(x, before)[1])

    def step(self, notes: Tensor, memory: Memory, coins: Coins) -> tuple[Tensor, Memory]:
        """Hear `notes` (P, K) and choose the next ones, from the lowest up."""
        chosen, memory = super().step(notes[..., None], memory, coins)
        return chosen[..., PLAY], memory

    def _told(self, below: Tensor) -> Tensor:
        return below if self.config.hears_below else torch.zeros_like(below)

    def _flip(self, logits: Tensor, note: int, coins: Coins) -> Tensor:
        """Whether a key is down, (P, 1)."""
        return coins.play(logits[:, PLAY], (note,))[:, None]
