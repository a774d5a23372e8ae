"""Training runs on disk: found by configuration, corpus and seed, and never trained twice.

A run's folder holds `state.pt` while it trains, then `weights-*.safetensors` at the checkpoints
and at the end, `losses.csv`, `held-out.csv` and, written last, `run.json`. A run that is trained in
pieces has the same after each, with `part.json` in place of `run.json`. What of it is damaged
counts as absent: see `whole`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from musiclib import __version__
from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.files import ROOT, digest
from musiclib.base.seeds import Seed
from musiclib.base.typed import Count, check, later, told_of
from musiclib.corpus.prepare import Mode
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import Model, batches_of, describe, name_of
from musiclib.models.checkpoints import load_weights
from musiclib.models.without_learning import Verdict, verdict
from musiclib.training.loop import held_out_loss
from musiclib.training.precision import Precision
from musiclib.training.recorded import PART_RECORD, RECORD, faults
from musiclib.training.whole import FINAL, Damaged, progress_in, weights_name

RUNS = ROOT / "runs"
ANEW = "train it again, which makes whole what is missing"
PROGRESS = "progress"


@dataclass(frozen=True)
class RunConfig:
    """All that decides a run, besides the corpus: its weights and what is measured on the way.

    `as_much_as` keeps as much of the main corpus, drawn at random, as is in that mode. Training
    ends early once the held-out loss is below the share `stop_below` of one constant rate's. With
    `equal_budget` the iterations on the levels are taken off those on the main corpus. Raises
    InputError for values of wrong types and ranges, the model's configuration's among them.
    """

    model: Any
    curriculum: bool = False
    seed: int = 0
    normalise: bool = True
    mode: Mode = "all"
    reverse: bool = False
    as_much_as: Mode = "all"
    stop_below: float = 0.0
    precision: Precision = "fp32"
    held_out_every: int = 100
    held_out_batches: int = 8
    equal_budget: bool = later(False)

    def __post_init__(self) -> None:
        check(self, seed=Seed, held_out_every=Count, held_out_batches=Count)
        check(self.model)

    def describe(self) -> dict:
        """The configuration as plain values; what was added later only where it is used."""
        return {**told_of(self), "model": describe(self.model)}


@dataclass(frozen=True)
class Run:
    """A run's folder and what it holds."""

    directory: Path
    config: RunConfig

    @property
    def finished(self) -> bool:
        """Whether the run is trained to its end, and all that it left is there.

        Its record, tables and last weights are read; of other weights what they say they are.
        """
        return not self.faults(RECORD, every=False)

    @property
    def whole(self) -> bool:
        """Whether it is finished, and every byte of it is as it was written."""
        return not self.faults(RECORD)

    @property
    def begun(self) -> bool:
        """Whether a piece of the run is trained, or all of it: there are a record and losses."""
        return self.finished or not self.faults(PART_RECORD, every=False)

    def faults(self, record: str, *, every: bool = True) -> tuple[str, ...]:
        """What is missing or damaged of what belongs to a record, in a few words each."""
        return faults(self.directory, self.config, record, every=every)

    @property
    def record(self) -> dict:
        """Configuration, corpus checksum, device, seconds, stages, iterations done.

        That of the last piece where the run is not finished; raises FileNotFoundError before.
        """
        return json.loads((self.directory / self.record_name).read_text())

    @property
    def record_name(self) -> str:
        """The file of the record."""
        return RECORD if self.finished else PART_RECORD

    @property
    def verdict(self) -> Verdict:
        """Whether the run learned more than what needs no learning, and by what numbers."""
        return verdict(self.held_out, self.record["without_learning"])

    @property
    def losses(self) -> pd.DataFrame:
        """Columns stage, iteration (within the stage, from 1), loss."""
        return pd.read_csv(self.directory / "losses.csv")

    @property
    def held_out(self) -> pd.DataFrame:
        """Columns iteration (overall) and loss on held-out music."""
        return pd.read_csv(self.directory / "held-out.csv")

    def weights(self, checkpoint: int | str = FINAL) -> Path:
        """The file of weights at a checkpoint, or at the end."""
        return self.directory / weights_name(checkpoint)

    def model(self, checkpoint: int | str = FINAL) -> Model:
        """The model at a checkpoint, in evaluation mode.

        Raises InputError where its weights are missing or damaged.
        """
        if not self.weights(checkpoint).exists():
            there = sorted(path.name for path in self.directory.glob(weights_name("*")))
            what = f"it has {', '.join(there) or 'none'}" if self.finished else ANEW
            raise InputError(f"{self.directory}: no weights of checkpoint {checkpoint}; {what}")
        return load_weights(self.weights(checkpoint))[0]

    def loss_on(self, pieces: list[Piece], batches: int = 8) -> float:
        """Mean loss of the final network on other pieces, prepared as it was trained, per batch."""
        source = batches_of(self.config.model, pieces)
        return held_out_loss(self.model().to(device()), source.every(batches))

    def progress(self) -> int:
        """Iterations done so far, roughly."""
        try:
            return progress_in(self.directory / PROGRESS)
        except (FileNotFoundError, Damaged):
            return 0


def find(config: RunConfig, corpus: Corpus, root: Path = RUNS) -> Run:
    """The run of a configuration on a corpus, trained or not."""
    key = json.dumps([config.describe(), corpus.checksum, __version__], sort_keys=True)
    kind = "curriculum" if config.curriculum else "plain"
    name = f"{name_of(config.model)}-{kind}-{config.seed}-{digest(key)[:10]}"
    return Run(root / name, config)
