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
@click.option("--seed", type=options.COUNT, default=0, show_default=True)
@click.option("--iterations", type=options.POSITIVE, help="On the main corpus.")
@click.option("--level-iterations", type=options.POSITIVE, help="On each level (--curriculum).")
@click.option("--loss", type=click.Choice(("categorical", "bernoulli")), help="Of the LSTM.")
@click.option(
    "--learning-rate", type=click.FloatRange(min=0), help="What each step is multiplied by."
)
@click.option(
    "--form",
    type=click.Choice(("default", "published")),
    default="default",
    show_default=True,
    help="Of either network: what learns best, or start, cell and windows as published.",
)
@options.precision
@click.option("--mode", type=click.Choice(("all", "major", "minor")), default="all")
@click.option("--reverse", is_flag=True, help="Train on music played backwards.")
@click.option("--no-key-normalisation", is_flag=True, help="Leave pieces in their own keys.")
@click.option("--runs", type=options.PATH, default=ROOT / "runs", help="Folder of runs.")
def train(model: str, profile: str, corpus: str, precision: str, runs: Path, **chosen: Any) -> None:
    """Train a MODEL; killed and started again it goes on.

    MODEL is lstm, biaxial, rbm, conditional-rbm, or one of your own in musiclib.models.MODELS.
    """
    from musiclib.corpus.assemble import read_corpus
    from musiclib.models import computed_in
    from musiclib.paper import profiles
    from musiclib.paper.chosen import chosen_corpus
    from musiclib.training.precision import check_precision
    from musiclib.training.runs import RunConfig
    from musiclib.training.train import train_runs

    check_precision(precision)
    scale = profiles.profile(profile)
    configured = _changed(model, scale.config(model), chosen)
    if computed_in(configured, precision) != precision:
        raise InputError(f"--precision {precision}: RBMs and the published cell know fp32")
    config = RunConfig(
        configured,
        normalise=not chosen["no_key_normalisation"],
        precision=precision,
        held_out_every=scale.held_out_every.get(model, 100),
        held_out_batches=scale.held_out_batches,
        **{name: chosen[name] for name in ("curriculum", "seed", "mode", "reverse")},
    )
    print(f"profile {scale.name}: {scale.cost}", file=sys.stderr)
    chosen_music = chosen_corpus(profile, corpus, download=True)
    music = read_corpus(chosen_music, scale.scores_per_group, metre=chosen["metre"])
    print("\n".join(music.complaints()), file=sys.stderr)
    [run] = train_runs([config], music, runs)
    print(f"{run.weights()}\nlast loss {run.losses['loss'].iloc[-1]:.4f}")
    if run.record["without_learning"]:
        print(("learned: " if run.verdict.learned else "did not learn: ") + run.verdict.why)


def _changed(model: str, config: Any, chosen: dict[str, Any]) -> Any:
    """The model's configuration with what the options change of it."""
    from musiclib.models import MODELS

    published = MODELS[model].published if chosen["form"] == "published" else {}
    if chosen["form"] == "published" and not published:
        raise InputError(f"--form published: {model} has no other form; leave it out")
    names = ("iterations", "level_iterations", "loss", "learning_rate")
    given = {name: chosen[name] for name in names if chosen[name] is not None}
    for name in given:
        if not hasattr(config, name):
            raise InputError(f"--{name.replace('_', '-')} is no option of {model}: leave it out")
    return replace(config, **published | given)
