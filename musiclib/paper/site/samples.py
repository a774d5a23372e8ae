"""Pieces to hear on the first page: shipped ones, and what the profile's own runs composed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musiclib.exploring import shipped
from musiclib.music.midi_events import read_midi
from musiclib.music.note_states import first_tempo, note_states
from musiclib.paper.profiles import profile
from musiclib.paper.site.sources import Sources
from musiclib.paper.study import composed_folder
from musiclib.paper.variants import run_config
from musiclib.training.runs import find

STEPS = 384  # of a piece that are played: 24 bars
TITLES = {
    "real": ("Real music", "a chorale by Bach that no network has heard"),
    "lstm": ("LSTM", "composed by the shipped baseline, seed 0"),
    "biaxial": ("Biaxial RNN", "composed by the shipped network, seed 0"),
    "towards-an-ending": ("Biaxial RNN, backwards", "the last two bars are given, seed 0"),
    "corrupted": ("The chorale, corrupted", "one note in ten is wrong"),
    "repaired": ("The chorale, repaired", "by the conditional RBM, from the corrupted one"),
}


@dataclass(frozen=True, eq=False)
class Sample:
    """A piece to hear: note states (T, 78, 2), at a tempo in microseconds per beat."""

    name: str
    title: str
    note: str
    states: np.ndarray
    tempo: int


def shipped_samples() -> list[Sample]:
    """The pieces that come with the package, in the order of `TITLES`, others after them."""
    order = {name: at for at, name in enumerate(TITLES)}
    paths = sorted(shipped.pieces().items(), key=lambda item: (order.get(item[0], 99), item[0]))
    return [
        _sample(name, *TITLES.get(name, (name.replace("-", " ").capitalize(), "")), path)
        for name, path in paths
    ]


def own_samples(sources: Sources) -> list[Sample]:
    """What the runs behind the results composed, of seed 0, where it is still there."""
    return [_sample(*of) for of in _own(sources) if of[-1].exists()]


def _own(sources: Sources) -> Iterator[tuple[str, str, str, Path]]:
    lstm = _composed_by_lstm(sources)
    if lstm:
        yield "own-lstm", "LSTM", "composed at the last epoch, seed 0", lstm
    before, after = (sources.figures / f"{name}.mid" for name in ("before", "after"))
    yield "own-biaxial", "Biaxial RNN", "composed at the last checkpoint, seed 0", before
    yield "own-mended", "Biaxial RNN, mended", "the same piece after the conditional RBM", after


@dataclass(frozen=True)
class _Corpus:
    """Stands for a corpus where only its checksum is known: a run is found by that."""

    checksum: str


def _composed_by_lstm(sources: Sources) -> Path | None:
    record = sources.results / "05-compose.json"
    if not record.exists():
        return None
    told, scale = json.loads(record.read_text()), profile(sources.profile)
    config = run_config(scale, "lstm", "plain", 0, told["precision"])
    run = find(config, _Corpus(told["corpus"]["checksum"]), sources.root / "runs")
    return composed_folder(scale, run, scale.lstm.checkpoints[-1]) / "1.mid"


def _sample(name: str, title: str, note: str, path: Path) -> Sample:
    midi = read_midi(path)
    return Sample(name, title, note, note_states(midi, "all")[:STEPS], first_tempo(midi))
