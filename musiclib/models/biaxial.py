"""The biaxial RNN of D. Johnson (section 2.4.2, reference [7]): LSTMs along time, then along notes.

Shapes: B sequences, T steps, N = 78 notes, F = 80 features, H hidden units.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musiclib.coins import Coins
from musiclib.features import FEATURES, features
from musiclib.midi import ARTICULATE, NOTES, PLAY

LayerState = tuple[Tensor, Tensor]
GATES_AT_ONCE = 25_000_000  # of a layer along time, 100 MB: two published sequences of 128 steps


@dataclass(frozen=True)
class BiaxialConfig:
    """Published sizes and training. `checkpoints` are iterations on the main corpus (Figure 4)."""

    time_sizes: tuple[int, ...] = (300, 300)
    note_sizes: tuple[int, ...] = (100, 50)
    dropout: float = 0.5
    batch: int = 10
    segment: int = 128
    level_iterations: int = 500
    checkpoints: tuple[int, ...] = (1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9500)
    iterations: int = 10_000


class AxisLSTM(nn.Module):
    """A stack of LSTMs along one axis, the first of x: learned initial states, dropout on outputs.

    A dropout mask is drawn once a sequence: the same units are silent at every step of it.
    """

    def __init__(self, inputs: int, sizes: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        widths = [inputs, *sizes]
        self.layers = nn.ModuleList(nn.LSTM(i, o) for i, o in zip(widths[:-1], sizes, strict=True))
        self.initial = nn.ParameterList(nn.Parameter(torch.zeros(2, size)) for size in sizes)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """Whole sequences: x (steps, rows, inputs) to (steps, rows, sizes[-1])."""
        for layer, state in zip(self.layers, self.begin(x.shape[1]), strict=True):
            x, _ = layer(x, tuple(part[None] for part in state))
            if self.training:
                x = x * F.dropout(x.new_ones(x.shape[1:]), self.dropout)
        return x

    def begin(self, rows: int) -> list[LayerState]:
        """The learned initial states, (rows, size) twice a layer."""
        return [
            (h.expand(rows, -1).contiguous(), c.expand(rows, -1).contiguous())
            for h, c in self.initial
        ]

    def step(self, x: Tensor, states: list[LayerState]) -> tuple[Tensor, list[LayerState]]:
        """One step: x (rows, inputs) to (rows, sizes[-1]), without dropout."""
        after = []
        for layer, state in zip(self.layers, states, strict=True):
            state = torch.lstm_cell(x, state, *layer.all_weights[0])
            after.append(state)
            x = state[0]
        return x, after


class BiaxialRNN(nn.Module):
    """P(play) and P(articulate | play) of each note, given the past and the notes below."""

    clip_norm = 5.0

    def __init__(self, config: BiaxialConfig) -> None:
        super().__init__()
        self.config = config
        self.time_axis = AxisLSTM(FEATURES, config.time_sizes, config.dropout)
        self.note_axis = AxisLSTM(config.time_sizes[-1] + 2, config.note_sizes, config.dropout)
        self.output = nn.Linear(config.note_sizes[-1], 2)

    def forward(self, states: Tensor) -> Tensor:
        """Teacher-forced logits (B, T-1, N, 2) of steps 1.. of `states` (B, T, N, 2)."""
        past, chosen = states[:, :-1], states[:, 1:]
        x = features(past).transpose(0, 1)  # (T-1, B, N, F)
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
        target = states[:, 1:].float()
        terms = F.binary_cross_entropy_with_logits(self(states).float(), target, reduction="none")
        play, articulate = terms.unbind(-1)
        return (play + articulate * target[..., PLAY]).sum(), None

    def parts(self, states: Tensor) -> tuple[Tensor, ...]:
        """A batch in parts that need little memory each; whole on a GPU."""
        if states.is_cuda:
            return (states,)
        a_sequence = states.shape[1] * NOTES * 4 * max(self.config.time_sizes)
        return states.split(max(1, GATES_AT_ONCE // a_sequence))

    def rate(self, done: float) -> float:
        """The learning rate does not change, as published."""
        return 1.0

    def optimizer(self) -> torch.optim.Optimizer:
        """AdaDelta as published: without a learning-rate factor."""
        return torch.optim.Adadelta(self.parameters(), lr=1.0, rho=0.95, eps=1e-6)

    def begin(self, pieces: int) -> tuple[int, list[LayerState]]:
        """The memory before the first step: its index and the time axis's states."""
        return 0, self.time_axis.begin(pieces * NOTES)

    def step(
        self, notes: Tensor, memory: tuple[int, list[LayerState]], coins: Coins
    ) -> tuple[Tensor, tuple[int, list[LayerState]]]:
        """Hear `notes` (P, 78, 2) and choose the next ones, from the lowest up."""
        index, over_time = memory
        x = features(notes[:, None], first_step=index).flatten(0, 2)  # (P * N, F)
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
            below = torch.stack([play, struck], dim=-1).float()
            chosen.append(below)
        return torch.stack(chosen, dim=1)
