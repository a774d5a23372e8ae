"""Weights on disk: safetensors that carry the configuration of their run."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save

from musiclib.base.errors import InputError
from musiclib.base.writing import write_bytes
from musiclib.models import MODELS, Model, build

FAULTS = (
    *(SafetensorError, LookupError, TypeError, ValueError, AttributeError),
    *(OSError, RuntimeError, MemoryError, ArithmeticError),
)
LONGEST_REASON = 200  # torch names every tensor that does not fit


def save_weights(model: Model, path: Path, run: dict[str, Any]) -> None:
    """Write a model's weights and the description of its run, `RunConfig.describe`."""
    write_bytes(path, save(model.state_dict(), {"config": json.dumps(run)}))


def load_weights(path: Path) -> tuple[Model, dict]:
    """The model in a weights file and the run it comes from; runs no code from the file.

    The file carries its run's configuration: `curriculum`, `seed`, `normalise`, `reverse`, ...
    Raises InputError for another kind of file, a damaged one, and weights that are not numbers.
    """
    try:
        with safe_open(path, "pt") as stored:
            run = json.loads(stored.metadata()["config"])
        values = run.pop("model")
        kind = MODELS[values.pop("model")].config
        model = build(
            kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
        )
        load_model(model, path)
        if missing := {"normalise", "reverse"} - run.keys():
            raise KeyError(f"it does not say {' and '.join(sorted(missing))}")
        if not all(isinstance(run[name], bool) for name in ("normalise", "reverse")):
            raise ValueError("normalise and reverse must be true or false")
    except FAULTS as error:
        reason = " ".join(str(error).split())[:LONGEST_REASON] or "it is empty"
        raise InputError(f"{path}: not weights saved by musiclib ({reason})") from error
    if not all(part.isfinite().all() for part in model.state_dict().values()):
        raise InputError(f"{path}: some of its weights are not numbers: it is damaged, train anew")
    return model.eval(), run
