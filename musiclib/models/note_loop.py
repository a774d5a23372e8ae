"""The walk up the note axis, compiled: what `BiaxialRNN._choose` does, some pieces a thread.

Each piece is computed by itself, so it does not depend on the others. Products are in float32,
gates in float64.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numba import njit

from musiclib.base.compiled import compiled

Arrays = tuple[np.ndarray, ...]
THREADS = ThreadPoolExecutor()
# sums may be reordered, and nothing is checked for division by 0: else loops are not vectorised
FAST = {"fastmath": {"reassoc", "contract", "arcp", "nsz"}, "error_model": "numpy"}


def walk(
    base: np.ndarray,
    inputs: Arrays,
    recurrent: Arrays,
    biases: Arrays,
    initial: Arrays,
    dense: np.ndarray,
    dense_bias: np.ndarray,
    noise: np.ndarray,
    power: np.ndarray,
    temperature: np.ndarray,
) -> np.ndarray:
    """The chosen notes (P, N, 2), float32.

    `base` (P, N, 4 H) is what does not depend on the notes below: the first layer's gates from the
    time axis, biases among them. Of every layer, `inputs` and `recurrent` are weights (from, 4 to),
    those of the first for the note below alone; `biases` (4 to,), the first without effect;
    `initial` states (2, to). All is float32 and contiguous.
    """
    chosen = np.empty_like(noise)
    weights = (inputs, recurrent, biases, initial, dense, dense_bias)
    pieces = (base, noise, power, temperature, chosen)
    shares = np.array_split(np.arange(len(base)), min(torch.get_num_threads(), len(base)))
    slices = [slice(share[0], share[-1] + 1) for share in shares]
    list(THREADS.map(lambda share: _walk(weights, *(p[share] for p in pieces)), slices))
    return chosen


@compiled(**FAST)
def _walk(weights, base, noise, power, temperature, chosen):  # noqa: ANN001, ANN202
    for piece in range(len(base)):
        settings = (noise[piece], power[piece], temperature[piece])
        _walk_piece(base[piece], weights, settings, chosen[piece])


@compiled(**FAST)
def _walk_piece(base, weights, settings, chosen):  # noqa: ANN001, ANN202
    inputs, recurrent, biases, initial, dense, dense_bias = weights
    noise, power, temperature = settings
    hidden = [state[0].copy() for state in initial]
    cells = [state[1].copy() for state in initial]
    gates = [bias.copy() for bias in biases]
    below, p = np.zeros(2, np.float32), np.zeros(2, np.float32)
    for note in range(len(base)):
        x = below
        for layer in range(len(recurrent)):
            gates[layer][:] = base[note] if layer == 0 else biases[layer]
            _add_product(gates[layer], x, inputs[layer])
            _add_product(gates[layer], hidden[layer], recurrent[layer])
            _cell(gates[layer], hidden[layer], cells[layer])
            x = hidden[layer]
        p[:] = dense_bias
        for bit in range(2):
            for j in range(len(x)):
                p[bit] += dense[bit, j] * x[j]
            p[bit] = _sigmoid(p[bit] / temperature)
        below[0] = noise[note, 0] < p[0] ** power
        below[1] = below[0] * (noise[note, 1] < p[1])
        chosen[note] = below


@njit(inline="always", **FAST)
def _add_product(to, x, weights):  # noqa: ANN001, ANN202
    """to += x @ weights, four rows of the weights at a time: a quarter of the stores."""
    whole = len(x) // 4 * 4
    for k in range(0, whole, 4):
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        for j in range(len(to)):
            to[j] += (
                a * weights[k, j]
                + b * weights[k + 1, j]
                + c * weights[k + 2, j]
                + d * weights[k + 3, j]
            )
    for k in range(whole, len(x)):
        for j in range(len(to)):
            to[j] += x[k] * weights[k, j]


@njit(inline="always", **FAST)
def _cell(gates, hidden, cell):  # noqa: ANN001, ANN202
    """One LSTM cell in place; `gates` in torch's order: input, forget, cell, output."""
    size = len(hidden)
    for j in range(size):
        new = _sigmoid(gates[size + j]) * cell[j]
        new += _sigmoid(gates[j]) * _tanh(gates[2 * size + j])
        cell[j] = new
        hidden[j] = _sigmoid(gates[3 * size + j]) * _tanh(new)


@njit(inline="always", **FAST)
def _sigmoid(x):  # noqa: ANN001, ANN202
    """1 / (1 + e^-x) of additions and products alone, which a compiler can do eight at a time.

    e^y is the 256th power of e^(y / 256), whose series needs seven terms to be exact in float32.
    """
    y = 60.0 if x < -60.0 else -60.0 if x > 60.0 else -x  # what is not a number stays so
    y /= 256.0
    e = 1 + y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5 * (1 + y / 6 * (1 + y / 7))))))
    for _ in range(8):
        e *= e
    return 1.0 / (1.0 + e)


@njit(inline="always", **FAST)
def _tanh(x):  # noqa: ANN001, ANN202
    return 2.0 * _sigmoid(2.0 * x) - 1.0
