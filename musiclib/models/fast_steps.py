"""The biaxial RNN's steps at the machine's speed: they choose what its own `step` chooses.

On a processor the time axis runs with weights packed once, the note axis compiled. On a GPU a whole
step is one CUDA graph.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musiclib.models.biaxial import BiaxialConfig, BiaxialRNN, LayerState, Memory
from musiclib.models.sampling import Coins
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import NOTES


def fast_steps(model: BiaxialRNN) -> Any:
    """What composes fastest with a biaxial RNN of torch's cells where it is."""
    on_gpu = next(model.parameters()).is_cuda
    return GraphedSteps(model, cuda_graph) if on_gpu else CompiledSteps(model)


def compile_steps() -> None:
    """Compile what composing waits for, for two layers along the notes: seconds, once.

    All later processes then find it.
    """
    model = BiaxialRNN(BiaxialConfig(time_sizes=(2, 2), note_sizes=(2, 2))).eval()
    coins = Coins(torch.rand(1, NOTES, 2), torch.ones(1), 1.0)
    with torch.inference_mode():
        CompiledSteps(model).step(torch.zeros(1, NOTES, 2), model.begin(1), coins)


class CompiledSteps:
    """`begin` and `step` of a biaxial RNN on a processor."""

    def __init__(self, model: BiaxialRNN) -> None:
        self.begin, self.hear = model.begin, model.hear
        self.time_axis = [PackedLSTM(layer) for layer in model.time_axis.layers]
        layers = [layer.all_weights[0] for layer in model.note_axis.layers]
        self.heard = layers[0][0][:, :-2].contiguous()  # the first layer's weights of the time axis
        self.bias = layers[0][2] + layers[0][3]
        inputs = [layers[0][0][:, -2:], *(layer[0] for layer in layers[1:])]
        self.weights = (
            tuple(_numpy(weight.T) for weight in inputs),
            tuple(_numpy(layer[1].T) for layer in layers),
            tuple(_numpy(layer[2] + layer[3]) for layer in layers),
            tuple(_numpy(state) for state in model.note_axis.initial),
            _numpy(model.output.weight),
            _numpy(model.output.bias),
        )

    def step(self, notes: Tensor, memory: Memory, coins: Coins) -> tuple[Tensor, Memory]:
        """Hear `notes` (P, 78, 2) and choose the next ones, from the lowest up."""
        from musiclib.models.note_loop import walk  # here: importing it takes half a second

        states, position, bar = memory
        x = self.hear(notes[:, None], first_step=position).flatten(0, 2)  # (P * N, F)
        after = []
        for layer, state in zip(self.time_axis, states, strict=True):
            after.append(layer(x, state))
            x = after[-1][0]
        base = F.linear(x, self.heard, self.bias).unflatten(0, (len(notes), NOTES))
        coin = (coins.noise, coins.power, coins.temperature)
        chosen = walk(_numpy(base), *self.weights, *map(_numpy, coin))
        return torch.from_numpy(chosen), Memory(after, (position + 1) % bar, bar)


class PackedLSTM:
    """One step of an LSTM layer, its weights laid out for oneDNN once and not at every step."""

    def __init__(self, layer: nn.LSTM) -> None:
        self.layer = layer
        try:
            self.packed = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(
                *layer.all_weights[0][:2], layer.hidden_size, False, True, False, None
            )
            zeros = torch.zeros(1, layer.hidden_size)
            self(torch.zeros(1, layer.input_size), (zeros, zeros))
        except (AttributeError, RuntimeError, TypeError):  # a torch that has no such functions
            self.packed = None

    def __call__(self, x: Tensor, state: LayerState) -> LayerState:
        """The state after x (rows, inputs)."""
        if self.packed is None:
            _, (h, c) = self.layer(x[None], (state[0][None], state[1][None]))
            return h[0], c[0]
        biases, size = self.layer.all_weights[0][2:], self.layer.hidden_size
        kind = (False, [], 2, size, 1, True, False, False, False)  # 2 is an LSTM
        _, h, c, _ = torch.ops.aten.mkldnn_rnn_layer(x[None], *self.packed, *biases, *state, *kind)
        return h, c


class GraphedSteps:
    """`begin` and `step` of a biaxial RNN, recorded once: its tensors stay where they are.

    `record` makes a function of tensors in place one that does the same again.
    """

    def __init__(
        self, model: BiaxialRNN, record: Callable[[Callable[[], None]], Callable[[], None]]
    ) -> None:
        self.model, self.record, self.again = model, record, None

    def begin(self, pieces: int, bar: int = STEPS_PER_BAR) -> None:
        """Forget what was composed: memory is kept here, of one composition at a time."""
        self.again, self.bar = None, bar

    def step(self, notes: Tensor, memory: None, coins: Coins) -> tuple[Tensor, None]:
        """Hear `notes` (P, 78, 2) and choose the next ones, from the lowest up."""
        if self.again is None:
            self._record(notes, coins)
        self.notes.copy_(notes)
        self.coins.noise.copy_(coins.noise)
        self.coins.power.copy_(coins.power)
        self.coins.temperature.copy_(coins.temperature)
        self.again()
        return self.notes.clone(), None

    def _record(self, notes: Tensor, coins: Coins) -> None:
        self.notes = notes.clone()
        self.coins = Coins(coins.noise.clone(), coins.power.clone(), coins.temperature.clone())
        self.position = torch.zeros((), dtype=torch.long, device=notes.device)
        self.states = self.model.begin(len(notes)).over_time
        self.again = self.record(self._step_in_place)
        self.position.zero_()  # recording has taken some steps
        for kept, first in zip(self.states, self.model.begin(len(notes)).over_time, strict=True):
            _copy(first, kept)

    def _step_in_place(self) -> None:
        """`notes` become the next ones, and the memory what it is after them."""
        memory = Memory(self.states, self.position, self.bar)
        chosen, after = self.model.step(self.notes, memory, self.coins)
        self.notes.copy_(chosen)
        self.position.copy_(after.position)
        for kept, new in zip(self.states, after.over_time, strict=True):
            _copy(new, kept)


def cuda_graph(function: Callable[[], None]) -> Callable[[], None]:
    """`function` as one CUDA graph; it is called a few times on the way."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            function()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        function()
    return graph.replay


def _copy(source: LayerState, target: LayerState) -> None:
    for old, new in zip(target, source, strict=True):
        old.copy_(new)


def _numpy(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()
