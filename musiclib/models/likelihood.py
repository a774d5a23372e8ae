"""The exact likelihood of piano rolls by a network, frame by frame: what benchmarks report.

A frame's likelihood is given all frames before it, to the beginning of the piece: the product of
its keys' chances, which are independent of each other (LSTM) or each given the keys below it
(biaxial RNN). Before the first frame there was silence. Natural logarithms throughout.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from musiclib.base.errors import InputError
from musiclib.corpus.excerpts import NOTHING, excerpt, filled_up
from musiclib.models.model import Network
from musiclib.music.representations import PIANO_ROLL

FRAMES_AT_ONCE = 2_000


def nats(logits: Tensor, rolls: Tensor) -> Tensor:
    """Negative log-likelihood (B, T) of steps 1.. of `rolls` (B, T + 1, K) by logits (B, T, K).

    It is 0 where there is no step.
    """
    target = rolls[:, 1:]
    terms = F.binary_cross_entropy_with_logits(
        logits.float(), (target == 1).float(), reduction="none"
    )
    return (terms * (target != NOTHING)).sum(dim=-1)


def mean_nats(logits: Tensor, rolls: Tensor) -> Tensor:
    """The mean of `nats` over the steps that there are."""
    return nats(logits, rolls).sum() / (rolls[:, 1:, 0] != NOTHING).sum()


@torch.inference_mode()
def frame_log_likelihoods(model: Network, rolls: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Log-likelihood of every frame of each roll (T, K) by a network that reads rolls, (T,).

    Float64, nats. The network is put into evaluation mode: no dropout. Raises InputError for one
    that reads something else.
    """
    if model.reads is not PIANO_ROLL:
        raise InputError(
            f"{type(model).__name__} reads no piano rolls: it gives frames no likelihood"
        )
    model.eval()
    device = next(model.parameters()).device
    found = {}
    for some in _together(rolls):
        heard = [excerpt(np.asarray(rolls[index])) for index in some]
        batch = filled_up(heard, len(heard[-1])).to(device)  # the last is the longest
        each = -nats(model.logits(batch), batch).double().cpu().numpy()
        found |= {i: row[: len(rolls[i])] for i, row in zip(some, each, strict=True)}
    return [found[index] for index in range(len(rolls))]


def per_frame(likelihoods: Sequence[np.ndarray]) -> float:
    """The sum over all frames of all pieces divided by the number of frames."""
    return float(np.concatenate(likelihoods).mean())


def _together(rolls: Sequence[np.ndarray]) -> Iterator[list[int]]:
    """Which rolls are looked at together, the shortest first: few frames are filled up."""
    some: list[int] = []
    for index in sorted(range(len(rolls)), key=lambda index: len(rolls[index])):
        if some and (len(some) + 1) * len(rolls[index]) > FRAMES_AT_ONCE:
            yield some
            some = []
        some.append(index)
    if some:
        yield some
