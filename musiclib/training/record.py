"""What a run leaves in its folder beside its weights: losses, and how it came about."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from musiclib import __version__
from musiclib.base.device import device_name
from musiclib.base.files import digest
from musiclib.base.writing import write_json, write_text
from musiclib.training.loop import Plan, ended
from musiclib.training.recorded import PART_RECORD, RECORD, digest_of_record
from musiclib.training.runs import Run
from musiclib.training.state import State, losses_of
from musiclib.training.whole import TABLES


def write_record(run: Run, plan: Plan, state: State, about: dict, files: dict[str, str]) -> None:
    """Losses, and last the record: of the whole run, or of what is trained of it.

    `about` has what else the record says, `files` the digests of the weights that belong to it.
    """
    _write_csv(_loss_table(plan, losses_of(state)), run.directory / "losses.csv")
    held_out = pd.DataFrame(state.held_out, columns=["iteration", "loss"])
    _write_csv(held_out, run.directory / "held-out.csv")
    record = {
        "config": run.config.describe(),
        **about,
        "musiclib": __version__,
        "torch": torch.__version__,
        "device": device_name(),
        "precision": run.config.precision,
        "threads": state.threads,
        **({"processes": state.processes} if max(state.processes) > 1 else {}),
        "seconds": round(state.seconds, 1),
        "stages": {stage.name: stage.iterations for stage in plan.stages},
        "iterations_an_epoch": getattr(plan.stages[-1].batches, "epoch", None),
        "files": files | {name: digest((run.directory / name).read_bytes()) for name in TABLES},
    }
    if ended(plan, state):
        _write(record, run.directory / RECORD)
    else:
        _write(record | {"iterations": state.iteration}, run.directory / PART_RECORD)


def _write(record: dict, path: Path) -> None:
    plain = json.loads(json.dumps(record))
    write_json(path, plain | {"digest": digest_of_record(plain)})


def _loss_table(plan: Plan, losses: Tensor) -> pd.DataFrame:
    stages = [stage.name for stage in plan.stages for _ in range(stage.iterations)]
    within = np.concatenate([np.arange(1, stage.iterations + 1) for stage in plan.stages])
    table = pd.DataFrame({"stage": stages, "iteration": within})
    return table[: len(losses)].assign(loss=losses.numpy())  # fewer where training ended early


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    write_text(path, table.to_csv(index=False, float_format="%.6g"))
