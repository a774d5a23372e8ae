"""The LSTM layers of the biaxial RNN: of torch's cells, or of the published linear candidate.

Shapes: T steps, R rows, I inputs, H units; a state is (h, c), (R, H) each. Gates are in torch's
order: input, forget, candidate, output.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

Cell = Literal["torch", "linear"]
Start = Literal["torch", "normal", "open"]
LayerState = tuple[Tensor, Tensor]
GATES = 4
OPEN = 1.0  # the bias of a forget gate (Jozefowicz et al. 2015)


class TorchLSTM(nn.LSTM):
    """A layer of torch's LSTM: c' = f c + i tanh(W x + U h + b), h' = o tanh(c')."""

    def over(self, x: Tensor, state: LayerState) -> Tensor:
        """The outputs (T, R, H) over whole sequences x (T, R, I)."""
        return self(x, tuple(part[None] for part in state))[0]

    def step(self, x: Tensor, state: LayerState) -> LayerState:
        """The state after one step x (R, I)."""
        return torch.lstm_cell(x, state, *self.all_weights[0])

    def gate_gradients(self) -> list[list[Tensor]]:
        """The gradients of each gate: its weights of x and h together, and its two biases."""
        from_x, from_h, *biases = (weights.grad.chunk(GATES) for weights in self.all_weights[0])
        return [[x, h] for x, h in zip(from_x, from_h, strict=True)] + [
            [gate] for bias in biases for gate in bias
        ]


class LinearLSTM(nn.Module):
    """The published cell: c' = f c + i (W x + U h + b), h' = o tanh(c'), one bias per gate.

    As in the library that the authors ran (theano_lstm 0b4546c). `weight` (4 H, I + H) and `bias`
    (4 H,) start uniform in +-1 / sqrt(H), as torch's do.
    """

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__()
        self.input_size, self.hidden_size = inputs, size
        self.weight = nn.Parameter(torch.empty(GATES * size, inputs + size))
        self.bias = nn.Parameter(torch.empty(GATES * size))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(size**-0.5), size**-0.5)

    def over(self, x: Tensor, state: LayerState) -> Tensor:
        """The outputs (T, R, H) over whole sequences x (T, R, I)."""
        with torch.autocast(x.device.type, enabled=False):
            x, *state = (part.to(self.weight.dtype) for part in (x, *state))
            return _OverSequence.apply(x, *state, self.weight, self.bias)

    def step(self, x: Tensor, state: LayerState) -> LayerState:
        """The state after one step x (R, I)."""
        h, c = state
        gates = torch.addmm(self.bias, torch.cat([x, h], dim=1), self.weight.T)
        i, f, candidate, o = gates.chunk(GATES, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * candidate
        return torch.sigmoid(o) * torch.tanh(c), c

    def gate_gradients(self) -> list[list[Tensor]]:
        """The gradients of each gate: its weights of x and h together, and its bias."""
        both = (*self.weight.grad.chunk(GATES), *self.bias.grad.chunk(GATES))
        return [[gradient] for gradient in both]


class _OverSequence(torch.autograd.Function):
    """`LinearLSTM.over` with its gradient by hand: the products of all steps are taken at once."""

    @staticmethod
    def forward(ctx, x, h, c, weight, bias):  # noqa: ANN001
        steps, size = len(x), h.shape[1]
        from_x, from_h = weight.split([x.shape[2], size], dim=1)
        gates = torch.addmm(bias, x.flatten(0, 1), from_x.T).unflatten(0, x.shape[:2])
        hidden, cells = (part.new_empty(steps + 1, *part.shape) for part in (h, c))
        hidden[0], cells[0] = h, c
        bent = torch.empty_like(cells[1:])  # tanh of the cells
        for t, gate in enumerate(gates):
            gate.addmm_(hidden[t], from_h.T)
            gate[:, : 2 * size].sigmoid_(), gate[:, 3 * size :].sigmoid_()
            i, f, candidate, o = gate.chunk(GATES, dim=1)
            torch.mul(f, cells[t], out=cells[t + 1]).addcmul_(i, candidate)
            torch.mul(o, torch.tanh(cells[t + 1], out=bent[t]), out=hidden[t + 1])
        ctx.save_for_backward(x, weight, gates, hidden, cells, bent)
        return hidden[1:].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, d_out):  # noqa: ANN001
        x, weight, gates, hidden, cells, bent = ctx.saved_tensors
        size = hidden.shape[2]
        from_x, from_h = weight.split([x.shape[2], size], dim=1)
        d_gates = torch.empty_like(gates)
        d_hidden, d_cell = torch.zeros_like(hidden[0]), torch.zeros_like(cells[0])
        for t in range(len(x) - 1, -1, -1):
            i, f, candidate, o = gates[t].chunk(GATES, dim=1)
            d_hidden += d_out[t]
            d_cell += torch.ops.aten.tanh_backward(d_hidden * o, bent[t])
            d_i, d_f, d_candidate, d_o = d_gates[t].chunk(GATES, dim=1)
            torch.mul(d_cell, candidate, out=d_i)
            torch.mul(d_cell, cells[t], out=d_f)
            torch.mul(d_cell, i, out=d_candidate)
            torch.mul(d_hidden, bent[t], out=d_o)
            for gate in (slice(2 * size), slice(3 * size, None)):
                s = gates[t][:, gate]
                d_gates[t][:, gate].mul_(torch.addcmul(s, s, s, value=-1))
            d_cell *= f
            torch.mm(d_gates[t], from_h, out=d_hidden)
        flat = d_gates.flatten(0, 1)
        d_weight = torch.cat([flat.T @ x.flatten(0, 1), flat.T @ hidden[:-1].flatten(0, 1)], dim=1)
        d_x = (flat @ from_x).view_as(x) if ctx.needs_input_grad[0] else None
        return d_x, d_hidden, d_cell, d_weight, flat.sum(dim=0)


CELLS: dict[Cell, type[TorchLSTM | LinearLSTM]] = {"torch": TorchLSTM, "linear": LinearLSTM}


class AxisLSTM(nn.Module):
    """A stack of LSTMs along one axis, the first of x, with dropout on their outputs.

    A dropout mask is drawn once a sequence: the same units are silent at every step of it. Weights
    start uniform and initial states at 0, learned; with forget gates open besides ("open"), so that
    what is known stays known; or all normal ("normal"), states not learned.
    """

    def __init__(
        self,
        inputs: int,
        sizes: tuple[int, ...],
        *,
        cell: Cell = "torch",
        start: Start = "torch",
        dropout: float = 0.0,
        dropout_scaled: bool = True,
    ) -> None:
        super().__init__()
        widths = [inputs, *sizes]
        make = CELLS[cell]
        self.layers = nn.ModuleList(make(i, o) for i, o in zip(widths[:-1], sizes, strict=True))
        self.initial = nn.ParameterList(nn.Parameter(torch.zeros(2, size)) for size in sizes)
        self.dropout, self.scaled = dropout, dropout_scaled
        if start == "normal":
            self._start_normal(sizes)
        if start == "open":
            self._open_forget_gates()

    def _start_normal(self, sizes: tuple[int, ...]) -> None:
        for layer, initial, size in zip(self.layers, self.initial, sizes, strict=True):
            for parameter in layer.parameters():
                nn.init.normal_(parameter, std=1 / size)
            if isinstance(layer, nn.LSTM):
                nn.init.zeros_(layer.bias_hh_l0)  # published cells have one bias per gate
            nn.init.normal_(initial, std=1 / (2 * size)).requires_grad_(False)

    @torch.no_grad()
    def _open_forget_gates(self) -> None:
        for layer in self.layers:
            bias = layer.bias_ih_l0 if isinstance(layer, nn.LSTM) else layer.bias
            bias[layer.hidden_size : 2 * layer.hidden_size] += OPEN

    def forward(self, x: Tensor) -> Tensor:
        """Whole sequences: x (steps, rows, inputs) to (steps, rows, sizes[-1])."""
        for layer, state in zip(self.layers, self.begin(x.shape[1]), strict=True):
            x = self._dropped(layer.over(x, state))
        return x

    def _dropped(self, x: Tensor) -> Tensor:
        if not self.training:
            return x if self.scaled else x * (1 - self.dropout)
        mask = F.dropout(x.new_ones(x.shape[-2:]), self.dropout)
        return x * (mask if self.scaled else mask.sign())

    def begin(self, rows: int) -> list[LayerState]:
        """The initial states, (rows, size) twice a layer."""
        return [
            (h.expand(rows, -1).contiguous(), c.expand(rows, -1).contiguous())
            for h, c in self.initial
        ]

    def step(self, x: Tensor, states: list[LayerState]) -> tuple[Tensor, list[LayerState]]:
        """One step: x (rows, inputs) to (rows, sizes[-1]), as `forward` does when evaluated."""
        after = []
        for layer, state in zip(self.layers, states, strict=True):
            after.append(layer.step(x, state))
            x = self._dropped(after[-1][0])
        return x, after
