"""`data`, `notebook`, `readme`, `site`: the music as it is downloaded, and what `make` runs."""

import sys
from pathlib import Path
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.base.seeds import seeds_of
from musiclib.cli import options


@click.command(epilog=options.example("notebook 01-corpus --profile smoke"))
@click.argument("name")
@click.option("--seeds", default="1", show_default=True)
@click.option("--stamp", type=options.PATH, help="File: 'check' notes the options and the corpus.")
@options.profile
@options.corpus
@options.precision
def notebook(name: str, seeds: str, stamp: Path | None, **given: Any) -> None:
    """Run a notebook by NAME, such as 01-corpus; 'check' only checks the options.

    With --stamp the notebook uses the corpus that 'check' chose.
    """
    from musiclib.paper import notebooks

    given["seeds"] = seeds_of(seeds)
    order = ("profile", "corpus", "seeds", "precision")
    values = {key: given[key] for key in order}
    if name != "check":
        chosen = {"corpus": notebooks.stamped_corpus(stamp)} if stamp else {}
        notebooks.run(name, values | chosen)
        return
    from musiclib.paper.chosen import chosen_corpus
    from musiclib.paper.profiles import profile

    values["corpus"] = chosen_corpus(values["profile"], values["corpus"], download=True)
    settings = notebooks.settings(values)
    if stamp:
        notebooks.stamp(settings, stamp)
    print(f"profile {values['profile']}: {profile(values['profile']).cost}")


@click.command(epilog=options.example("data", "data piano-midi"))
@click.argument("names", nargs=-1)
def data(names: tuple[str, ...]) -> None:
    """Download the collections NAMES, by default all, into data/; say where they are."""
    from musiclib.corpus.collections import COLLECTIONS
    from musiclib.corpus.download import bring, wanting

    if unknown := [name for name in names if name not in COLLECTIONS]:
        raise InputError(f"no collection {unknown[0]}: choose of {', '.join(COLLECTIONS)}")
    for collection in [COLLECTIONS[name] for name in names or COLLECTIONS]:
        how = "downloaded" if wanting(collection) else "already here"
        print(f"{collection.name}: {how}, {len(collection.files)} files in {bring(collection)}")
        print(f"  {collection.licence}")


@click.command(epilog=options.example("keep --corpus piano-midi", "keep biaxial-plain-0"))
@click.argument("names", nargs=-1)
@click.option("--about", default="", help="What the corpus is, in words.")
@click.option("--seeds", type=options.SEEDS, default=3, show_default=True)
@click.option("--runs", type=options.PATH, default=ROOT / "runs", help="Folder of runs.")
@options.profile
@options.corpus
@options.precision
def keep(
    names: tuple[str, ...], about: str, seeds: int, runs: Path, profile: str, **given: Any
) -> None:
    """Bring runs NAMES, by default all, into results/PROFILE: losses, pieces, what is said of them.

    NAMES are of runs, or patterns such as 'lstm-*'.
    Runs that have not come to their end are brought in as far as they are.
    """
    from musiclib.paper import experiments
    from musiclib.paper.keep import keep as bring
    from musiclib.paper.study import Study

    chosen = experiments.named(experiments.jobs(seeds), names)
    study = Study(profile, given["corpus"], seeds, given["precision"], runs)
    for folder in bring(study, chosen, about):
        print(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)


@click.command(epilog=options.example("affordable --seeds 3"))
@click.option("--seeds", type=options.SEEDS, default=3, show_default=True)
def affordable(seeds: int) -> None:
    """Say what training at published size takes here; status 3 if it is too long to begin unasked.

    What too long is, musiclib.paper.affordable.UNASKED says.
    """
    from musiclib.paper.affordable import cost

    found = cost(seeds)
    print(found.told())
    if not found.affordable:
        sys.exit(3)


@click.command()
def readme() -> None:
    """Make the README's numbers from the result files."""
    from musiclib.paper import readme

    readme.refresh()


@click.command(epilog=options.example("site --profile quick"))
@options.profile
def site(profile: str) -> None:
    """Make a site of pages in site/PROFILE from what was run; runs nothing itself."""
    from musiclib.paper.site.build import build

    built = build(profile)
    page = f"site/{profile}/index.html"
    print(f"{page}: {len(built.pages)} notebooks, {built.size / 1e6:.1f} MB; open it in a browser")
    if built.missing:
        print(
            f"not executed here, so without a page: {', '.join(built.missing)};"
            f" make paper site PROFILE={profile}"
        )
