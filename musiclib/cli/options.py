"""What several commands share: their options, and the examples under their help."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.base.seeds import MOST_SEED, MOST_SEEDS
from musiclib.base.typed import MOST, is_long, shown
from musiclib.base.writing import must_be_writable

LONGEST_NAME, LONGEST_PATH = 255, 4095  # bytes that a file system takes


class Whole(click.IntRange):
    """A whole number of so many digits that it can be told of."""

    name = "integer"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """The number; fails with one sentence."""
        if is_long(value):
            self.fail(f"{shown(value)} is not a valid integer", param, ctx)
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A finite number."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """The number; fails with one sentence."""
        if is_long(value):
            self.fail(f"{shown(value)} is not a valid number", param, ctx)
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class Place(click.Path):
    """A path that can be one, be anything there or not."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The path; fails with one sentence."""
        self.fail_unless_path(os.fspath(value), param, ctx)
        return super().convert(value, param, ctx)

    def fail_unless_path(self, text: str, param: Any, ctx: Any) -> None:
        """Fail for what no file can be called."""
        if not text:
            self.fail("it is empty: name a file or a folder", param, ctx)
        if "\0" in text:
            self.fail(f"{shown(text)} is no name of a file", param, ctx)
        longest = max(len(os.fsencode(part)) for part in text.split("/"))
        if longest > LONGEST_NAME or len(os.fsencode(text)) > LONGEST_PATH:
            self.fail(f"{shown(text)} is too long for the name of a file", param, ctx)


class Name(Place):
    """A name or a path as text; it may be empty."""

    name = "text"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The text; fails with one sentence."""
        text = str(value)
        if text:
            self.fail_unless_path(text, param, ctx)
        return text


COUNT, POSITIVE = Whole(0, MOST), Whole(1, MOST)
UNLIMITED = Whole(1)  # here: what memory allows is said where it is known
SEED, SEEDS = Whole(0, MOST_SEED), Whole(1, MOST_SEEDS)
MINUTES, SECONDS, RATE = Number(0, MOST), Number(0, MOST), Number(0, 1000)
PATH, NAME = Place(path_type=Path), Name()

profile = click.option(
    "--profile", default="quick", show_default=True, help="smoke, quick or paper: how large it is."
)
corpus = click.option(
    "--corpus",
    type=NAME,
    default="",
    help="Folder of MIDI files, .npz, piano-midi, piano-midi+nottingham, nottingham or music21;"
    " a folder of such a name is ./NAME.  [default: music21's scores; in profile paper piano-midi,"
    " where it can be had]",
)


def _metre(otherwise: str) -> Callable:
    """How far files are read; `otherwise` is what "all" does."""
    return click.option(
        "--metre",
        type=click.Choice(("paper", "all")),
        default="paper",
        show_default=True,
        help=f"paper: read up to the first metre not 2 or 4; all: {otherwise}.",
    )


metre = _metre("in any metre, with its true bars")
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
        click.option("--seed", type=SEED, default=0, help="Of fits, draws and intervals."),
        click.option(
            "--reference",
            type=PATH,
            help="Folder of training MIDI files, which independent notes and plagiarism refer to."
            "  [default: the held-out ones; published ISL needs none]",
        ),
        _metre("to the end"),
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
