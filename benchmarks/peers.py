"""Our reading of MIDI files, and simple metrics of it, beside those of other libraries.

Where they differ, their reading is made more and more like ours: what is left after each step
says how much that step explains. Libraries that are not installed are left out.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from random import Random
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd
from peer_metrics import metrics_of
from timing import parser, run, seconds

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.base.writing import write_text
from musiclib.music.midi_events import KIND, OFF, ON, TICK, VALUE, Midi, read_midi
from musiclib.music.midi_folder import midi_files
from musiclib.music.note_states import ARTICULATE, PLAY, note_states, read_note_states
from musiclib.music.piano_roll import piano_roll, read_piano_roll
from musiclib.paper.results import markdown

PEERS = {"pretty_midi": "pretty_midi", "pypianoroll": "pypianoroll"}
PEERS |= {"muspy": "MusPy", "symusic": "symusic"}  # packages, and how they write themselves
OUT = ROOT / "results" / "bench-peers.csv"
TIMED = {"events": read_midi, "piano roll": read_piano_roll}
TIMED |= {"note states": lambda path: read_note_states(path, "all")}
CLOSE = 1e-6


class Row(NamedTuple):
    """What one file says: how much differs, of how much."""

    peer: str
    what: str
    unit: str
    explanation: str
    value: float
    of: int = 1


def main() -> None:
    """Print the table and write results/bench-peers.csv."""
    options = parser("peers", __doc__)
    options.add_argument("folders", nargs="+", type=Path, help="folders of MIDI files")
    options.add_argument("--files", type=int, default=110, help="of each folder, evenly spread")
    chosen = options.parse_args()
    files = 2 if chosen.tiny else chosen.files
    paths = [path for folder in chosen.folders for path in spread(midi_files(folder), files)]
    if not paths:
        raise InputError(f"no MIDI file in {', '.join(map(str, chosen.folders))}")
    if missing := [name for package, name in PEERS.items() if not find_spec(package)]:
        print(f'Left out: {", ".join(missing)}; `pip install "musiclib[peers]"` brings them.\n')
    table = table_of([row for path in paths for row in compared(path)])
    print(markdown(list(table), table.to_numpy().tolist()))
    write_table(chosen, table)


def spread(paths: list[Path], count: int) -> list[Path]:
    """So many of the paths, or all, evenly spread."""
    if not paths:
        return []
    places = np.linspace(0, len(paths) - 1, min(count, len(paths)))
    return [paths[int(place)] for place in places]


def peers() -> dict[str, ModuleType]:
    """Those that are installed."""
    return {p: importlib.import_module(f"peer_{p}") for p in PEERS if find_spec(p)}


def compared(path: Path) -> Iterator[Row]:
    """All rows of a file."""
    midi = read_midi(path)
    for package, peer in peers().items():
        try:
            rows = list(of_peer(package, peer, str(path), midi))
        except Exception as error:  # whatever it is, it is theirs
            print(f"{path.name}, {PEERS[package]}: {error!r}", file=sys.stderr)
            rows = []
        yield Row(package, "files", "files refused", "", not rows)
        yield from rows
    yield from timed(path)


def of_peer(package: str, peer: ModuleType, path: str, midi: Midi) -> Iterator[Row]:
    """What a library computes of a file, and we do too."""
    states, theirs = note_states(midi, "all"), peer.read(path)
    if hasattr(peer, "notes"):
        yield from of_notes(package, midi, peer.notes(theirs))
    if hasattr(peer, "states"):
        for why, (play, struck) in peer.states(theirs, path, midi).items():
            yield of_cells(package, "play", why, states[..., PLAY], play)
            yield of_cells(package, "articulate", why, states[..., ARTICULATE], struck)
    if hasattr(peer, "rolls"):
        for why, sounds in peer.rolls(theirs, midi).items():
            yield of_cells(package, "piano roll", why, piano_roll(midi), sounds)
    if hasattr(peer, "metrics"):
        ours = metrics_of(states)
        for why, values in peer.metrics(theirs, path, states).items():
            for what, value in values.items():
                apart = float(np.abs(np.asarray(value) - ours[what]).sum())
                yield Row(package, f"metric: {what}", "median, difference", why, apart)


def of_notes(package: str, midi: Midi, notes: np.ndarray) -> Iterator[Row]:
    """Strikes and releases, each a tick and a pitch, that only we or only they have."""
    for what, kind, column in (("strikes", ON, 0), ("releases", OFF, 1)):
        ours = midi.events[midi.events[:, KIND] == kind][:, [TICK, VALUE]]
        (only, counts) = np.unique(
            np.concatenate([ours, notes[:, [column, 2]]]), axis=0, return_inverse=True
        )
        signs = np.concatenate([np.ones(len(ours)), -np.ones(len(notes))])
        apart = np.abs(np.bincount(counts.ravel(), signs, len(only))).sum()
        yield Row(package, what, "notes apart", "as it comes", apart, len(ours))


def of_cells(package: str, what: str, why: str, ours: np.ndarray, theirs: np.ndarray) -> Row:
    """In how many cells two arrays differ, of those that are set in either."""
    steps = max(len(ours), len(theirs))
    a, b = (np.pad(x.astype(bool), [(0, steps - len(x)), (0, 0)]) for x in (ours, theirs))
    return Row(package, what, "cells apart", why, int((a != b).sum()), int((a | b).sum()))


def timed(path: Path) -> Iterator[Row]:
    """How long each takes for a file, as times what we take."""
    calls = {("", what): call for what, call in TIMED.items()}
    for package, peer in peers().items():
        calls |= {(package, what): call for what, call in peer.TIMED.items()}
    order = Random(path.name).sample(list(calls), len(calls))
    took = {key: taken(lambda call=calls[key]: call(str(path))) for key in order}
    for package, what in calls:
        if package and took[package, what]:
            ratio = took[package, what] / took["", what]
            yield Row(package, f"time: {what}", "median, times ours", "", ratio)


def taken(call: Callable[[], object]) -> float | None:
    """Seconds of a call, None where it fails."""
    try:
        return seconds(call)
    except Exception:  # as above
        return None


def table_of(rows: list[Row]) -> pd.DataFrame:
    """The rows of all files together, without the steps that change nothing."""
    listed = pd.DataFrame(rows, columns=Row._fields)
    order = {name: place for place, name in enumerate(listed["what"].unique())}
    groups = listed.groupby(["what", "peer", "unit", "explanation"], sort=False)
    table = pd.DataFrame([summed(*key, group) for key, group in groups])
    table = table.sort_values("what", key=lambda what: what.map(order), kind="stable")
    said = table.groupby(["what", "peer"], sort=False)[["value", "files equal"]]
    return table[(table[["value", "files equal"]] != said.shift()).any(axis=1)]


def summed(what: str, peer: str, unit: str, why: str, files: pd.DataFrame) -> dict[str, object]:
    """One row of all files: the sum of what is counted, the median of the rest."""
    counted = not unit.startswith("median")
    value = int(files["value"].sum()) if counted else f"{files['value'].median():.4g}"
    return {
        "what": what,
        "peer": PEERS[peer],
        "version": version(peer),
        "value": value,
        "unit": unit,
        "of": files["of"].sum(),
        "files equal": "" if what.startswith("time") else (files["value"] <= CLOSE).sum(),
        "explanation": why,
    }


def write_table(options: argparse.Namespace, table: pd.DataFrame) -> None:
    """To --out, or to results/ what is not tiny."""
    if options.out or not options.tiny:
        write_text(options.out or OUT, table.to_csv(index=False))


if __name__ == "__main__":
    run(main)
