"""The networks and machines of section 2.4: one file each, and a line each in `MODELS` below.

`build` makes one of its configuration; `model` says what training and composing ask of it. `lstm`,
`biaxial` (with `cells`, `features`), `biaxial_roll`, `rbm` and `conditional_rbm` (with
`nonlocal_means`) are the models, `recipe` how networks may be trained, `modern` how they learn
best, `likelihood` what they say of music; `sampling` flips their coins, `without_learning` says
whether a network learned, `checkpoints` loads weights, looked at by the types of a configuration's
fields, `fast_steps` and `note_loop` make composing fast.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from musiclib.base.typed import told_of
from musiclib.corpus.batches import Batches
from musiclib.models.biaxial import PUBLISHED_FORM, BiaxialConfig, BiaxialRNN
from musiclib.models.biaxial_roll import RollBiaxialConfig, RollBiaxialRNN
from musiclib.models.conditional_rbm import ConditionalRBM, ConditionalRBMConfig
from musiclib.models.lstm import PUBLISHED_LSTM, LSTMConfig, PianoRollLSTM
from musiclib.models.model import Model, Network
from musiclib.models.modern import modern_biaxial, modern_lstm
from musiclib.models.rbm import RBM, RBMConfig


class Kind(NamedTuple):
    """A model, its configuration, and what its forms change of that: {} where it has no such form.

    What the modern one changes depends on the configuration, on its sizes above all.
    """

    config: type
    model: type[Model]
    published: Mapping[str, Any] = MappingProxyType({})
    modern: Callable[[Any], Mapping[str, Any]] = lambda config: {}


MODELS = {
    "lstm": Kind(LSTMConfig, PianoRollLSTM, PUBLISHED_LSTM, modern_lstm),
    "biaxial": Kind(BiaxialConfig, BiaxialRNN, PUBLISHED_FORM, modern_biaxial),
    "biaxial-roll": Kind(RollBiaxialConfig, RollBiaxialRNN),
    "rbm": Kind(RBMConfig, RBM),
    "conditional-rbm": Kind(ConditionalRBMConfig, ConditionalRBM),
}


def form_of(config: Any, form: str) -> Mapping[str, Any]:
    """What a form, "published" or "modern", changes of a model's configuration; nothing if none."""
    kind = MODELS[name_of(config)]
    return kind.modern(config) if form == "modern" else kind.published


def name_of(config: Any) -> str:
    """The name in `MODELS` of a configuration's model; raises TypeError for another class."""
    for name, kind in MODELS.items():
        if type(config) is kind.config:
            return name
    raise TypeError(f"{type(config).__name__} is no model's: add it to musiclib.models.MODELS")


def model_of(config: Any) -> type[Model]:
    """The class of a configuration's model."""
    return MODELS[name_of(config)].model


def build(config: Any) -> Model:
    """A freshly initialised model for a configuration."""
    return model_of(config)(config)


def computed_in(config: Any, precision: str) -> str:
    """The precision that a model is trained in where one is asked for: some know float32 alone."""
    return precision if model_of(config).lower_precision(config) else "fp32"


def batches_of(config: Any, pieces: Iterable[Any]) -> Batches:
    """The batches that a configuration's model trains on, of pieces of a corpus."""
    kind, pieces = model_of(config), list(pieces)
    grids = [[piece.positions for piece in pieces]] if kind.hears_bars else []
    return kind.batches(config, kind.reads.of(pieces), *grids)


def describe(config: Any) -> dict:
    """The configuration as plain values, the model's name among them."""
    return {"model": name_of(config), **told_of(config)}
