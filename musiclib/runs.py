"""Training runs on disk: found by configuration, corpus and seed, resumed, and never done twice.

A run's folder holds `state.pt` while it trains, then `weights-*.safetensors` at the checkpoints
and at the end, `losses.csv`, `held-out.csv` and, written last, `run.json`.
"""

import fcntl
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save
from torch import Tensor, nn

from musiclib import __version__, training
from musiclib.batches import Batches, Segments, Spoiled, Windows
from musiclib.corpus import Corpus, Mode, Piece, prepare, some_of, states_of
from musiclib.curriculum import Stage, curriculum
from musiclib.errors import InputError
from musiclib.files import ROOT, digest, write_bytes, write_json, write_text
from musiclib.measures import window_frequencies
from musiclib.models import (
    CONFIGS,
    RBM,
    BiaxialConfig,
    ConditionalRBMConfig,
    Config,
    LSTMConfig,
    Model,
    RBMConfig,
    build,
    describe,
)
from musiclib.parallel import cores, side_by_side
from musiclib.sources import MAIN
from musiclib.without_learning import CONSTANT, Verdict, verdict

RUNS = ROOT / "runs"
FINAL = "final"
GPU_RUNS_SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class RunConfig:
    """All that decides a run, besides the corpus: its weights and what is measured on the way.

    `as_much_as` keeps as much of the main corpus, drawn at random, as is in that mode. Training
    ends early once the held-out loss is below the share `stop_below` of one constant rate's.
    """

    model: Config
    curriculum: bool = False
    seed: int = 0
    normalise: bool = True
    mode: Mode = "all"
    reverse: bool = False
    as_much_as: Mode = "all"
    stop_below: float = 0.0
    precision: training.Precision = "fp32"
    held_out_every: int = 100
    held_out_batches: int = 8

    def describe(self) -> dict:
        """The configuration as plain values."""
        return {**asdict(self), "model": describe(self.model)}


@dataclass(frozen=True)
class Run:
    """A run's folder and what it holds."""

    directory: Path
    config: RunConfig

    @property
    def finished(self) -> bool:
        """Whether the run is trained to its end."""
        return (self.directory / "run.json").exists()

    @property
    def record(self) -> dict:
        """Configuration, corpus checksum, device, seconds, iterations of a finished run."""
        return json.loads((self.directory / "run.json").read_text())

    @property
    def verdict(self) -> Verdict:
        """Whether a finished run learned more than what needs no learning, and by what numbers."""
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
        return self.directory / f"weights-{checkpoint}.safetensors"

    def model(self, checkpoint: int | str = FINAL) -> Model:
        """The model at a checkpoint, in evaluation mode."""
        return load_weights(self.weights(checkpoint))[0]

    def loss_on(self, pieces: list[Piece], batches: int = 8) -> float:
        """Mean loss of the final network on other pieces, prepared as it was trained, per batch."""
        source = _batches(self.config.model, pieces)
        return training.held_out_loss(self.model().to(device()), source.every(batches))

    def progress(self) -> int:
        """Iterations done so far, roughly."""
        path = self.directory / "progress"
        return int(path.read_text() or 0) if path.exists() else 0


def load_weights(path: Path) -> tuple[Model, dict]:
    """The model in a weights file and the run it comes from; runs no code from the file.

    The file carries its run's configuration: `curriculum`, `seed`, `normalise`, `reverse`, ...
    """
    try:
        with safe_open(path, "pt") as stored:
            run = json.loads(stored.metadata()["config"])
        values = run.pop("model")
        kind = CONFIGS[values.pop("model")]
        model = build(
            kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
        )
        load_model(model, path)
    except (SafetensorError, KeyError, TypeError, ValueError, OSError, RuntimeError) as error:
        raise InputError(f"{path}: not weights saved by musiclib ({error})") from error
    return model.eval(), run


def find(config: RunConfig, corpus: Corpus, root: Path = RUNS) -> Run:
    """The run of a configuration on a corpus, trained or not."""
    key = json.dumps([config.describe(), corpus.checksum, __version__], sort_keys=True)
    kind = "curriculum" if config.curriculum else "plain"
    name = f"{describe(config.model)['model']}-{kind}-{config.seed}-{digest(key)[:10]}"
    return Run(root / name, config)


def music_of(config: RunConfig, corpus: Corpus) -> Corpus:
    """The music as a run is trained on it."""
    how = {"normalise": config.normalise, "reverse": config.reverse}
    music = prepare(corpus, mode=config.mode, **how)
    if config.as_much_as == "all":
        return music
    steps = sum(len(p.states) for p in prepare(corpus, mode=config.as_much_as, **how).main)
    return replace(music, sets=music.sets | {MAIN: some_of(music.main, steps, config.seed)})


def train_run(config: RunConfig, corpus: Corpus, root: Path = RUNS) -> Run:
    """Train a run to its end, going on where an earlier try stopped; does nothing if finished."""
    run = find(config, corpus, root)
    with _alone(run.directory):
        if not run.finished:
            _train(run, corpus)
    return run


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Wait until no other process trains in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _train(run: Run, corpus: Corpus) -> None:
    config = run.config
    training.check_precision(config.precision)
    music = music_of(config, corpus)
    *levels, main = stages = _stages(config, music)
    before_main = sum(stage.iterations for stage in levels)
    checkpoints = _checkpoints(config.model, main.batches)
    labels = {before_main + at: label for label, at in checkpoints.items()}
    torch.manual_seed(config.seed)
    model = _new(config.model, music).to(device())
    held_out = _held_out(config, music.held_out)
    without = _without_learning(model, held_out)
    plan = training.Plan(
        stages,
        config.seed,
        frozenset(labels),
        held_out,
        config.held_out_every,
        config.precision,
        config.stop_below * without.get(CONSTANT, 0.0),
    )
    saved = run.directory / "state.pt"
    state = training.train(
        model,
        plan,
        saved,
        checkpoint=lambda iteration: _save_weights(model, run, labels[iteration]),
        progress=_reporter(run, plan.total),
    )
    _finish(run, model, plan, state, {"corpus": corpus.checksum, "without_learning": without})
    for left in [saved, *run.directory.glob(".writing-*")]:  # the latter of killed tries
        left.unlink(missing_ok=True)


def _stages(config: RunConfig, music: Corpus) -> list[Stage]:
    """The levels, with curriculum, then the main corpus."""
    main = _batches(config.model, music.main)
    levels = music.levels if config.curriculum else {}
    for name in [name for name, pieces in levels.items() if not pieces]:
        raise InputError(f"no piece of {name} is in {config.mode}: train without curriculum")
    return curriculum(
        {name: _batches(config.model, pieces) for name, pieces in levels.items()},
        config.model.level_iterations,
        main,
        iterations_of(config.model, main),
    )


def _new(config: Config, music: Corpus) -> Model:
    """A model that knows no more of the music than how often an RBM's cells are on."""
    model = build(config)
    if isinstance(model, RBM):
        frequencies = window_frequencies(states_of(music.main), config.window)
        model.start_from(torch.from_numpy(frequencies))
    return model


def train_runs(configs: list[RunConfig], corpus: Corpus, root: Path = RUNS) -> list[Run]:
    """Train runs side by side: as many as there are cores, or four on a GPU."""
    runs = [find(config, corpus, root) for config in configs]
    missing = [run for run in runs if not run.finished]
    side_by_side(
        train_run,
        [(run.config, corpus, root) for run in missing],
        "training",
        workers=workers(),
        total=sum(_total(run.config, corpus) for run in missing),
        done=lambda: sum(run.progress() for run in missing),
    )
    return runs


def workers() -> int:
    """How many runs or compositions go side by side: one a core, or four on a GPU."""
    return GPU_RUNS_SIDE_BY_SIDE if torch.cuda.is_available() else cores()


def _total(config: RunConfig, corpus: Corpus) -> int:
    levels = len(corpus.levels) * config.model.level_iterations if config.curriculum else 0
    return levels + iterations_of(config.model, _batches(config.model, corpus.main))


def _batches(config: Config, pieces: list[Piece]) -> Batches:
    states = states_of(pieces)
    match config:
        case BiaxialConfig():
            return Segments(states, config.batch, config.segment)
        case RBMConfig():
            return Segments(states, config.batch, config.window, hop=1)
        case ConditionalRBMConfig():
            return Spoiled(states, config.segment, config.most_spoiled)
    rolls = [piece.roll for piece in pieces]
    shifted = config.windows == "shifted"
    return Windows(rolls, config.batch, config.window, config.hop, shifted)


def _held_out(config: RunConfig, pieces: list[Piece]) -> list[tuple[Tensor, bool]]:
    """What held-out loss is measured on; nothing where no held-out piece is in the mode."""
    return _batches(config.model, pieces).every(config.held_out_batches) if pieces else []


def iterations_of(config: Config, main: Batches) -> int:
    """Iterations on the main corpus; only the LSTM may count in epochs of it."""
    if config.iterations is not None:
        return config.iterations
    return max(config.checkpoints) * main.epoch


def _checkpoints(config: Config, main: Batches) -> dict[int, int]:
    """Iteration on the main corpus of each checkpoint; the LSTM's are epochs."""
    unit = main.epoch if isinstance(config, LSTMConfig) else 1
    total = iterations_of(config, main)
    return {label: label * unit for label in config.checkpoints if label * unit <= total}


def device() -> torch.device:
    """The GPU if there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _reporter(run: Run, total: int):  # noqa: ANN202
    def report(iteration: int) -> None:
        if iteration % max(1, total // 200) == 0 or iteration == total:
            (run.directory / "progress").write_text(str(iteration))

    return report


def _save_weights(model: nn.Module, run: Run, label: int | str) -> None:
    metadata = {"config": json.dumps(run.config.describe())}
    write_bytes(run.weights(label), save(model.state_dict(), metadata))


def _finish(
    run: Run, model: nn.Module, plan: training.Plan, state: training.State, about: dict
) -> None:
    _save_weights(model, run, FINAL)
    _write_csv(_loss_table(plan, training.losses_of(state)), run.directory / "losses.csv")
    held_out = pd.DataFrame(state.held_out, columns=["iteration", "loss"])
    _write_csv(held_out, run.directory / "held-out.csv")
    record = {
        "config": run.config.describe(),
        **about,
        "musiclib": __version__,
        "torch": torch.__version__,
        "device": _device_name(),
        "precision": run.config.precision,
        "threads": state.threads,
        "seconds": round(state.seconds, 1),
        "stages": {stage.name: stage.iterations for stage in plan.stages},
        "iterations_an_epoch": getattr(plan.stages[-1].batches, "epoch", None),
    }
    write_json(run.directory / "run.json", record)


def _without_learning(model: nn.Module, held_out: list[tuple[Tensor, bool]]) -> dict[str, float]:
    """Losses of what needs no learning; nothing for RBMs, or without held-out music."""
    if not held_out or not hasattr(model, "without_learning"):
        return {}
    return model.without_learning(held_out)


def _loss_table(plan: training.Plan, losses: Tensor) -> pd.DataFrame:
    stages = [stage.name for stage in plan.stages for _ in range(stage.iterations)]
    within = np.concatenate([np.arange(1, stage.iterations + 1) for stage in plan.stages])
    table = pd.DataFrame({"stage": stages, "iteration": within})
    return table[: len(losses)].assign(loss=losses.numpy())  # fewer where training ended early


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    write_text(path, table.to_csv(index=False, float_format="%.6g"))


def _device_name() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"
