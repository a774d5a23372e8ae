"""`corpus`: what is in the music as it is read, and why a file is not used."""

import json
from pathlib import Path
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.cli import options


@click.command(
    epilog=options.example(
        "corpus my-midi --files", "corpus --profile paper --save corpus.npz --no-minutes"
    )
)
@click.argument("folder", type=options.NAME, default="")
@options.profile
@options.metre
@click.option("--files", "every", is_flag=True, help="A line for every file, too.")
@click.option("--table", type=options.PATH, help="Write a row for every file to this .csv.")
@click.option("--pictures", type=options.PATH, help="Write a picture of it into this folder.")
@click.option("--no-minutes", is_flag=True, help="Do not measure how long training would take.")
@click.option(
    "--save", type=options.PATH, help="Write it: one .npz, or a folder .shards for large ones."
)
@click.option("--cluster", help="Address of a Dask scheduler, whose workers read the files.")
@options.as_json
def corpus(
    folder: str, profile: str, metre: str, save: Path | None, as_json: bool, **wanted: Any
) -> None:
    """Read a corpus and say what is in it, and why files are not used.

    FOLDER is one of MIDI files, or a name as --corpus of other commands takes; without one it is
    music21's scores, in profile paper piano-midi where it can be had.
    """
    from musiclib.base.writing import write_text
    from musiclib.corpus import report, report_rows, report_text, saved, shards
    from musiclib.corpus.assemble import read_corpus
    from musiclib.corpus.cluster import workers_of
    from musiclib.paper import profiles
    from musiclib.paper.chosen import chosen_corpus

    save, table, pictures = _places(save, wanted["table"], wanted["pictures"])
    scale = profiles.profile(profile)
    chosen = chosen_corpus(profile, folder, download=True)
    with workers_of(wanted["cluster"]) as executor:
        music = read_corpus(chosen, scale.scores_per_group, metre, executor)
    music.say_complaints()
    if save:
        (shards.write if save.suffix == shards.SUFFIX else saved.save)(music, save)
    files = report_rows.files_of(music)
    told = {"corpus": chosen, "checksum": music.checksum, **report.summary(music, files)}
    if table:
        write_text(table, report_rows.table(files).to_csv(index=False))
    if pictures:
        _draw(music, files, told, pictures)
    told["training"] = None if wanted["no_minutes"] else _training(scale, music)
    if as_json:
        print(json.dumps(told | {"files": [file._asdict() for file in files]}, allow_nan=False))
    else:
        lines = [*report_text.lines(told), *report_text.training(told["training"])]
        print("\n".join(lines + ["", *report_text.rows(files)] * wanted["every"]))


def _places(save: Path | None, table: Path | None, pictures: Path | None) -> list[Path | None]:
    """Where to write; raises InputError, before anything is read, where that cannot be done."""
    from musiclib.base.files import expanded
    from musiclib.base.writing import must_be_new, must_be_writable

    _check_suffix("--save", save, (".npz", ".shards"))
    _check_suffix("--table", table, (".csv",))
    save, table, pictures = (path and expanded(path) for path in (save, table, pictures))
    if save and save.suffix == ".shards":
        must_be_new(save)
    for path in filter(None, (save, table, pictures and pictures / "corpus.png")):
        must_be_writable(path)
    return [save, table, pictures]


def _check_suffix(option: str, path: Path | None, suffixes: tuple[str, ...]) -> None:
    if path is not None and path.suffix not in suffixes:
        raise InputError(f"{option} {path}: name it {' or '.join(suffixes)}")


def _training(scale: Any, music: Any) -> dict[str, Any]:
    from musiclib.paper import expected

    networks = expected.expected(scale, music)
    return {
        "profile": scale.name,
        "threads": expected.threads(),
        "networks": {network.model: network.told() for network in networks},
    }


def _draw(music: Any, files: list, told: dict[str, Any], folder: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from musiclib.base.aside import beside
    from musiclib.base.writing import write_text
    from musiclib.paper import figures
    from musiclib.paper.contents import alternative, contents

    figures.style()
    table, text = contents(music, files), alternative(told)
    label = f"corpus {Path(told['corpus']).name}, metre {told['metre']}, {told['checksum']}"
    with beside(folder) as aside:
        figures.save(figures.contents(table), table, aside, "corpus", label, text)
        write_text(aside / "corpus.txt", text + "\n")
