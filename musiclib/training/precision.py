"""What products are computed in: float32, TF32 on a GPU, or bfloat16 where there is hardware."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Literal, get_args

import torch
from torch import nn

from musiclib.base.errors import InputError

Precision = Literal["fp32", "tf32", "bf16"]


@cache
def computes_bf16() -> bool:
    """Whether LSTMs train in bfloat16 here: tried out, since a processor's flags can mislead."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    x = torch.zeros(1, 1, 1)
    try:
        with torch.random.fork_rng(), torch.autocast("cpu", torch.bfloat16):
            nn.LSTM(1, 1)(x)[0].sum().backward()
    except RuntimeError:
        return False
    return True


def check_precision(precision: Precision) -> None:
    """Raise InputError for a precision that does not exist, or that this machine has not."""
    if precision not in get_args(Precision):
        choices = ", ".join(get_args(Precision))
        raise InputError(f"unknown precision {precision!r}: choose one of {choices}")
    if precision == "tf32" and not torch.cuda.is_available():
        raise InputError("tf32 is a precision of GPUs, and there is none: use fp32")
    if precision == "bf16" and not computes_bf16():
        raise InputError(
            "this processor does not compute LSTMs in bf16 (it needs AVX-512): use fp32"
        )


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Whether products of float32 on a GPU may be rounded to TF32; afterwards as it was before."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager:
    """What a forward pass in a precision runs in."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
