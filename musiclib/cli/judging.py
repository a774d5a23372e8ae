"""`isl` and `evaluate`: how generated music is judged."""

import json
from pathlib import Path
from typing import Any

import click

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

    generated, held_out, reference = _read(folders)
    if estimator == "mixture":
        record = _bits_saved(generated, held_out, reference, folders["seed"])
        text = "bits saved {bits_saved:.4f} {unit}".format_map(record)
    else:
        record = dict(zip(ISL_KEYS, isl_of_pieces(generated, held_out), strict=True))
        value = "none: every held-out bar was dropped" if record["isl"] is None else record["isl"]
        text = f"ISL {value} nats per bar"
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


def _read(folders: dict[str, Any]) -> list[list | None]:
    from musiclib.music.midi_folder import read_folder

    given = (folders[name] for name in ("generated", "held_out", "reference"))
    return [None if folder is None else list(read_folder(folder).values()) for folder in given]


@click.command(epilog=options.example("evaluate pieces held-out --reference training --json"))
@options.judged_folders
@options.as_json
def evaluate(
    as_json: bool, generated: Path, held_out: Path, reference: Path | None, seed: int
) -> None:
    """All metrics of GENERATED music beside what real, HELD_OUT music reaches.

    Both are folders of MIDI files and are scored as they are, in the keys that they are in.
    """
    from musiclib.metrics import evaluation
    from musiclib.music.midi_folder import read_folder

    given = None if reference is None else read_folder(reference)
    result = evaluation.evaluate(read_folder(generated), read_folder(held_out), given, seed)
    print(json.dumps(result, allow_nan=False) if as_json else evaluation.table(result))
