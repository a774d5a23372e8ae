"""Training a run from its configuration and corpus to its end: resumed, alone, side by side."""

import math
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.files import digest
from musiclib.base.parallel import cores, side_by_side
from musiclib.base.progress import Progress
from musiclib.base.writing import write_bytes
from musiclib.corpus.levels import MAIN
from musiclib.corpus.prepare import prepare, some_of
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import Model, batches_of, build, model_of
from musiclib.models.checkpoints import save_weights
from musiclib.models.without_learning import CONSTANT
from musiclib.training.budget import main_iterations, total_iterations
from musiclib.training.curriculum import Stage, curriculum
from musiclib.training.curve import CurveFile, file_of
from musiclib.training.data_parallel import ALONE, Crew, must_share
from musiclib.training.folder import LOCK, STATE
from musiclib.training.healing import heal, ready, settle, settle_left
from musiclib.training.live import Live
from musiclib.training.locked import alone_in
from musiclib.training.loop import SAVE_SECONDS, Plan, ended, train
from musiclib.training.precision import check_precision
from musiclib.training.processes import in_processes
from musiclib.training.record import write_record
from musiclib.training.recorded import PART_RECORD, RECORD, checkpoints_within
from musiclib.training.runs import PROGRESS, RUNS, Run, RunConfig, find
from musiclib.training.state import State
from musiclib.training.whole import FINAL, PART, check, fault

GPU_RUNS_SIDE_BY_SIDE = 4
TELL = 0.25  # seconds, at least, between two notes of how far training is


def music_of(config: RunConfig, corpus: Corpus) -> Corpus:
    """The music as a run is trained on it."""
    how = {"normalise": config.normalise, "reverse": config.reverse}
    music = prepare(corpus, mode=config.mode, **how)
    if config.as_much_as == "all":
        return music
    steps = sum(len(p.states) for p in prepare(corpus, mode=config.as_much_as, **how).main)
    return replace(music, sets=music.sets | {MAIN: some_of(music.main, steps, config.seed)})


def train_run(
    config: RunConfig,
    corpus: Corpus,
    root: Path = RUNS,
    seconds: float = math.inf,
    crew: Crew = ALONE,
    save_seconds: float = SAVE_SECONDS,
) -> Run:
    """Train a run to its end, going on where an earlier try stopped; does nothing if finished.

    After `seconds` it stops between two iterations; called again it goes on from its state, which
    is saved every `save_seconds`. What is damaged in the run's folder counts as absent, and is
    said. All processes of a crew call this: the one that leads writes, and the others wait for it.
    """
    must_share(model_of(config.model), config.model, crew.size)
    run = find(config, corpus, root)
    if crew.leads:
        ready(run)
    # until no other process trains in it
    with alone_in(run.directory, LOCK) if crew.leads else nullcontext():
        if not crew.agree(run.whole):
            _train(run, corpus, {"seconds": seconds, "save_seconds": save_seconds}, crew)
            crew.agree(True)
        if crew.leads and run.whole:
            settle(run)
    return run


def _train(run: Run, corpus: Corpus, pace: dict[str, float], crew: Crew) -> None:
    config = run.config
    check_precision(config.precision)
    music = music_of(config, corpus)
    stages = _stages(config, music)
    labels = _labels(config.model, stages)
    model = _fresh(config, music)
    held_out = _held_out(config, music.held_out)
    without = model.without_learning(held_out) if held_out else {}
    plan = Plan(
        stages,
        config.seed,
        frozenset(labels),
        held_out,
        config.held_out_every,
        config.precision,
        config.stop_below * without.get(CONSTANT, 0.0),
    )
    saved = run.directory / STATE
    if not crew.leads:
        train(model, plan, saved, crew=crew)
        return
    heal(run)
    with Progress(plan.total, "training") as progress:
        state = train(
            model,
            plan,
            saved,
            checkpoint=lambda iteration: save(model, run, labels[iteration]),
            progress=_reporter(run, progress),
            watch=CurveFile(file_of(run), min(without.values(), default=None)),
            rests_on=lambda state: _lacking(run, labels, state),
            crew=crew,
            **pace,
        )
    about = {"corpus": corpus.checksum, "without_learning": without}
    _finish(model, run, plan, state, labels, about)


def _labels(config: Any, stages: list[Stage]) -> dict[int, int]:
    """Checkpoints by the overall iteration that each comes after."""
    *levels, main = stages
    before_main = sum(stage.iterations for stage in levels)
    return {before_main + at: label for label, at in _checkpoints(config, main).items()}


def _fresh(config: RunConfig, music: Corpus) -> Model:
    """The model before training, where it computes."""
    torch.manual_seed(config.seed)
    model = build(config.model)
    model.start_from(model.reads.of(music.main))
    return model.to(device())


def _finish(
    model: Model, run: Run, plan: Plan, state: State, labels: dict[int, int], about: dict
) -> None:
    """Write weights, losses and the record of a run, or of a piece, and see that they are whole."""
    end = FINAL if ended(plan, state) else PART
    reached = {run.weights(label): at for at, label in labels.items() if at <= state.iteration}
    files = {p.name: state.written.get(at) or digest(p.read_bytes()) for p, at in reached.items()}
    files[run.weights(end).name] = save(model, run, end)
    write_record(run, plan, state, about, files)
    if faults := run.faults(RECORD if end == FINAL else PART_RECORD):
        raise InputError(f"{run.directory}: {faults[0]}, although just written: check the disk")


def _lacking(run: Run, labels: dict[int, int], state: State) -> str:
    """What is wrong with the weights at the checkpoints that a state is past, if anything is."""
    for at, label in labels.items():
        known = state.written.get(at)
        look = partial(check, known=known, config=run.config)
        if at <= state.iteration and (found := fault(run.weights(label), look)):
            return found
    return ""


def _stages(config: RunConfig, music: Corpus) -> list[Stage]:
    """The levels, with curriculum, then the main corpus."""
    main = batches_of(config.model, music.main)
    levels = music.levels if config.curriculum else {}
    for name in [name for name, pieces in levels.items() if not pieces]:
        raise InputError(f"no piece of {name} is in {config.mode}: train without curriculum")
    return curriculum(
        {name: batches_of(config.model, pieces) for name, pieces in levels.items()},
        config.model.level_iterations,
        main,
        main_iterations(config, main, len(levels)),
    )


def train_runs(
    configs: list[RunConfig],
    corpus: Corpus,
    root: Path = RUNS,
    processes: int = 1,
    save_seconds: float = SAVE_SECONDS,
) -> list[Run]:
    """Train runs side by side: as many as there are cores, or four on a GPU.

    A run's state is saved every `save_seconds`. With several `processes` they are trained one after
    another, each by all of them. In a notebook that is open their losses are drawn meanwhile.
    """
    runs = [find(config, corpus, root) for config in configs]
    missing = [run for run in runs if not run.whole]
    for run in set(runs) - set(missing):
        settle_left(run)
    live, call = Live(missing), partial(train_run, save_seconds=save_seconds)
    jobs = [(run.config, corpus, root) for run in missing]
    shown = {
        "total": sum(total_iterations(run.config, corpus) for run in missing),
        "done": lambda: sum(run.progress() for run in missing),
        "note": live.look,
    }
    if processes == 1:
        side_by_side(call, jobs, "training", workers=workers(), **shown)
    else:
        for job in jobs:
            in_processes(call, job, processes, **shown)
    live.end()
    return runs


def workers() -> int:
    """How many runs or compositions go side by side: one a core, or four on a GPU."""
    return GPU_RUNS_SIDE_BY_SIDE if torch.cuda.is_available() else cores()


def _held_out(config: RunConfig, pieces: list[Piece]) -> list[tuple[Tensor, bool]]:
    """What held-out loss is measured on; nothing where no held-out piece is in the mode."""
    return batches_of(config.model, pieces).every(config.held_out_batches) if pieces else []


def _checkpoints(config: Any, main: Stage) -> dict[int, int]:
    """Iteration on the main corpus of each checkpoint, which may count epochs."""
    unit = main.batches.epoch if model_of(config).counts_epochs else 1
    return checkpoints_within(config, unit, main.iterations)


def _reporter(run: Run, progress: Progress):  # noqa: ANN202
    """Tells people here, and in a file, now and then, whoever waits in another process."""
    told = 0.0

    def report(iteration: int) -> None:
        nonlocal told
        progress.to(iteration)
        far = iteration % max(1, progress.total // 200) == 0
        if (far and time.monotonic() - told >= TELL) or iteration == progress.total:
            write_bytes(run.directory / PROGRESS, str(iteration).encode(), lasting=False)
            told = time.monotonic()

    return report


def save(model: Model, run: Run, label: int | str) -> str:
    """Write a run's weights at a checkpoint; the digest of the file."""
    save_weights(model, run.weights(label), run.config.describe())
    return digest(run.weights(label).read_bytes())
