"""The biaxial RNN of D. Johnson (section 2.4.2, reference [7]): LSTMs along time, then along notes.

Shapes: B sequences, T steps, N = 78 notes, F = 80 features, H hidden units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musiclib import without_learning
from musiclib.coins import Coins, few_notes
from musiclib.features import FEATURES, INDEX, features
from musiclib.midi import ARTICULATE, NOTES, PLAY
from musiclib.models.cells import CELLS, Cell
from musiclib.models.cells import State as LayerState

GATES_AT_ONCE = 25_000_000  # of a layer along time, 100 MB: two published sequences of 128 steps


@dataclass(frozen=True)
class BiaxialConfig:
    """Published sizes and training. `checkpoints` are iterations on the main corpus (Figure 4).

    The lower fields decide whether and when it learns (notebook 12). Their defaults learn best;
    `PUBLISHED_FORM` has each as the authors ran it.

    - cell: torch's LSTM, or the published one with a linear candidate
    - start: weights uniform as torch's, initial states learned from 0; or all normal with standard
      deviation 1 / units, initial states half of that and never trained
    - output: at first as many notes play as in music ("rare"), or about half of them ("drawn")
    - index: the note index as a feature from 0 to 1, or as it is, 0 to 77
    - dropout_scaled: masks scaled in training; or not, and outputs halved when composing
    - clip: the gradient of each tensor by itself, or that of each gate
    - cooling: the last share of the main corpus's iterations, in which the learning rate falls to
      nothing: else composed music is now denser, now thinner from checkpoint to checkpoint
    """

    time_sizes: tuple[int, ...] = (300, 300)
    note_sizes: tuple[int, ...] = (100, 50)
    dropout: float = 0.5
    batch: int = 10
    segment: int = 128
    level_iterations: int = 500
    checkpoints: tuple[int, ...] = (1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9500)
    iterations: int = 10_000
    cell: Cell = "torch"
    start: Literal["torch", "normal"] = "torch"
    output: Literal["rare", "drawn"] = "rare"
    index: Literal["unit", "raw"] = "unit"
    dropout_scaled: bool = True
    clip: Literal["tensor", "gate"] = "tensor"
    cooling: float = 0.2
    optimiser: Literal["adadelta", "adam"] = "adadelta"
    learning_rate: float = 1.0


PUBLISHED_FORM = {
    "cell": "linear",
    "start": "normal",
    "output": "drawn",
    "index": "raw",
    "dropout_scaled": False,
    "clip": "gate",
    "cooling": 0.0,
}


class AxisLSTM(nn.Module):
    """A stack of LSTMs along one axis, the first of x, with dropout on their outputs.

    A dropout mask is drawn once a sequence: the same units are silent at every step of it.
    """

    def __init__(self, inputs: int, sizes: tuple[int, ...], config: BiaxialConfig) -> None:
        super().__init__()
        widths = [inputs, *sizes]
        make = CELLS[config.cell]
        self.layers = nn.ModuleList(make(i, o) for i, o in zip(widths[:-1], sizes, strict=True))
        self.initial = nn.ParameterList(nn.Parameter(torch.zeros(2, size)) for size in sizes)
        self.dropout, self.scaled = config.dropout, config.dropout_scaled
        if config.start == "normal":
            self._start_normal(sizes)

    def _start_normal(self, sizes: tuple[int, ...]) -> None:
        for layer, initial, size in zip(self.layers, self.initial, sizes, strict=True):
            for parameter in layer.parameters():
                nn.init.normal_(parameter, std=1 / size)
            if isinstance(layer, nn.LSTM):
                nn.init.zeros_(layer.bias_hh_l0)  # published cells have one bias per gate
            nn.init.normal_(initial, std=1 / (2 * size)).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Whole sequences: x (steps, rows, inputs) to (steps, rows, sizes[-1])."""
        for layer, state in zip(self.layers, self.begin(x.shape[1]), strict=True):
            x = self._dropped(layer.over(x, state))
        return x

    def _dropped(self, x: Tensor) -> Tensor:
        if not self.training:
            return x if self.scaled else x * (1 - self.dropout)
        mask = F.dropout(x.new_ones(x.shape[-2:]), self.dropout)
        return x * (mask if self.scaled else mask.sign())

    def begin(self, rows: int) -> list[LayerState]:
        """The initial states, (rows, size) twice a layer."""
        return [
            (h.expand(rows, -1).contiguous(), c.expand(rows, -1).contiguous())
            for h, c in self.initial
        ]

    def step(self, x: Tensor, states: list[LayerState]) -> tuple[Tensor, list[LayerState]]:
        """One step: x (rows, inputs) to (rows, sizes[-1]), as `forward` does when evaluated."""
        after = []
        for layer, state in zip(self.layers, states, strict=True):
            after.append(layer.step(x, state))
            x = self._dropped(after[-1][0])
        return x, after


class BiaxialRNN(nn.Module):
    """P(play) and P(articulate | play) of each note, given the past and the notes below."""

    clip_norm = 5.0

    def __init__(self, config: BiaxialConfig) -> None:
        super().__init__()
        self.config = config
        self.time_axis = AxisLSTM(FEATURES, config.time_sizes, config)
        self.note_axis = AxisLSTM(config.time_sizes[-1] + 2, config.note_sizes, config)
        self.output = nn.Linear(config.note_sizes[-1], 2)
        self._start_output()

    @torch.no_grad()
    def _start_output(self) -> None:
        if self.config.start == "normal":
            for parameter in self.output.parameters():
                nn.init.normal_(parameter, std=1 / 2)
        if self.config.output == "rare":
            self.output.bias[PLAY] = few_notes(NOTES)

    @property
    def is_plain(self) -> bool:
        """Whether it steps as torch's LSTM does: the cell is torch's and outputs go on whole."""
        return self.config.cell == "torch" and self.config.dropout_scaled

    def hear(self, states: Tensor, first_step: int | Tensor = 0) -> Tensor:
        """Features (..., T, 78, 80) of `states` (..., T, 78, 2), the index as configured."""
        x = features(states, first_step).to(self.output.weight.dtype)
        if self.config.index == "unit":
            x[..., INDEX] /= NOTES - 1
        return x

    def forward(self, states: Tensor) -> Tensor:
        """Teacher-forced logits (B, T-1, N, 2) of steps 1.. of `states` (B, T, N, 2)."""
        past, chosen = states[:, :-1], states[:, 1:]
        x = self.hear(past).transpose(0, 1)  # (T-1, B, N, F)
        over_time = self.time_axis(x.flatten(1, 2)).unflatten(1, x.shape[1:3])
        below = F.pad(chosen[:, :, :-1], (0, 0, 1, 0))  # the note below; zeros for the lowest
        below = below.transpose(0, 1).to(over_time.dtype)  # else the copy below were in float32
        notes = torch.cat([over_time, below], dim=-1).permute(2, 0, 1, 3)  # (N, T-1, B, H + 2)
        over_notes = self.note_axis(notes.flatten(1, 2)).unflatten(1, notes.shape[1:3])
        return self.output(over_notes).permute(2, 1, 0, 3)

    def loss(self, states: Tensor, memory: None = None) -> tuple[Tensor, None]:
        """Negative log-likelihood of steps 1.. of `states` (B, T, N, 2), summed; no memory.

        The articulation counts only where the note plays.
        """
        logits = self(states).to(self.output.weight.dtype)  # else they stayed in bfloat16
        target = states[:, 1:].to(logits.dtype)
        terms = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        play, articulate = terms.unbind(-1)
        return (play + articulate * target[..., PLAY]).sum(), None

    def parts(self, states: Tensor) -> tuple[Tensor, ...]:
        """A batch in parts that need little memory each; whole on a GPU."""
        if states.is_cuda:
            return (states,)
        a_sequence = states.shape[1] * NOTES * 4 * max(self.config.time_sizes)
        return states.split(max(1, GATES_AT_ONCE // a_sequence))

    def rate(self, iteration: int, total: int) -> float:
        """The learning rate, as a share of its height, at an iteration of `total`.

        Cooling is a share of the main corpus's iterations: the same with levels before it.
        """
        cooling = self.config.cooling * self.config.iterations
        return min(1.0, (total - iteration) / cooling) if cooling else 1.0

    def optimizer(self) -> torch.optim.Optimizer:
        """AdaDelta as published, with a learning-rate factor if configured; or Adam."""
        rate = self.config.learning_rate
        if self.config.optimiser == "adam":
            return torch.optim.Adam(self.parameters(), lr=rate)
        return torch.optim.Adadelta(self.parameters(), lr=rate, rho=0.95, eps=1e-6)

    def without_learning(self, batches: Sequence[tuple[Tensor, bool]]) -> dict[str, float]:
        """Losses on held-out `batches` that need no learning: see `musiclib.without_learning`."""
        states = torch.stack([batch for batch, _ in batches]).double().numpy()
        before, target = (
            part.reshape(-1, *states.shape[3:]) for part in (states[:, :, :-1], states[:, :, 1:])
        )
        losses = without_learning.struck_notes(target, before)
        return {name: loss / len(batches) for name, loss in losses.items()}

    def clip_groups(self) -> Iterator[list[Tensor]]:
        """The gradients that are clipped by a norm of their own, as lists of tensors."""
        axes = (self.time_axis, self.note_axis)
        by_gate = [layer for axis in axes for layer in axis.layers]
        if self.config.clip == "tensor":
            by_gate = []
        for layer in by_gate:
            yield from layer.gate_gradients()
        done = {id(parameter) for layer in by_gate for parameter in layer.parameters()}
        for parameter in self.parameters():
            if id(parameter) not in done and parameter.grad is not None:
                yield [parameter.grad]

    def begin(self, pieces: int) -> tuple[int, list[LayerState]]:
        """The memory before the first step: its index and the time axis's states."""
        return 0, self.time_axis.begin(pieces * NOTES)

    def step(
        self, notes: Tensor, memory: tuple[int, list[LayerState]], coins: Coins
    ) -> tuple[Tensor, tuple[int, list[LayerState]]]:
        """Hear `notes` (P, 78, 2) and choose the next ones, from the lowest up."""
        index, over_time = memory
        x = self.hear(notes[:, None], first_step=index).flatten(0, 2)  # (P * N, F)
        hidden, over_time = self.time_axis.step(x, over_time)
        chosen = self._choose(hidden.unflatten(0, (len(notes), NOTES)), coins)
        return chosen.to(notes.dtype), (index + 1, over_time)

    def _choose(self, hidden: Tensor, coins: Coins) -> Tensor:
        """Walk up the note axis over `hidden` (P, N, H), flipping two coins a note: (P, N, 2)."""
        states = self.note_axis.begin(len(hidden))
        below = hidden.new_zeros(len(hidden), 2)
        chosen = []
        for note in range(NOTES):
            x = torch.cat([hidden[:, note], below], dim=-1)
            x, states = self.note_axis.step(x, states)
            logits = self.output(x)
            play = coins.play(logits[:, PLAY], (note, PLAY))
            struck = play & coins.articulate(logits[:, ARTICULATE], (note, ARTICULATE))
            below = torch.stack([play, struck], dim=-1).to(hidden.dtype)
            chosen.append(below)
        return torch.stack(chosen, dim=1)
