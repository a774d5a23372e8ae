"""The baseline: a two-layer LSTM over an 88-key piano roll (section 2.4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musiclib.base.errors import InputError
from musiclib.base.typed import Count, Rate, Share, later
from musiclib.corpus.batches import Windows
from musiclib.corpus.excerpts import Excerpts
from musiclib.models import recipe, without_learning
from musiclib.models.likelihood import mean_nats
from musiclib.models.model import Network
from musiclib.models.sampling import Coins, few_notes
from musiclib.music.piano_roll import KEYS
from musiclib.music.representations import PIANO_ROLL

Loss = Literal["categorical", "bernoulli"]
Memory = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class LSTMConfig(recipe.Recipe):
    """Published sizes and training. `checkpoints` are epochs of the main corpus (Table 1).

    - output: at first as many keys play as in music ("rare"), or about half of them, as published
      ("drawn"): memory starts at zero, so nothing else says so at a piece's first steps
    - windows: every epoch begins a sample on, so that over `hop` epochs each sample after
      a lane's first window is a target once ("shifted"), or at the same one, as published ("same")
    - targets: the last sample of each window, as published; or every one of excerpts of `window`
      samples, with the Bernoulli loss ("every")
    - cooling: the last share of the iterations, in which the learning rate falls to nothing

    `PUBLISHED_LSTM` has output and windows as published.
    """

    hidden: Count = 512
    dropout: Share = 0.2
    loss: Loss = "categorical"
    window: Count = 32
    hop: Count = 9
    batch: Count = 32
    level_iterations: int = 500
    checkpoints: tuple[int, ...] = (10, 30, 70)
    iterations: int | None = None  # on the main corpus; None: as many epochs as the last checkpoint
    learning_rate: Rate = 0.001
    output: Literal["rare", "drawn"] = "rare"
    windows: Literal["shifted", "same"] = "shifted"
    targets: Literal["last", "every"] = later("last")
    optimiser: Literal["rmsprop", "adamw"] = later("rmsprop")
    cooling: Share = later(0.0)

    def __post_init__(self) -> None:
        if self.targets == "every" and self.loss != "bernoulli":
            raise InputError("targets every: they have the Bernoulli loss; ask for it, too")


PUBLISHED_LSTM = {"output": "drawn", "windows": "same"}


class PianoRollLSTM(Network):
    """512 - dropout 0.2 - 512 - dense 88; the sigmoid sits in the loss and in composing."""

    reads = PIANO_ROLL
    counts_epochs = True
    over_batch, lanes = "mean", 1

    def __init__(self, config: LSTMConfig) -> None:
        super().__init__()
        if config.loss not in LOSSES:
            raise ValueError(f"unknown loss {config.loss!r}: choose one of {', '.join(LOSSES)}")
        self.config = config
        self.lstm = nn.LSTM(
            KEYS, config.hidden, num_layers=2, dropout=config.dropout, batch_first=True
        )
        self.dense = nn.Linear(config.hidden, KEYS)
        if config.output == "rare":
            nn.init.constant_(self.dense.bias, few_notes(KEYS))

    @staticmethod
    def batches(config: LSTMConfig, pieces: Sequence[np.ndarray]) -> Windows | Excerpts:
        """Windows of the pieces end to end, or excerpts of them."""
        if config.targets == "every":
            return Excerpts(pieces, config.batch, config.window, config.transposition)
        shifted = config.windows == "shifted"
        return Windows(pieces, config.batch, config.window, config.hop, shifted)

    @staticmethod
    def lower_precision(config: LSTMConfig) -> bool:
        """It does."""
        return True

    @classmethod
    def shares(cls, config: LSTMConfig) -> bool:
        """Not where every sample is a target: excerpts have different numbers of them."""
        return config.targets == "last"

    def forward(self, roll: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Logits (B, T, 88) of the step after each step of `roll` (B, T, 88), and the memory."""
        hidden, memory = self.lstm(roll.float(), memory)
        return self.dense(hidden), memory

    def loss(self, windows: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Mean loss of predicting the last step of windows (B, window + 1, 88) from the others.

        The memory handed on is that of `hop` steps in, where each row's next window begins: so
        no step is heard twice. Where every step is a target, their mean; no memory.
        """
        if self.config.targets == "every":
            return mean_nats(self.logits(windows), windows), None
        hop, windows = self.config.hop, windows.float()
        _, handed_on = self.lstm(windows[:, :hop], memory)
        hidden, _ = self.lstm(windows[:, hop:-1], handed_on)
        detached = tuple(part.detach() for part in handed_on)
        logits = self.dense(hidden[:, -1]).float()
        return LOSSES[self.config.loss](logits, windows[:, -1]), detached

    def logits(self, rolls: Tensor) -> Tensor:
        """Those (B, T, 88) of steps 1.. of `rolls` (B, T + 1, 88), with fresh memory."""
        return self((rolls == 1)[:, :-1])[0]

    @property
    def averaging(self) -> float:
        """As configured."""
        return self.config.averaging

    def rate(self, iteration: int, total: int) -> float:
        """The learning rate, as a share of its height, at an iteration of `total`."""
        return recipe.rate(self.config, iteration, total)

    def optimizer(self) -> torch.optim.Optimizer:
        """RMSProp as published, or AdamW."""
        return recipe.optimizer(self)

    def without_learning(self, batches: Sequence[tuple[Tensor, bool]]) -> dict[str, float]:
        """Losses on held-out `batches` that need no learning: `models.without_learning`."""
        if self.config.targets == "every":
            return without_learning.of_excerpts(batches)
        windows = torch.cat([batch for batch, _ in batches])
        before, target = windows[:, -2].double().numpy(), windows[:, -1].double().numpy()
        if self.config.loss == "categorical":
            return without_learning.shares(target, before)
        return without_learning.coin_flips(target, before)

    def begin(self, pieces: int) -> Memory | None:
        """The memory before the first step: silence was heard where pieces begin with it."""
        if self.config.targets == "last":
            return None
        return self(self.dense.bias.new_zeros(pieces, 1, KEYS))[1]

    def step(self, notes: Tensor, memory: Memory | None, coins: Coins) -> tuple[Tensor, Memory]:
        """Hear `notes` (P, 88) and choose the next ones by 88 independent coin flips."""
        logits, memory = self(notes[:, None], memory)
        return coins.play(logits[:, 0]).to(notes.dtype), memory


def categorical(logits: Tensor, target: Tensor) -> Tensor:
    """Published: -sum_i y_i log(p_i / sum_j p_j) with p the sigmoids, mean over rows (B, 88).

    It does not change when all p shrink together, so it does not teach how many notes to play.
    """
    log_p = F.logsigmoid(logits)
    return -(target * (log_p - log_p.logsumexp(dim=-1, keepdim=True))).sum(dim=-1).mean()


def bernoulli(logits: Tensor, target: Tensor) -> Tensor:
    """Negative log-likelihood of 88 independent coin flips, mean over rows (B, 88)."""
    terms = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return terms.sum(dim=-1).mean()


LOSSES = {"categorical": categorical, "bernoulli": bernoulli}
