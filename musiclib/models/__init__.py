"""The two networks of section 2.4. Both offer what `training` and `composing` ask of a model:

- ``loss(batch, memory)``: the training objective of a batch of uint8 music, and the new memory
- ``optimizer()``: the published optimiser; ``clip_norm``: gradient clipping a tensor, or None
- ``begin(pieces)`` and ``step(notes, memory, coins)``: compose one step of many pieces at once
"""

from dataclasses import asdict

from musiclib.models.biaxial import BiaxialConfig, BiaxialRNN
from musiclib.models.lstm import LSTMConfig, PianoRollLSTM

Config = LSTMConfig | BiaxialConfig
Model = PianoRollLSTM | BiaxialRNN

CONFIGS = {"lstm": LSTMConfig, "biaxial": BiaxialConfig}
MODELS = {"lstm": PianoRollLSTM, "biaxial": BiaxialRNN}


def name_of(config: Config) -> str:
    """ "lstm" or "biaxial"."""
    return next(name for name, kind in CONFIGS.items() if isinstance(config, kind))


def build(config: Config) -> Model:
    """A freshly initialised model for a configuration."""
    return MODELS[name_of(config)](config)


def describe(config: Config) -> dict:
    """The configuration as plain values, the model's name among them."""
    return {"model": name_of(config), **asdict(config)}
