"""Where a notebook's wall time goes: start-up, the long works by their labels, and the rest."""

import os
import time

IMPORTED = time.time()
BEGAN = "MUSICLIB_BEGAN"  # set by make: when the notebook's first process began

_spent: dict[str, float] = {}
_ready: list[float] = []


def ready() -> None:
    """Say that start-up is over: processes begun, modules imported."""
    _ready.append(time.time())


def spend(label: str, seconds: float) -> None:
    """Count seconds of a long work."""
    _spent[label] = _spent.get(label, 0.0) + seconds


def breakdown() -> dict[str, float]:
    """Seconds so far: "start-up", each label's, "the rest" (plots, tables), and "all"."""
    began = float(os.environ.get(BEGAN, IMPORTED))
    everything = time.time() - began
    start = (_ready[0] if _ready else time.time()) - began
    rest = everything - start - sum(_spent.values())
    parts = {"start-up": start, **_spent, "the rest": rest, "all": everything}
    return {name: round(seconds, 1) for name, seconds in parts.items()}
