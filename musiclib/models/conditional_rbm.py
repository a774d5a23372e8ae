"""An RBM conditioned on given music, with weights shared by all steps and pitches.

It says which music x is meant where y is given, with hidden units h around every cell:

    E(x, h | y) = - sum x (b + A*y + M*r(y)) - sum h (c + B*y + N*r(y) + W*x)

where * is a convolution over steps and pitches, so that what it learns of one place holds for all
(convolutional RBM: Lee et al. 2009), biases come from the music around (conditional RBM: Taylor,
Hinton and Roweis 2006; here it is heard on both sides, not only before), and r(y) is what the piece
plays elsewhere in places like this one (`musiclib.models.nonlocal_means`).

Hidden units are rectified linear, each standing for many copies of a binary one (Nair and Hinton
2010). Training lowers the error of the mean field that starts at y, which suits restoring better
than contrastive divergence (Mnih, Larochelle and Hinton, Conditional Restricted Boltzmann Machines
for Structured Output Prediction, UAI 2011); with one step it is a forward pass with tied weights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musiclib.base.typed import Count, Rate, Rounds, Share
from musiclib.corpus.batches import Corrupted
from musiclib.models.model import Model
from musiclib.models.nonlocal_means import CHANNELS, recall
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import NOTES

STEPS_AT_ONCE = 128
WARM_UP = 0.02  # share of training
LEAST = 0.02  # share of the learning rate
NEVER, GIVEN = -5.5, 2.2  # logits of cells that are not given and of those that are, at first


@dataclass(frozen=True)
class ConditionalRBMConfig:
    """`reach` and `coupling` are steps and semitones to either side that y and x are heard from.

    Trained on excerpts of `segment` steps with up to `most_spoiled` of the notes deleted and as
    many wrong ones added; `mean_field` counts its steps.
    """

    maps: Count = 32
    reach: tuple[int, int] = (8, 24)
    coupling: tuple[int, int] = (2, 2)
    mean_field: Rounds = 1
    segment: Count = 768
    most_spoiled: Share = 0.2
    learning_rate: Rate = 0.002
    level_iterations: int = 500
    checkpoints: tuple[int, ...] = ()
    iterations: int = 4000


class ConditionalRBM(Model):
    """The machine; music is (B, T, 78, 2)."""

    @staticmethod
    def batches(config: ConditionalRBMConfig, pieces: Sequence[np.ndarray]) -> Corrupted:
        """Excerpts, as they are and corrupted."""
        return Corrupted(pieces, config.segment, config.most_spoiled)

    def __init__(self, config: ConditionalRBMConfig) -> None:
        super().__init__()
        self.config = config
        size = [2 * reach + 1 for reach in config.reach]
        self.cells_from_given = nn.Conv2d(2, 2, size, padding=config.reach, bias=False)  # A
        self.hidden_from_given = nn.Conv2d(2, config.maps, size, padding=config.reach, bias=False)
        self.cells_from_recalled = nn.Conv2d(CHANNELS, 2, 3, padding=1, bias=False)  # M
        self.hidden_from_recalled = nn.Conv2d(CHANNELS, config.maps, 3, padding=1, bias=False)
        self.cell_bias = nn.Parameter(torch.full((2, 1, NOTES), NEVER))  # a pitch and bit
        self.hidden_bias = nn.Parameter(torch.zeros(config.maps, 1, NOTES))
        size = [2 * reach + 1 for reach in config.coupling]
        self.coupling = nn.Parameter(0.05 * torch.randn(config.maps, 2, *size))  # W
        self._believe_what_is_given()

    @torch.no_grad()
    def _believe_what_is_given(self) -> None:
        """Before training, cells that are given on are likely on, and the others hardly ever."""
        self.cells_from_given.weight.zero_()
        for bit in range(2):
            self.cells_from_given.weight[bit, bit, *self.config.reach] = GIVEN - NEVER

    def forward(self, given: Tensor) -> Tensor:
        """Logits (B, T, 78, 2) that each cell of the meant music is on, by mean field."""
        recalled = torch.stack([recall(piece) for piece in given])
        recalled = recalled.permute(0, 3, 1, 2).contiguous()  # (B, 12, T, 78)
        y = given.permute(0, 3, 1, 2).float().contiguous()  # (B, 2, T, 78)
        to_cells = (
            _in_parts(self.cells_from_given, y)
            + self.cells_from_recalled(recalled)
            + self.cell_bias
        )
        to_hidden = _in_parts(self.hidden_from_given, y) + self.hidden_from_recalled(recalled)
        x = y
        for _ in range(self.config.mean_field):
            logits = to_cells + self._from_hidden(self._hidden(x, to_hidden))
            x = torch.sigmoid(logits)
        return logits.permute(0, 2, 3, 1)

    def _hidden(self, x: Tensor, to_hidden: Tensor) -> Tensor:
        heard = F.conv2d(x, self.coupling, padding=self.config.coupling)
        return torch.relu(heard + to_hidden + self.hidden_bias)  # (B, maps, T, 78)

    def _from_hidden(self, hidden: Tensor) -> Tensor:
        return F.conv_transpose2d(hidden, self.coupling, padding=self.config.coupling)

    def loss(self, batch: Tensor, memory: None = None) -> tuple[Tensor, None]:
        """Cross-entropy with the meant music, nats per bar.

        `batch` (B, T, 78, 4) holds the meant and the given music in its last axis.
        """
        meant, given = batch[..., :2].float(), batch[..., 2:]
        terms = F.binary_cross_entropy_with_logits(self(given), meant, reduction="sum")
        return terms * STEPS_PER_BAR / (batch.shape[0] * batch.shape[1]), None

    def rate(self, iteration: int, total: int) -> float:
        """The learning rate, as a share of its height, at an iteration of `total`."""
        done = iteration / total
        return min(1.0, LEAST + done / WARM_UP, LEAST + 0.5 + 0.5 * math.cos(math.pi * done))

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), self.config.learning_rate)


def _in_parts(convolution: nn.Conv2d, y: Tensor) -> Tensor:
    """The same convolution, some steps at a time.

    On a processor without AVX-512, oneDNN takes a hundred times as long for 400 steps as for 256.
    """
    before, beside = convolution.padding
    padded = F.pad(y, (0, 0, before, before))
    parts = [
        F.conv2d(padded[:, :, at : at + STEPS_AT_ONCE + 2 * before], convolution.weight,
                 padding=(0, beside))
        for at in range(0, y.shape[2], STEPS_AT_ONCE)
    ]  # fmt: skip
    return torch.cat(parts, dim=2)
