"""The networks and machines of section 2.4. All offer what `training` asks of a model:

- ``loss(batch, memory)``: the training objective of a batch of uint8 music, and the new memory
- ``parts(batch)``, where the loss is a sum: the batch in parts to be taken one after another
- ``optimizer()``; ``rate(iteration, total)``: share of its learning rate at an iteration
- ``clip_norm``: gradient clipping per tensor, or None; ``clip_groups()``, where other groups of
  gradients than single tensors are clipped
- ``without_learning(batches)``, for the networks: the losses that need no learning

The two networks compose as well: ``begin(pieces)`` and ``step(notes, memory, coins)`` compose one
step of many pieces at once.
"""

from dataclasses import asdict

from musiclib.models.biaxial import PUBLISHED_FORM, BiaxialConfig, BiaxialRNN
from musiclib.models.conditional_rbm import ConditionalRBM, ConditionalRBMConfig
from musiclib.models.lstm import PUBLISHED_LSTM, LSTMConfig, PianoRollLSTM
from musiclib.models.rbm import RBM, RBMConfig

__all__ = [
    "CONFIGS",
    "PUBLISHED",
    "PUBLISHED_FORM",
    "RBM",
    "BiaxialConfig",
    "BiaxialRNN",
    "ConditionalRBM",
    "ConditionalRBMConfig",
    "LSTMConfig",
    "PianoRollLSTM",
    "RBMConfig",
    "build",
    "computed_in",
    "describe",
]

Config = LSTMConfig | BiaxialConfig | RBMConfig | ConditionalRBMConfig
Network = PianoRollLSTM | BiaxialRNN
Model = Network | RBM | ConditionalRBM

PUBLISHED = {"lstm": PUBLISHED_LSTM, "biaxial": PUBLISHED_FORM}  # changes from the defaults
CONFIGS = {
    "lstm": LSTMConfig,
    "biaxial": BiaxialConfig,
    "rbm": RBMConfig,
    "conditional-rbm": ConditionalRBMConfig,
}
MODELS = {
    "lstm": PianoRollLSTM,
    "biaxial": BiaxialRNN,
    "rbm": RBM,
    "conditional-rbm": ConditionalRBM,
}


def name_of(config: Config) -> str:
    """The name of a configuration's model: "lstm", "biaxial", "rbm" or "conditional-rbm"."""
    return next(name for name, kind in CONFIGS.items() if isinstance(config, kind))


def build(config: Config) -> Model:
    """A freshly initialised model for a configuration."""
    return MODELS[name_of(config)](config)


def computed_in(config: Config, precision: str) -> str:
    """The precision that a model is trained in where one is asked for.

    RBMs and the published cell know float32 alone.
    """
    linear = isinstance(config, BiaxialConfig) and config.cell == "linear"
    return precision if isinstance(config, LSTMConfig | BiaxialConfig) and not linear else "fp32"


def describe(config: Config) -> dict:
    """The configuration as plain values, the model's name among them."""
    return {"model": name_of(config), **asdict(config)}
