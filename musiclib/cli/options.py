"""What several commands share: their options, and the examples under their help."""

from collections.abc import Callable
from pathlib import Path

import click

from musiclib.base.errors import InputError
from musiclib.base.files import must_be_writable

COUNT, POSITIVE = click.IntRange(min=0), click.IntRange(min=1)
PATH = click.Path(path_type=Path)

profile = click.option(
    "--profile", default="quick", show_default=True, help="smoke, quick or paper: how large it is."
)
corpus = click.option(
    "--corpus",
    default="",
    help="Folder of MIDI files, .npz, piano-midi, piano-midi+nottingham, nottingham or music21;"
    " a folder of such a name is ./NAME.  [default: music21's scores; in profile paper piano-midi,"
    " where it can be had]",
)
metre = click.option(
    "--metre",
    type=click.Choice(("paper", "all")),
    default="paper",
    show_default=True,
    help="paper: read up to the first metre not 2 or 4; all: in any metre, with its true bars.",
)
precision = click.option(
    "--precision",
    type=click.Choice(("fp32", "tf32", "bf16")),
    default="fp32",
    show_default=True,
    help="What products are computed in.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def must_hold_runs(folder: Path) -> None:
    """Raise InputError, before any music is read, where no run can be written in a folder."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--runs {folder}: it is a file; name a folder")
    try:
        must_be_writable(folder / "run")
    except InputError as error:
        reason = str(error).removeprefix(f"{folder / 'run'}: ")
        raise InputError(f"--runs {folder}: {reason}") from None


def judged_folders(command: Callable) -> Callable:
    """The arguments and options of the commands that judge."""
    for part in (
        click.option("--seed", type=COUNT, default=0, help="Of fits, draws and intervals."),
        click.option(
            "--reference",
            type=PATH,
            help="Folder of training MIDI files, which independent notes and plagiarism refer to."
            "  [default: the held-out ones; published ISL needs none]",
        ),
        click.argument("held_out", type=PATH),
        click.argument("generated", type=PATH),
    ):
        command = part(command)
    return command


def example(*lines: str) -> str:
    """Examples as they stand under a command's help; what begins with # says what the next does."""
    shown = "\n".join(
        f"  {line}" if line[0] == "#" else click.style(f"  python -m musiclib {line}", fg="cyan")
        for line in lines
    )
    return f"\b\nExample{'s' * (len(lines) > 1)}:\n{shown}"
