"""Weights on disk: safetensors that carry the configuration of their run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save
from torch import nn

from musiclib.base.arrays import opened, reason
from musiclib.base.errors import InputError
from musiclib.base.passing import passing
from musiclib.base.seeds import Seed
from musiclib.base.typed import built, fitted, shown
from musiclib.base.writing import write_bytes
from musiclib.models import MODELS, Model, build

FAULTS = (
    *(SafetensorError, LookupError, TypeError, ValueError, AttributeError),
    *(OSError, RuntimeError, MemoryError, ArithmeticError),
)
RUN = {  # what a file must say of its run
    "curriculum": bool,
    "seed": Seed,
    "normalise": bool,
    "mode": Literal["all", "major", "minor"],
    "reverse": bool,
}
LARGEST = 1_000_000  # of weights; trained ones are below 1,000
SOME = 16  # parameters that a model may make and give up
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
Shapes = dict[str, tuple[str, tuple[int, ...]]]


def save_weights(model: Model, path: Path, run: dict[str, Any]) -> None:
    """Write a model's weights and the description of its run, `RunConfig.describe`."""
    write_bytes(path, save(model.state_dict(), {"config": json.dumps(run)}))


def load_weights(path: Path) -> tuple[Model, dict]:
    """The model in a weights file and the run it comes from; runs no code from the file.

    The file carries its run's configuration: `curriculum`, `seed`, `normalise`, `reverse`, ...
    Raises InputError for another kind of file, a damaged one, and weights that are not numbers.
    Nothing is allocated that the file does not hold. Raises OSError or MemoryError where the
    machine is at fault, and the file may be whole.
    """
    with _told(path):
        run, config, held = _outline(path)
        _must_fit(config, held)
        model = build(config)
        load_model(model, path)
    if not all(map(within, model.state_dict().values())):
        raise InputError(
            f"{path}: some of its weights are not numbers, or beyond {LARGEST:,}: it is damaged,"
            " train anew"
        )
    return model.eval(), run


def within(values: torch.Tensor) -> bool:
    """Whether all are numbers of a size that a network can still compute with."""
    return not values.numel() or bool(values.abs().max() <= LARGEST)  # false of NaN, too


def described(path: Path) -> tuple[Any, dict]:
    """The configuration and the run that a weights file names; its weights are not read.

    Raises InputError where it is cut off, or no such file; else as `load_weights`.
    """
    with _told(path):
        run, config, _ = _outline(path)
    return config, run


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Make one sentence of whatever is wrong with a file; what passes is raised as it is."""
    try:
        yield
    except FAULTS as error:
        if isinstance(error, FileNotFoundError) and error.errno is None:  # safetensors' for any
            raise OSError(str(error)) from error
        if passing(error):
            raise
        why = f"not weights saved by musiclib ({reason(error)})"
        raise InputError(f"{path}: {why}; take others, or train anew") from error


def _outline(path: Path) -> tuple[dict[str, Any], Any, Shapes]:
    """The run, the configuration and the tensors that a file says it has."""
    with opened(path), safe_open(path, "pt") as stored:  # which looks at the file's size
        run, config = _described(stored.metadata())
        held = {name: _held(stored.get_slice(name)) for name in stored.keys()}  # noqa: SIM118
    return run, config, held


def _described(metadata: dict[str, str] | None) -> tuple[dict[str, Any], Any]:
    """What a file says of its run, and the configuration of its model."""
    if "config" not in (metadata or {}):
        raise ValueError("it does not say what it is of")
    run = json.loads(metadata["config"])
    if not isinstance(run, dict) or not isinstance(run.get("model"), dict):
        raise ValueError("what it says of its run is no configuration")
    for name, kind in RUN.items():
        if name not in run:
            raise ValueError(f"{name}: it is not said")
        fitted(kind, run[name], name)
    values = run.pop("model")
    kind = values.pop("model", None)
    if not isinstance(kind, str) or kind not in MODELS:
        raise ValueError(f"model: {shown(kind)}, not one of {', '.join(MODELS)}")
    return run, built(MODELS[kind].config, values)


def _held(tensor: Any) -> tuple[str, tuple[int, ...]]:
    """The dtype and the shape of a tensor of the file."""
    dtype = tensor.get_dtype()
    return DTYPES.get(dtype, dtype), tuple(tensor.get_shape())


def _must_fit(config: Any, held: Shapes) -> None:
    """Raise ValueError where a configuration's model has other tensors than a file holds.

    The model is made without memory, and given up once it has more tensors than the file.
    """
    wanted = {}
    try:
        with torch.device("meta"), _at_most(2 * len(held) + SOME):
            state = build(config).state_dict()
    except NotImplementedError:  # a model of one's own that cannot be made without memory
        return
    for name, tensor in state.items():
        wanted[name] = str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape)
    if names := wanted.keys() ^ held.keys():
        first = min(names)
        raise ValueError(f"{first}: {'it is missing' if first in wanted else 'no such weights'}")
    for name, (dtype, shape) in wanted.items():
        floats = {dtype, held[name][0]} <= set(DTYPES.values())  # kept ones are of half precision
        if held[name][1] != shape or not (floats or held[name][0] == dtype):
            raise ValueError(f"{name}: {held[name][0]} {held[name][1]}, not {dtype} {shape}")


class _at_most:
    """Raises ValueError where a model is made of more than so many parameters."""

    def __init__(self, most: int) -> None:
        self.left = most

    def __enter__(self) -> None:
        self.hook = nn.modules.module.register_module_parameter_registration_hook(self._count)

    def __exit__(self, *_: object) -> None:
        self.hook.remove()

    def _count(self, *_: object) -> None:
        self.left -= 1
        if self.left < 0:
            raise ValueError("its configuration is of a larger model")
