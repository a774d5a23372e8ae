"""Small restricted Boltzmann machines, and by loops over all their states what is true of them."""

from itertools import product

import numpy as np
import torch
from torch import nn

from musiclib.models.rbm import RBM, RBMConfig


def toy_machine(visible, hidden, seed=0, scale=1.0, **options):
    """A random machine of any size in float64; `scale` is the deviation of weights and biases."""
    rng = np.random.default_rng(seed)
    shapes = (visible, hidden), visible, hidden
    return machine_of([scale * rng.standard_normal(shape) for shape in shapes], **options)


def music_machine(window, hidden, seed=0, scale=0.3, bias=-2.0):
    """A random machine over windows of music in float64; `bias` is the mean visible bias."""
    rng, cells = np.random.default_rng(seed), window * 156
    weights, visible_bias, hidden_bias = (
        scale * rng.standard_normal(shape) for shape in ((cells, hidden), cells, hidden)
    )
    return machine_of([weights, bias + visible_bias, hidden_bias], window)


def copying_machine(units, window=1, **options):
    """Each hidden unit is one cell's copy, wrong once in half a billion times."""
    halves = np.full(units, -20.0)
    return machine_of([40 * np.eye(units), halves, halves], window, **options)


def machine_of(parameters, window=1, **options):
    """The machine with these weights, visible and hidden biases, in float64."""
    weights, visible_bias, hidden_bias = (
        nn.Parameter(torch.tensor(p, dtype=torch.float64)) for p in parameters
    )
    machine = RBM(RBMConfig(hidden=len(hidden_bias), window=window, **options))
    machine.weights, machine.visible_bias = weights, visible_bias
    machine.hidden_bias = hidden_bias
    return machine


def parameters_of(machine):
    """Weights, visible and hidden biases as arrays."""
    tensors = machine.weights, machine.visible_bias, machine.hidden_bias
    return [tensor.detach().numpy().copy() for tensor in tensors]


def gradients_of(machine):
    """Their gradients, likewise."""
    tensors = machine.weights, machine.visible_bias, machine.hidden_bias
    return [tensor.grad.numpy().copy() for tensor in tensors]


def bits(units):
    """All states of some units, as tuples; the last unit changes fastest."""
    return list(product((0, 1), repeat=units))


def random_windows(count, visible, seed=0, chance=0.5):
    """Windows of bits, (count, visible), as floats."""
    rng = np.random.default_rng(seed)
    return (rng.random((count, visible)) < chance).astype(float)


def log_weight(parameters, v, h):
    """v'Wh + b'v + c'h."""
    weights, visible_bias, hidden_bias = parameters
    total = sum(bias for bias, bit in zip(visible_bias, v, strict=True) if bit)
    total += sum(bias for bias, bit in zip(hidden_bias, h, strict=True) if bit)
    for i, left in enumerate(v):
        for j, right in enumerate(h):
            total += weights[i][j] * left * right
    return total


def summed_weights(parameters):
    """The unnormalised probability of every visible state, summed over all hidden states."""
    weights = parameters[0]
    hidden = bits(weights.shape[1])
    return np.array(
        [sum(np.exp(log_weight(parameters, v, h)) for h in hidden) for v in bits(weights.shape[0])]
    )


def true_log_partition(parameters):
    """The log of the sum over all visible and hidden states."""
    return np.log(summed_weights(parameters).sum())


def exact(machine):
    """The same of a machine, from its free energies: a scalar that can be differentiated."""
    states = torch.tensor(bits(len(machine.visible_bias)), dtype=machine.weights.dtype)
    return (-machine.free_energy(states)).logsumexp(dim=0)


def true_probabilities(parameters):
    """The probability of every visible state, in the order of `bits`."""
    weights = summed_weights(parameters)
    return weights / weights.sum()


def true_log_likelihood(parameters, windows):
    """The mean log probability of windows, nats."""
    log_p = dict(zip(bits(windows.shape[1]), np.log(true_probabilities(parameters)), strict=True))
    return np.mean([log_p[tuple(int(bit) for bit in window)] for window in windows])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def hidden_chances(parameters, v):
    """The chance of each hidden unit given a window."""
    weights, _, hidden_bias = parameters
    return [
        sigmoid(hidden_bias[j] + sum(v[i] * weights[i][j] for i in range(len(v))))
        for j in range(len(hidden_bias))
    ]


def visible_chances(parameters, h):
    """The chance of each cell given hidden units, which may be chances themselves."""
    weights, visible_bias, _ = parameters
    return [
        sigmoid(visible_bias[i] + sum(weights[i][j] * h[j] for j in range(len(h))))
        for i in range(len(visible_bias))
    ]


def statistics(parameters, v):
    """v h(v)', v and h(v) of one window."""
    h = hidden_chances(parameters, v)
    return [np.array([[i * j for j in h] for i in v]), np.array(v, float), np.array(h)]


def mean_statistics(parameters, windows):
    """Their means over windows."""
    each = [statistics(parameters, window) for window in windows]
    return [np.mean(kind, axis=0) for kind in zip(*each, strict=True)]


def expected_statistics(parameters):
    """Their means over all that the machine may show, weighed by its probabilities."""
    expected = [np.zeros_like(parameter) for parameter in parameters]
    chances = true_probabilities(parameters)
    for chance, v in zip(chances, bits(len(parameters[1])), strict=True):
        for total, value in zip(expected, statistics(parameters, v), strict=True):
            total += chance * value
    return expected


def numeric_gradient(function, parameters, step=1e-5):
    """Central differences of a function of [weights, visible biases, hidden biases]."""
    slopes = [np.zeros_like(parameter) for parameter in parameters]
    for which, parameter in enumerate(parameters):
        for place in np.ndindex(parameter.shape):
            ends = []
            for sign in (1, -1):
                moved = [p.copy() for p in parameters]
                moved[which][place] += sign * step
                ends.append(function(moved))
            slopes[which][place] = (ends[0] - ends[1]) / (2 * step)
    return slopes


def assert_all_close(ours, theirs, **tolerance):
    """Of weights, visible and hidden biases alike."""
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, **tolerance)
