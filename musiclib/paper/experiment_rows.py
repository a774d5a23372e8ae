"""The experiment table with what came of each row, or why nothing did."""

from collections.abc import Iterable

from musiclib.paper.comparisons import COMPARISONS
from musiclib.paper.experiments import EXPERIMENTS, Experiment
from musiclib.paper.results import Numbers

HEADER = ("experiment", "runs", "what is measured", "ended", "what came of it")
SEEDS = 3


def rows(numbers: Numbers, ended: Iterable[str], begun: Iterable[str] = ()) -> list[list[str]]:
    """A row an experiment: its runs, what is measured, how many ended, how its comparisons went.

    `ended` and `begun` are names of jobs. Where there is no result the row says why.
    """
    ended, begun = {*ended}, {*begun}
    return [_row(experiment, numbers, ended, begun) for experiment in EXPERIMENTS.values()]


def _row(experiment: Experiment, numbers: Numbers, ended: set[str], begun: set[str]) -> list[str]:
    names = [job.name for job in experiment.jobs(range(SEEDS))]
    count = f"{len(ended.intersection(names))} of {len(names)}" if names else "needs none"
    found = [
        f"{COMPARISONS[name].row(numbers)[0]}: {COMPARISONS[name].row(numbers)[-1]}"
        for name in experiment.comparisons
        if COMPARISONS[name].known(numbers)
    ]
    of = "; ".join(f"{model}: {', '.join(kinds)}" for model, kinds in experiment.trains.items())
    result = "; ".join(found) or _why_not(names, ended, begun)
    return [experiment.asks, of, ", ".join(metrics(experiment)), count, result]


def metrics(experiment: Experiment) -> list[str]:
    """What the comparisons of an experiment compare."""
    keys = [COMPARISONS[name].second for name in experiment.comparisons]
    return list(dict.fromkeys(str(key[2]) for key in keys))


def _why_not(names: list[str], ended: set[str], begun: set[str]) -> str:
    """Which runs keep an experiment from a result, those of the first seed first."""
    if not names:
        return (
            "it needs no network: notebook 08 measures it on the music of the profile that is run"
        )
    missing = [name for name in names if name not in ended]
    if not missing:
        return "not measured: its notebook does, with TRAIN=yes"
    first = [name for name in missing if name.endswith(missing[0][-2:])]
    said = [f"{name} not trained{' to the end' * (name in begun)}" for name in first]
    command = f"musiclib runs {' '.join(first)} --profile paper --corpus ... --start"
    return f"{'; '.join(said)}: `{command}`"
