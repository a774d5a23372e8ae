"""What a model is made of, read from the model itself: its layers, their sizes and weights."""

import pandas as pd
from torch import nn

from musiclib.models.biaxial import BiaxialRNN
from musiclib.models.cells import AxisLSTM
from musiclib.models.features import BEAT_BITS, BITS, OCTAVE
from musiclib.models.rbm import RBM
from musiclib.music.note_states import NOTES

COLUMNS = ("part", "layer", "inputs", "units", "weights", "trained")
FEATURE_PARTS = {"index": 1, "pitch class": OCTAVE, "vicinity": BITS * (2 * OCTAVE + 1)}
FEATURE_PARTS |= {"context": OCTAVE, "beat": BEAT_BITS, "zero": 1}
TIME, NOTE, OUTPUT = "along time", "along notes", "output"


def biaxial_layers(model: BiaxialRNN) -> pd.DataFrame:
    """The layers from the features to the output, a row each, with the columns `COLUMNS`.

    Weights count all parameters of a layer, biases and initial states among them: their sum is the
    model's. `trained` counts those that training changes.
    """
    rows = [*_stack(TIME, model.time_axis), *_stack(NOTE, model.note_axis)]
    inputs, units = model.output.in_features, model.output.out_features
    rows.append((OUTPUT, 1, inputs, units, *_counts(*model.output.parameters())))
    return pd.DataFrame(rows, columns=COLUMNS)


def rbm_layers(model: RBM) -> pd.DataFrame:
    """Units of both layers and the weights of each part, with the columns part, units, weights.

    The weights between the layers belong to neither.
    """
    visible, hidden = model.weights.shape
    rows = [
        ("visible", visible, model.visible_bias.numel()),
        ("hidden", hidden, model.hidden_bias.numel()),
        ("between", 0, model.weights.numel()),
    ]
    return pd.DataFrame(rows, columns=("part", "units", "weights"))


def window_steps(model: RBM) -> int:
    """Steps of the window whose cells are the visible units: two bits of 78 notes each."""
    return model.weights.shape[0] // (2 * NOTES)


def _stack(part: str, axis: AxisLSTM):  # noqa: ANN202
    for at, (layer, initial) in enumerate(zip(axis.layers, axis.initial, strict=True), start=1):
        sizes = layer.input_size, layer.hidden_size
        yield part, at, *sizes, *_counts(*layer.parameters(), initial)


def _counts(*parameters: nn.Parameter) -> tuple[int, int]:
    """All of them, and those that are trained."""
    return (
        sum(each.numel() for each in parameters),
        sum(each.numel() for each in parameters if each.requires_grad),
    )
