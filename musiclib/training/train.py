"""Training a run from its configuration and corpus to its end: resumed, alone, side by side."""

import math
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor

from musiclib.base.aside import tidy
from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.parallel import cores, side_by_side
from musiclib.base.progress import Progress
from musiclib.corpus.batches import Batches
from musiclib.corpus.levels import MAIN
from musiclib.corpus.prepare import prepare, some_of
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import Model, batches_of, build, model_of
from musiclib.models.checkpoints import save_weights
from musiclib.models.without_learning import CONSTANT
from musiclib.training.curriculum import Stage, curriculum
from musiclib.training.curve import CurveFile, file_of
from musiclib.training.data_parallel import ALONE, Crew, must_share
from musiclib.training.live import Live
from musiclib.training.loop import Plan, ended, train
from musiclib.training.precision import check_precision
from musiclib.training.processes import in_processes
from musiclib.training.record import write_record
from musiclib.training.runs import FINAL, PART, PART_RECORD, RUNS, Run, RunConfig, find

GPU_RUNS_SIDE_BY_SIDE = 4


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
) -> Run:
    """Train a run to its end, going on where an earlier try stopped; does nothing if finished.

    After `seconds` it stops between two iterations; called again it goes on. All processes of a
    crew call this: the one that leads writes, and the others wait for it.
    """
    must_share(model_of(config.model), crew.size)
    run = find(config, corpus, root)
    run.directory.mkdir(parents=True, exist_ok=True)
    # until no other process trains in it
    with FileLock(run.directory / "lock") if crew.leads else nullcontext():
        if not crew.agree(run.finished):
            _train(run, corpus, seconds, crew)
            crew.agree(True)
    return run


def _train(run: Run, corpus: Corpus, seconds: float, crew: Crew) -> None:
    config = run.config
    check_precision(config.precision)
    music = music_of(config, corpus)
    *levels, main = stages = _stages(config, music)
    before_main = sum(stage.iterations for stage in levels)
    checkpoints = _checkpoints(config.model, main)
    labels = {before_main + at: label for label, at in checkpoints.items()}
    torch.manual_seed(config.seed)
    model = build(config.model)
    model.start_from(model.reads.of(music.main))
    model = model.to(device())
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
    saved = run.directory / "state.pt"
    if not crew.leads:
        train(model, plan, saved, crew=crew)
        return
    with Progress(plan.total, "training") as progress:
        state = train(
            model,
            plan,
            saved,
            checkpoint=lambda iteration: save(model, run, labels[iteration]),
            progress=_reporter(run, progress),
            watch=CurveFile(file_of(run), min(without.values(), default=None)),
            seconds=seconds,
            crew=crew,
        )
    done = ended(plan, state)
    save(model, run, FINAL if done else PART)
    about = {"corpus": corpus.checksum, "without_learning": without}
    write_record(run, plan, state, about)
    left = [saved, file_of(run), run.weights(PART), run.directory / PART_RECORD] if done else []
    for path in left:
        path.unlink(missing_ok=True)
    tidy(run.directory)


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
    configs: list[RunConfig], corpus: Corpus, root: Path = RUNS, processes: int = 1
) -> list[Run]:
    """Train runs side by side: as many as there are cores, or four on a GPU.

    With several `processes` they are trained one after another, each by all of them. In a notebook
    that is open their losses are drawn while they train.
    """
    runs = [find(config, corpus, root) for config in configs]
    missing = [run for run in runs if not run.finished]
    live = Live(missing)
    jobs = [(run.config, corpus, root) for run in missing]
    shown = {
        "total": sum(total_iterations(run.config, corpus) for run in missing),
        "done": lambda: sum(run.progress() for run in missing),
        "note": live.look,
    }
    if processes == 1:
        side_by_side(train_run, jobs, "training", workers=workers(), **shown)
    else:
        for job in jobs:
            in_processes(train_run, job, processes, **shown)
    live.end()
    return runs


def workers() -> int:
    """How many runs or compositions go side by side: one a core, or four on a GPU."""
    return GPU_RUNS_SIDE_BY_SIDE if torch.cuda.is_available() else cores()


def total_iterations(config: RunConfig, corpus: Corpus) -> int:
    """Iterations of a run in all; roughly where it is trained on a part of the corpus."""
    levels = len(corpus.levels) if config.curriculum else 0
    main = main_iterations(config, batches_of(config.model, corpus.main), levels)
    return levels * config.model.level_iterations + main


def _held_out(config: RunConfig, pieces: list[Piece]) -> list[tuple[Tensor, bool]]:
    """What held-out loss is measured on; nothing where no held-out piece is in the mode."""
    return batches_of(config.model, pieces).every(config.held_out_batches) if pieces else []


def iterations_of(config: Any, main: Batches) -> int:
    """Iterations on the main corpus: as configured, or the epochs of the last checkpoint."""
    if config.iterations is not None:
        return config.iterations
    return max(config.checkpoints) * main.epoch


def main_iterations(config: RunConfig, main: Batches, levels: int) -> int:
    """Iterations of a run on the main corpus; `levels` are those that it trains on before.

    Raises InputError where an equal budget leaves none.
    """
    before = levels * config.model.level_iterations if config.equal_budget else 0
    left = iterations_of(config.model, main) - before
    if left < 1:
        raise InputError(f"an equal budget: the levels' {before} iterations are all there are")
    return left


def _checkpoints(config: Any, main: Stage) -> dict[int, int]:
    """Iteration on the main corpus of each checkpoint, which may count epochs."""
    unit = main.batches.epoch if model_of(config).counts_epochs else 1
    return {label: label * unit for label in config.checkpoints if label * unit <= main.iterations}


def _reporter(run: Run, progress: Progress):  # noqa: ANN202
    """Tells people here, and in a file whoever waits in another process."""

    def report(iteration: int) -> None:
        progress.to(iteration)
        if iteration % max(1, progress.total // 200) == 0 or iteration == progress.total:
            (run.directory / "progress").write_text(str(iteration))

    return report


def save(model: Model, run: Run, label: int | str) -> None:
    """Write a run's weights at a checkpoint."""
    save_weights(model, run.weights(label), run.config.describe())
