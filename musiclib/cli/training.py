"""`train`: a model from music to weights."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.cli import options


@click.command(epilog=options.example("train biaxial --corpus my-midi --curriculum --seed 1"))
@click.argument("model")
@options.profile
@options.corpus
@options.metre
@click.option("--curriculum", is_flag=True, help="Train on the levels first.")
@click.option("--seed", type=options.SEED, default=0, show_default=True)
@click.option(
    "--iterations",
    type=options.POSITIVE,
    help="On the main corpus; checkpoints that count iterations are spread over them.",
)
@click.option("--level-iterations", type=options.POSITIVE, help="On each level (--curriculum).")
@click.option("--loss", type=click.Choice(("categorical", "bernoulli")), help="Of the LSTM.")
@click.option("--learning-rate", type=options.RATE, help="What each step is multiplied by.")
@click.option(
    "--form",
    type=click.Choice(("default", "published", "modern")),
    default="default",
    show_default=True,
    help="Of either network: what stays near the paper and learns; start, cell and windows as"
    " published; or what learns fastest and best.",
)
@options.precision
@click.option("--mode", type=click.Choice(("all", "major", "minor")), default="all")
@click.option("--reverse", is_flag=True, help="Train on music played backwards.")
@click.option("--no-key-normalisation", is_flag=True, help="Leave pieces in their own keys.")
@click.option("--runs", type=options.PATH, default=ROOT / "runs", help="Folder of runs.")
@click.option(
    "--save-every",
    type=options.SECONDS,
    default=20.0,
    show_default=True,
    help="Seconds between two states that are saved: a killed run goes on from the last one.",
)
@click.option(
    "--processes",
    type=options.POSITIVE,
    default=1,
    show_default=True,
    help="That share each batch, a GPU or some cores each; torchrun may start them instead.",
)
def train(**chosen: Any) -> None:
    """Train a MODEL; killed and started again it goes on, also where its files are damaged.

    MODEL is lstm, biaxial, biaxial-roll, rbm, conditional-rbm, or one of your own in
    musiclib.models.MODELS.
    """
    from musiclib.training.processes import from_environment

    with from_environment() as crew:
        _train(crew, **chosen)


def _train(
    crew: Any,
    model: str,
    profile: str,
    corpus: str,
    precision: str,
    runs: Path,
    processes: int,
    save_every: float,
    **chosen: Any,
) -> None:
    """Train alone, or as one of a crew that torchrun has started: the others are silent."""
    from musiclib.paper import profiles
    from musiclib.training.train import train_run, train_runs

    if crew.size > 1 and processes > 1:
        raise InputError("--processes: torchrun has said how many; leave it out")
    scale = profiles.profile(profile)
    config = _run_config(model, scale, precision, chosen)
    _check_sharing(config.model, max(crew.size, processes))
    if crew.leads:
        options.must_hold_runs(runs)
        print(f"profile {scale.name}: {scale.cost}", file=sys.stderr)
    music = _music(crew, scale, corpus, chosen)
    if crew.size > 1:
        run = train_run(config, music, runs, crew=crew, save_seconds=save_every)
    else:
        [run] = train_runs([config], music, runs, processes, save_every)
    if crew.leads:
        _say(run)


def _run_config(model: str, scale: Any, precision: str, chosen: dict[str, Any]) -> Any:
    """The run that is asked for; raises InputError for what cannot be."""
    from musiclib.models import computed_in
    from musiclib.training.precision import check_precision
    from musiclib.training.runs import RunConfig

    if chosen["level_iterations"] is not None and not chosen["curriculum"]:
        raise InputError(
            "--level-iterations: there are no levels without --curriculum: add it, or leave them"
        )
    check_precision(precision)
    configured = _changed(model, scale.config(model), chosen)
    if computed_in(configured, precision) != precision:
        raise InputError(f"--precision {precision}: RBMs and the published cell know fp32")
    return RunConfig(
        configured,
        normalise=not chosen["no_key_normalisation"],
        precision=precision,
        held_out_every=scale.held_out_every.get(model, 100),
        held_out_batches=scale.held_out_batches,
        **{name: chosen[name] for name in ("curriculum", "seed", "mode", "reverse")},
    )


def _check_sharing(config: Any, processes: int) -> None:
    """Raise InputError for more processes than can share a batch."""
    from musiclib.models import model_of
    from musiclib.training.data_parallel import must_share

    must_share(model_of(config), config, processes)
    if processes > (most := getattr(config, "batch", processes)):
        raise InputError(f"--processes {processes}: a batch of {most} is shared by {most} at most")


def _music(crew: Any, scale: Any, corpus: str, chosen: dict[str, Any]) -> Any:
    """The corpus, which the others of a crew read once it is downloaded and kept."""
    from musiclib.corpus.assemble import read_corpus
    from musiclib.paper.chosen import chosen_corpus

    if not crew.leads:
        crew.agree(True)
    place = chosen_corpus(scale.name, corpus, download=True)
    music = read_corpus(place, scale.scores_per_group, metre=chosen["metre"])
    if chosen["curriculum"] and not music.levels:
        raise InputError(f"--curriculum: {place} has no levels; leave it out")
    if crew.leads:
        crew.agree(True)
        music.say_complaints()
    return music


def _say(run: Any) -> None:
    """Where a run's weights are, its last loss, and whether it learned."""
    print(f"{run.weights()}\nlast loss {run.losses['loss'].iloc[-1]:.4f}")
    if run.record["without_learning"]:
        print(("learned: " if run.verdict.learned else "did not learn: ") + run.verdict.why)


def _changed(model: str, config: Any, chosen: dict[str, Any]) -> Any:
    """The model's configuration with what the options change of it."""
    from musiclib.models import MODELS, form_of

    form = {} if chosen["form"] == "default" else form_of(config, chosen["form"])
    if chosen["form"] != "default" and not form:
        raise InputError(f"--form {chosen['form']}: {model} has no other form; leave it out")
    names = ("iterations", "level_iterations", "loss", "learning_rate")
    given = {name: chosen[name] for name in names if chosen[name] is not None}
    for name in given:
        if not hasattr(config, name):
            raise InputError(f"--{name.replace('_', '-')} is no option of {model}: leave it out")
    if "iterations" in given and not MODELS[model].model.counts_epochs:
        given["checkpoints"] = _spread(config, given["iterations"])
    return replace(config, **form | given)


def _spread(config: Any, iterations: int) -> tuple[int, ...]:
    """The checkpoints of a configuration at the same shares of so many iterations."""
    at = {max(1, c * iterations // config.iterations) for c in config.checkpoints}
    return tuple(sorted(at))
