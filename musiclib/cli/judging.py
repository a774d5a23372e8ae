"""`isl` and `evaluate`: how generated music is judged."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.cli import options

# names that other programs read: a measure is a bar
ISL_KEYS = ("isl", "generated_measures", "held_out_measures", "dropped")
COUNTS = (
    "; {held_out_measures} held-out bars, of which {dropped} dropped;"
    " {generated_measures} generated bars"
)


@click.command(epilog=options.example("isl pieces held-out --json"))
@options.judged_folders
@click.option(
    "--estimator",
    type=click.Choice(("paper", "mixture")),
    default="paper",
    show_default=True,
    help="paper: published ISL, nats per bar; mixture: bits saved per note, nothing dropped.",
)
@options.as_json
def isl(as_json: bool, estimator: str, **folders: Any) -> None:
    """Likelihood of HELD_OUT music under GENERATED music, as published or repaired.

    Both are folders of MIDI files and are scored as they are. Models trained on key-normalised
    music compose in C major and A minor: held-out files in other keys score lower for that alone.
    """
    from musiclib.metrics.isl import isl_of_pieces

    with _reading(folders, apart=estimator == "mixture") as music:
        generated, held_out, reference = (m and list(m.values()) for m in music)
        if estimator == "mixture":
            record = _bits_saved(generated, held_out, reference, folders["seed"])
            text = "bits saved {bits_saved:.4f} {unit}".format_map(record)
        else:
            record = dict(zip(ISL_KEYS, isl_of_pieces(generated, held_out), strict=True))
            dropped = "none: every held-out bar was dropped"
            text = f"ISL {dropped if record['isl'] is None else record['isl']} nats per bar"
    print(json.dumps(record) if as_json else text + COUNTS.format_map(record))


def _bits_saved(generated: list, held_out: list, reference: list | None, seed: int) -> dict:
    from musiclib.metrics.bits_saved import bits_saved_of_pieces
    from musiclib.music.bars import cell_frequencies, piece_bars

    frequencies = None if reference is None else cell_frequencies(reference)
    value, low, high, _ = bits_saved_of_pieces(generated, held_out, frequencies, seed)
    counts = [len(piece_bars(pieces)) for pieces in (generated, held_out)]
    return {
        "bits_saved": value,
        "interval": None if low is None else [low, high],  # none for one held-out piece
        "unit": "bits per note",
        **dict(zip(ISL_KEYS[1:], (*counts, 0), strict=True)),
    }


@contextmanager
def _reading(folders: dict[str, Any], *, apart: bool) -> Iterator[list[Mapping | None]]:
    """The music of both folders and the reference; then stderr tells what was left out.

    `apart`: whether each file is cut into bars by itself. An error tells it in its own sentence.
    """
    from musiclib.music.midi_folder import look_into

    given = {name: folders[name] for name in ("generated", "held_out", "reference")}
    read = {name: look_into(place, folders["metre"]) for name, place in given.items() if place}
    try:
        yield [read[name].pieces if name in read else None for name in given]
    except InputError as error:
        raise InputError(f"{error}{_why(read)}") from error
    for name, some in read.items():
        _say(some, apart=apart, first_twice=name == "held_out")


def _why(read: dict[str, Any]) -> str:
    """What an error about too little music owes to what was left out."""
    cut = sum(len(some.left_out.cut) for some in read.values())
    bad = sum(len(some.left_out.skipped) for some in read.values())
    why = f"; a metre that is not 2 or 4 cuts {cut:,} of the files short: --metre all reads on"
    return why * bool(cut) + f"; {bad:,} of the files cannot be read" * bool(bad)


def _say(read: Any, *, apart: bool, first_twice: bool) -> None:
    from musiclib.music.left_out import bars_left_out, end_left_out

    lengths = {name: len(piece) for name, piece in read.pieces.items()}
    if apart:
        bars_left_out(read.left_out, lengths)
    else:
        end_left_out(read.left_out, lengths, first_twice=first_twice)
    read.left_out.say()


@click.command(epilog=options.example("evaluate pieces held-out --reference training --json"))
@options.judged_folders
@options.as_json
def evaluate(as_json: bool, seed: int, **folders: Any) -> None:
    """All metrics of GENERATED music beside what real, HELD_OUT music reaches.

    Both are folders of MIDI files and are scored as they are, in the keys that they are in.
    """
    from musiclib.metrics import evaluation

    with _reading(folders, apart=True) as music:
        result = evaluation.evaluate(*music, seed)
    print(json.dumps(result, allow_nan=False) if as_json else evaluation.table(result))
