"""`corpus`, `notebook` and `readme`: the music as it is read, and what `make` runs."""

from pathlib import Path
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.cli import options


@click.command(epilog=options.example("corpus my-midi", "corpus --profile paper --save corpus.npz"))
@click.argument("folder", default="")
@options.profile
@options.metre
@click.option("--save", type=options.PATH, help="Write it to one .npz, for other machines.")
def corpus(folder: str, profile: str, metre: str, save: Path | None) -> None:
    """Read a corpus, a FOLDER of MIDI files or music21's scores, and say what is in it."""
    from musiclib.corpus import saved
    from musiclib.corpus.assemble import read_corpus
    from musiclib.paper import profiles

    music = read_corpus(folder, profiles.profile(profile).scores_per_group, metre=metre)
    print("\n".join([*music.summary(), *music.complaints()]))
    if save:
        saved.save(music, save)


@click.command(epilog=options.example("notebook 01-corpus --profile smoke"))
@click.argument("name")
@click.option("--seeds", default="1", show_default=True)
@click.option("--stamp", type=options.PATH, help="With 'check': file to note the options in.")
@options.profile
@options.corpus
@options.precision
def notebook(name: str, seeds: str, stamp: Path | None, **given: Any) -> None:
    """Run a notebook by NAME, such as 01-corpus; 'check' only checks the options."""
    from musiclib.paper import notebooks

    if not seeds.isdigit() or int(seeds) < 1:
        raise InputError(f"SEEDS={seeds}: give a whole number of at least 1")
    order = ("profile", "corpus", "seeds", "precision")
    values = {key: (given | {"seeds": int(seeds)})[key] for key in order}
    if name != "check":
        notebooks.run(name, values)
        return
    from musiclib.paper.profiles import profile

    settings = notebooks.settings(values)
    if stamp:
        notebooks.stamp(settings, stamp)
    print(f"profile {values['profile']}: {profile(values['profile']).cost}")


@click.command()
def readme() -> None:
    """Make the README's numbers from the result files."""
    from musiclib.paper import readme

    readme.refresh()
