"""`runs`: every run of the paper's experiments, how it stands, and to train those that are not."""

import json
import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.cli import options

OF_START = ("piece", "stop_after", "workers", "scheduler")


@click.command(
    epilog=options.example(
        "runs --profile paper", "runs 'lstm-*' --start", "runs --start --task 3 --stop-after 230"
    )
)
@click.argument("names", nargs=-1)
@options.profile
@options.corpus
@click.option("--seeds", type=options.SEEDS, default=3, show_default=True)
@options.precision
@click.option("--runs", type=options.PATH, default=ROOT / "runs", help="Folder of runs.")
@click.option("--measure", is_flag=True, help="Time an iteration where no run tells how long.")
@options.as_json
@click.option("--start", is_flag=True, help="Train what is not done, in the table's order.")
@click.option("--task", type=options.COUNT, help="Only the run of this row, the first being 0.")
@click.option("--piece", type=options.MINUTES, help="Minutes of a job (--start).  [default: 5]")
@click.option("--stop-after", type=options.MINUTES, help="In so many minutes (--start).")
@click.option(
    "--workers",
    type=options.POSITIVE,
    help="Runs side by side (--start).  [default: one a core, four on a GPU, all of a cluster]",
)
@click.option(
    "--scheduler",
    "--cluster",
    help="Address of a Dask scheduler, whose workers train (--start) in this folder of runs.",
)
def runs(names: tuple[str, ...], profile: str, runs: Path, **given: Any) -> None:
    """List the runs of the paper's experiments and how they stand; with --start train them.

    NAMES are of runs, or patterns such as 'lstm-*'; without one all are meant. What is kept in
    results/ is not trained, unless it is named in full.
    """
    from musiclib.corpus.assemble import read_corpus
    from musiclib.paper import profiles, standing
    from musiclib.paper.chosen import chosen_corpus

    _check(given)
    scale = profiles.profile(profile)
    if given["start"]:
        options.must_hold_runs(runs)
    chosen = chosen_corpus(profile, given["corpus"], download=given["start"])
    music = read_corpus(chosen, scale.scores_per_group)
    if given["start"]:
        music.say_complaints(remedy="train --metre all reads them")

    def found() -> list:
        return standing.standing(scale, music, given["seeds"], given["precision"], runs.absolute())

    rows = standing.select(every := found(), names, given["task"])
    failed = []
    if given["start"]:
        place = scale.scores_per_group, runs.absolute()
        failed = _train(standing.untrained(rows, names), music, chosen, place, given)
        rows = standing.select(every := found(), names, given["task"])
    if given["measure"]:
        every = standing.measured(every, music)
        rows = standing.select(every, names, given["task"])
    command = _command(names, profile, runs, given) if standing.untrained(rows) else ""
    _print(rows, every, command, names, given)
    if failed:
        raise InputError(f"failed: {', '.join(failed)}; the table says why")


def _check(given: dict[str, Any]) -> None:
    """Raise InputError, before anything is read, for what would not be heeded, or not be done."""
    from musiclib.training.precision import check_precision

    for name in OF_START:
        if given[name] is not None and not given["start"]:
            raise InputError(f"--{name.replace('_', '-')} is for training: add --start")
    if given["start"] and not given["scheduler"]:
        check_precision(given["precision"])


def _train(
    rows: list, music: Any, chosen: str, place: tuple[int | None, Path], given: dict[str, Any]
) -> list[str]:
    """Train the runs of these rows; the names of those that failed."""
    from musiclib.base.apart import Apart
    from musiclib.base.progress import say
    from musiclib.corpus.cluster import workers_of, workers_that_train
    from musiclib.training.jobs import Jobs, Task
    from musiclib.training.pieces import Music
    from musiclib.training.runs import find
    from musiclib.training.train import workers

    limit, root = place
    root.mkdir(parents=True, exist_ok=True)
    tasks = [Task(s.job.name, find(s.run.config, music, root), s.total or 1) for s in rows]
    if given["task"] is not None:
        say(f"task {given['task']}: " + (tasks[0].name if tasks else "nothing to train"))
    if not tasks:
        return []
    minutes = 5.0 if given["piece"] is None else given["piece"]
    stop = float("inf") if given["stop_after"] is None else 60 * given["stop_after"]
    with workers_of(given["scheduler"]) as cluster:
        many = given["workers"] or (workers_that_train() if cluster else workers())
        many = min(many, len(tasks))
        with nullcontext(cluster) if cluster else Apart(many) as executor:
            jobs = Jobs(Music.of(chosen, limit), executor, many, 60 * minutes, stop, say)
            outcomes = jobs.train(tasks)
    return [name for name, outcome in outcomes.items() if outcome.ending == "failed"]


def _command(names: tuple[str, ...], profile: str, runs: Path, given: dict[str, Any]) -> str:
    """The command that trains what is listed and not trained."""
    values = {"profile": profile, **given, "runs": runs}
    defaults = {"profile": "quick", "corpus": "", "seeds": 3, "precision": "fp32", "task": None}
    defaults["runs"] = ROOT / "runs"
    options = [(f"--{n}", str(values[n])) for n, usual in defaults.items() if values[n] != usual]
    words = [*names, *(word for option in options for word in option), "--start"]
    return shlex.join(["python", "-m", "musiclib", "runs", *words])


def _print(
    rows: list, every: list, command: str, names: tuple[str, ...], given: dict[str, Any]
) -> None:
    from musiclib.paper import standing_text
    from musiclib.training.train import workers

    seeds = given["seeds"]
    if given["as_json"]:
        told = standing_text.told(rows, every, seeds) | {"command": command}
        print(json.dumps(told, allow_nan=False))
        return
    many = min(len(rows), given["workers"] or workers())
    lines = [*standing_text.table(rows), "", *standing_text.summary(rows, many)]
    if not names and given["task"] is None:
        lines += ["", *standing_text.experiments(every, seeds)]
    if command:
        lines += ["", f"to train what is not: {command}"]
    print("\n".join(lines))
