"""`compose` and `mend`: from weights to folders of MIDI files."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.cli import options

STEPS = "Sixteenths in a piece."
BAR = "Sixteenths in a bar, 12 for 3/4 or 6/8: for what was trained with --metre all."


@click.command(
    epilog=options.example("compose runs/RUN/weights-final.safetensors new --primer a.mid")
)
@click.argument("weights", type=options.PATH)
@click.argument("folder", type=options.PATH)
@click.option("--pieces", type=options.POSITIVE, default=25, show_default=True)
@click.option("--steps", type=options.POSITIVE, default=1280, show_default=True, help=STEPS)
@click.option("--seed", type=options.COUNT, default=0, show_default=True)
@click.option("--conservativity", help="paper, off or a number.  [default: as published]")
@click.option("--temperature", type=float, default=1.0, show_default=True)
@click.option("--primer", default="none", help="none, corpus, or a MIDI file.")
@click.option("--primer-steps", type=options.POSITIVE, default=16, help="Of a MIDI file.")
@click.option("--bar", type=options.POSITIVE, default=16, show_default=True, help=BAR)
@click.option("--postprocess", type=options.PATH, help="Weights of a conditional RBM that mends.")
@options.profile
@options.corpus
@options.metre
def compose(weights: Path, folder: Path, postprocess: Path | None, **chosen: Any) -> None:
    """Compose MIDI files into a new FOLDER with trained WEIGHTS."""
    from musiclib.base.files import must_be_new
    from musiclib.composing.folders import compose_to_folder
    from musiclib.mending.folders import load_machine, mend_folder

    must_be_new(folder)
    machine = load_machine(postprocess) if postprocess else None
    names = ("pieces", "steps", "seed", "temperature", "primer_steps", "bar")
    music = ("primer", "corpus", "profile", "metre")
    settings = {name: chosen[name] for name in names} | {
        "conservativity": _conservativity(chosen["conservativity"]),
        "primer": _primer(weights, **{name: chosen[name] for name in music}),
    }
    with TemporaryDirectory() as aside:
        target = Path(aside) / "unmended" if machine else folder
        compose_to_folder(weights, target, **settings)
        print(mend_folder(machine, target, folder) if machine else folder)


def _conservativity(text: str | None) -> str | float | None:
    if text in (None, "paper", "off"):
        return text
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--conservativity {text}: give paper, off or a number") from None


def _primer(weights: Path, primer: str, corpus: str, profile: str, metre: Any) -> Any:
    from musiclib.corpus.assemble import read_corpus
    from musiclib.corpus.prepare import prepare
    from musiclib.models.checkpoints import load_weights
    from musiclib.paper import profiles
    from musiclib.paper.chosen import chosen_corpus

    if primer != "corpus":
        return None if primer == "none" else Path(primer)
    limit = profiles.profile(profile).scores_per_group
    music = read_corpus(chosen_corpus(profile, corpus, download=True), limit, metre)
    _, run = load_weights(weights)
    return prepare(music, normalise=run["normalise"], reverse=run["reverse"]).main


@click.command(epilog=options.example("mend runs/RUN/weights-final.safetensors pieces mended"))
@click.argument("weights", type=options.PATH)
@click.argument("folder", type=options.PATH)
@click.argument("new", type=options.PATH)
def mend(weights: Path, folder: Path, new: Path) -> None:
    """Mend small dissonances and gaps of a FOLDER of MIDI files into a NEW one.

    WEIGHTS are those of `train conditional-rbm`.
    """
    from musiclib.mending.folders import load_machine, mend_folder

    print(mend_folder(load_machine(weights), folder, new))
