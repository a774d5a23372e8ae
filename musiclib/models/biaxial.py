"""The biaxial RNN of D. Johnson (section 2.4.2, reference [7]): LSTMs along time, then along notes.

Shapes: B sequences, T steps, N = 78 notes, F = 80 features, H hidden units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musiclib.base.typed import Count, Rate, Share
from musiclib.corpus.batches import Grids, Segments
from musiclib.models import recipe, without_learning
from musiclib.models.cells import AxisLSTM, Cell, LayerState, Start
from musiclib.models.features import INDEX, STATES, Keyboard, features
from musiclib.models.model import Network
from musiclib.models.sampling import Coins, few_notes
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import ARTICULATE, PLAY

GATES_AT_ONCE = 25_000_000  # of a layer along time, 100 MB: two published sequences of 128 steps


@dataclass(frozen=True)
class BiaxialConfig(recipe.Recipe):
    """Published sizes and training. `checkpoints` are iterations on the main corpus (Figure 4).

    The lower fields decide whether and when it learns (notebook 12). Their defaults
    learn as well as any that was tried; `PUBLISHED_FORM` has what the authors ran otherwise.

    - cell: torch's LSTM, or the published one with a linear candidate
    - start: weights uniform as torch's, initial states learned from 0, and besides forget gates
      "open"; or all normal with standard deviation 1 / units, initial states half of that and never
      trained
    - output: at first as many notes play as in music ("rare"), or about half of them ("drawn")
    - index: the note index as a feature from 0 to 1, or as it is, 0 to 77
    - dropout_scaled: masks scaled in training; or not, and outputs halved when composing
    - clip: the gradient of each tensor by itself, or that of each gate, or none
    - cooling: the last share of the main corpus's iterations, in which the learning rate falls to
      nothing: else composed music is now denser, now thinner from checkpoint to checkpoint
    """

    time_sizes: tuple[Count, ...] = (300, 300)
    note_sizes: tuple[Count, ...] = (100, 50)
    dropout: Share = 0.5
    batch: Count = 10
    segment: Count = 128
    level_iterations: int = 500
    checkpoints: tuple[int, ...] = (1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9500)
    iterations: int = 10_000
    cell: Cell = "torch"
    start: Start = "torch"
    output: Literal["rare", "drawn"] = "rare"
    index: Literal["unit", "raw"] = "unit"
    dropout_scaled: bool = True
    clip: Literal["tensor", "gate", "none"] = "tensor"
    cooling: Share = 0.2
    optimiser: Literal["adadelta", "adam", "adamw"] = "adadelta"
    learning_rate: Rate = 1.0


PUBLISHED_FORM = {
    "cell": "linear",
    "start": "normal",
    "output": "drawn",
    "index": "raw",
    "dropout_scaled": False,
    "clip": "gate",
    "cooling": 0.0,
}


class Memory(NamedTuple):
    """What composing has heard: the time axis's states, and where the next step lies in its bar."""

    over_time: list[LayerState]
    position: int | Tensor = 0
    bar: int = STEPS_PER_BAR


class BiaxialRNN(Network):
    """P(play) and P(articulate | play) of each note, given the past and the notes below.

    States (B, T, 78, 3) have each step's position in its bar in the third plane, the beat's.
    """

    keyboard: Keyboard = STATES
    hears_bars = True
    clip_norm = 5.0
    over_batch = "sum"
    conservativity = "paper"

    @staticmethod
    def batches(
        config: BiaxialConfig, pieces: Sequence[np.ndarray], positions: Grids | None = None
    ) -> Segments:
        """Segments that start at a bar."""
        move = config.transposition
        return Segments(pieces, config.batch, config.segment, positions=positions, move=move)

    @staticmethod
    def lower_precision(config: BiaxialConfig) -> bool:
        """It does with torch's cell."""
        return config.cell == "torch"

    def __init__(self, config: BiaxialConfig) -> None:
        super().__init__()
        self.config = config
        how = {n: getattr(config, n) for n in ("cell", "start", "dropout", "dropout_scaled")}
        bits = self.keyboard.bits
        self.time_axis = AxisLSTM(self.keyboard.features, config.time_sizes, **how)
        self.note_axis = AxisLSTM(config.time_sizes[-1] + bits, config.note_sizes, **how)
        self.output = nn.Linear(config.note_sizes[-1], bits)
        self._start_output()

    @torch.no_grad()
    def _start_output(self) -> None:
        if self.config.start == "normal":
            for parameter in self.output.parameters():
                nn.init.normal_(parameter, std=1 / 2)
        if self.config.output == "rare":
            self.output.bias[PLAY] = few_notes(self.keyboard.notes)

    @property
    def primer_segment(self) -> int:
        """A piece begins with the first step of a training segment."""
        return self.config.segment

    def fast(self) -> Any:
        """Compiled or recorded steps with torch's cell; the others step as they are written."""
        from musiclib.models.fast_steps import fast_steps  # here: it knows the network

        plain = self.config.cell == "torch" and self.config.dropout_scaled
        return fast_steps(self) if plain else self

    def hear(self, states: Tensor, first_step: int | Tensor = 0) -> Tensor:
        """Features (..., T, 78, 80) of `states` (..., T, 78, 2 or 3), the index as configured."""
        x = features(states, first_step, self.keyboard).to(self.output.weight.dtype)
        if self.config.index == "unit":
            x[..., INDEX] /= self.keyboard.notes - 1
        return x

    def forward(self, states: Tensor, first_step: int = 0) -> Tensor:
        """Teacher-forced logits (B, T-1, N, 2) of steps 1.. of `states` (B, T, N, 2 or 3)."""
        past, chosen = states[:, :-1], states[:, 1:, :, : self.keyboard.bits]
        x = self.hear(past, first_step).transpose(0, 1)  # (T-1, B, N, F)
        over_time = self.time_axis(x.flatten(1, 2)).unflatten(1, x.shape[1:3])
        below = self._told(F.pad(chosen[:, :, :-1], (0, 0, 1, 0)))  # zeros for the lowest
        below = below.transpose(0, 1).to(over_time.dtype)  # else the copy below were in float32
        notes = torch.cat([over_time, below], dim=-1).permute(2, 0, 1, 3)  # (N, T-1, B, H + 2)
        over_notes = self.note_axis(notes.flatten(1, 2)).unflatten(1, notes.shape[1:3])
        return self.output(over_notes).permute(2, 1, 0, 3)

    def loss(self, states: Tensor, memory: None = None) -> tuple[Tensor, None]:
        """Negative log-likelihood of steps 1.. of `states` (B, T, N, 2 or 3), summed; no memory.

        The articulation counts only where the note plays.
        """
        logits = self(states).to(self.output.weight.dtype)  # else they stayed in bfloat16
        target = states[:, 1:, :, : self.keyboard.bits].to(logits.dtype)
        terms = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        play, articulate = terms.unbind(-1)
        return (play + articulate * target[..., PLAY]).sum(), None

    def parts(self, states: Tensor) -> tuple[Tensor, ...]:
        """A batch in parts that need little memory each; whole on a GPU."""
        if states.is_cuda:
            return (states,)
        a_sequence = states.shape[1] * self.keyboard.notes * 4 * max(self.config.time_sizes)
        return states.split(max(1, GATES_AT_ONCE // a_sequence))

    def rate(self, iteration: int, total: int) -> float:
        """The learning rate, as a share of its height, at an iteration of `total`."""
        return recipe.rate(self.config, iteration, total)

    @property
    def averaging(self) -> float:
        """As configured."""
        return self.config.averaging

    def optimizer(self) -> torch.optim.Optimizer:
        """AdaDelta as published, with a learning-rate factor if configured; Adam or AdamW."""
        return recipe.optimizer(self)

    def without_learning(self, batches: Sequence[tuple[Tensor, bool]]) -> dict[str, float]:
        """Losses on held-out `batches` that need no learning: `models.without_learning`."""
        return without_learning.of_segments(batches)

    def clip_groups(self) -> Iterator[list[Tensor]]:
        """The gradients that are clipped by a norm of their own, as lists of tensors."""
        if self.config.clip == "none":
            return
        axes = (self.time_axis, self.note_axis)
        by_gate = [layer for axis in axes for layer in axis.layers]
        if self.config.clip == "tensor":
            by_gate = []
        for layer in by_gate:
            yield from layer.gate_gradients()
        done = {id(p.grad) for layer in by_gate for p in layer.parameters()}
        yield from (group for group in super().clip_groups() if id(group[0]) not in done)

    def begin(self, pieces: int, bar: int = STEPS_PER_BAR) -> Memory:
        """The memory before the first step, the first of a bar of `bar` steps."""
        return Memory(self.time_axis.begin(pieces * self.keyboard.notes), 0, bar)

    def step(self, notes: Tensor, memory: Memory, coins: Coins) -> tuple[Tensor, Memory]:
        """Hear `notes` (P, 78, 2) and choose the next ones, from the lowest up."""
        over_time, position, bar = memory
        x = self.hear(notes[:, None], first_step=position).flatten(0, 2)  # (P * N, F)
        hidden, over_time = self.time_axis.step(x, over_time)
        chosen = self._choose(hidden.unflatten(0, (len(notes), self.keyboard.notes)), coins)
        return chosen.to(notes.dtype), Memory(over_time, (position + 1) % bar, bar)

    def _choose(self, hidden: Tensor, coins: Coins) -> Tensor:
        """Walk up the note axis over `hidden` (P, N, H), flipping a coin a bit: (P, N, bits)."""
        states = self.note_axis.begin(len(hidden))
        below = hidden.new_zeros(len(hidden), self.keyboard.bits)
        chosen = []
        for note in range(self.keyboard.notes):
            x = torch.cat([hidden[:, note], self._told(below)], dim=-1)
            x, states = self.note_axis.step(x, states)
            below = self._flip(self.output(x), note, coins).to(hidden.dtype)
            chosen.append(below)
        return torch.stack(chosen, dim=1)

    def _told(self, below: Tensor) -> Tensor:
        """What a note is told of the bits (..., bits) of the one below it: all of them."""
        return below

    def _flip(self, logits: Tensor, note: int, coins: Coins) -> Tensor:
        """The bits of a note (P, bits): it plays, and where it does it may be struck."""
        play = coins.play(logits[:, PLAY], (note, PLAY))
        struck = play & coins.articulate(logits[:, ARTICULATE], (note, ARTICULATE))
        return torch.stack([play, struck], dim=-1)
