"""Modern means of training, as fields of a configuration: without them a network trains as before.

What each brings on validation music is in notebook 17.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import nn

from musiclib.base.typed import Rate, Share, Within, later

Semitones = Annotated[int, Within(0, 11)]
MATRIX = 2  # dimensions of what decays, initial states among them: biases have one


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a configuration may say of its training, besides the optimiser and its learning rate.

    - weight_decay: by AdamW, of all but biases, times the learning rate an iteration
    - warm_up: iterations in which the learning rate rises from nothing
    - averaging: the share of the running mean of weights that an iteration keeps; held-out losses,
      checkpoints and the last weights are those of the mean. 0: there is none
    - transposition: every excerpt is moved by up to so many semitones, as far as the keys reach
    """

    weight_decay: Rate = later(0.0)
    warm_up: int = later(0)
    averaging: Share = later(0.0)
    transposition: Semitones = later(0)


def optimizer(model: nn.Module) -> torch.optim.Optimizer:
    """The optimiser that a model's configuration names, at its learning rate.

    AdaDelta and RMSProp have the published constants. AdamW decays all but biases.
    """
    config, rate = model.config, model.config.learning_rate
    if config.optimiser == "adadelta":
        return torch.optim.Adadelta(model.parameters(), lr=rate, rho=0.95, eps=1e-6)
    if config.optimiser == "rmsprop":
        return torch.optim.RMSprop(model.parameters(), lr=rate, alpha=0.9, eps=1e-6)
    if config.optimiser == "adam":
        return torch.optim.Adam(model.parameters(), lr=rate)
    matrices = [p for p in model.parameters() if p.dim() >= MATRIX]
    others = [p for p in model.parameters() if p.dim() < MATRIX]
    groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, weight_decay=config.weight_decay)


def rate(config: Any, iteration: int, total: int) -> float:
    """The learning rate, as a share of its height, at an iteration of `total`.

    It rises while warming up, and falls to nothing in the last share `cooling` of the iterations
    that the configuration has on the main corpus: the same with levels before it. Where it counts
    epochs instead, of all iterations, those on levels among them.
    """
    rising = (iteration + 1) / config.warm_up if config.warm_up else 1.0
    cooling = config.cooling * (config.iterations or total)
    return min(1.0, rising, (total - iteration) / cooling if cooling else 1.0)
