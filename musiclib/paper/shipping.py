"""How what comes with the package was made: `make shipped` makes it anew, in about two hours.

Small networks are trained on Bach's chorales as music21 has them, whose encodings may be passed on.
`card` is the page that goes with the weights.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from musiclib.base.writing import new_folder, write_bytes, write_text
from musiclib.corpus import saved
from musiclib.corpus.assemble import assemble
from musiclib.corpus.levels import HELD_OUT, MAIN
from musiclib.corpus.reading import encode_all
from musiclib.corpus.sets import Corpus
from musiclib.corpus.shipped import chorale_paths, corpus_name
from musiclib.corpus.sources import Source
from musiclib.exploring.shipped import CHORALES, FOLDER, PIECES, SUFFIX, chorales, weights_of
from musiclib.exploring.wish import compose_wish
from musiclib.exploring.wishes import Wish
from musiclib.mending.folders import load_machine
from musiclib.models import BiaxialConfig, ConditionalRBMConfig, LSTMConfig
from musiclib.music.bar_grid import bar_starts
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.corrupted import corrupt
from musiclib.music.music21_scores import SCORE_TEMPO
from musiclib.music.note_states import write_note_states
from musiclib.training.runs import Run, RunConfig
from musiclib.training.train import train_runs

BIAXIAL = BiaxialConfig(
    time_sizes=(128, 128),
    note_sizes=(64, 32),
    dropout=0.25,
    segment=64,
    iterations=2000,
    checkpoints=(500, 1000),
    level_iterations=0,
)
BARS, WRONG = 12, 0.1  # of the pieces to hear: their length, and the share of wrong notes
OFTEN = {"held_out_every": 50, "held_out_batches": 4}
RUNS = {
    "biaxial": RunConfig(BIAXIAL, **OFTEN),
    "biaxial-backwards": RunConfig(BIAXIAL, reverse=True, **OFTEN),
    "lstm": RunConfig(LSTMConfig(hidden=128, loss="bernoulli"), held_out_every=250),
    "conditional-rbm": RunConfig(ConditionalRBMConfig(segment=512, iterations=2000), **OFTEN),
}
GOOD_FOR = {
    "biaxial": "chorale-like music in four voices, from a beginning, in 4/4 or 3/4",
    "biaxial-backwards": "such music towards a given ending: it learned the chorales backwards",
    "lstm": "hearing what the baseline does: chords of eighth notes, none held or struck",
    "conditional-rbm": "mending wrong and missing notes in such music",
}


def read_chorales() -> Corpus:
    """The chorales that music21 has, in all voices, true bars and every metre: main, held-out."""
    sources = [Source(corpus_name(path), path, "all") for path in chorale_paths()]
    whole = assemble({MAIN: sources}, partial(encode_all, metre="all"))
    return replace(whole, sets={MAIN: whole.main, HELD_OUT: whole.held_out})


def ship() -> None:
    """Read the chorales unless they are there, train what is not trained, write all of it."""
    if not CHORALES.exists():
        saved.save(read_chorales(), CHORALES)
    runs = dict(zip(RUNS, train_runs(list(RUNS.values()), chorales()), strict=True))
    for name, run in runs.items():
        write_bytes(FOLDER / f"{name}{SUFFIX}", run.weights().read_bytes())
    shutil.rmtree(PIECES, ignore_errors=True)
    write_pieces(PIECES, chorales())
    write_text(FOLDER / "card.json", json.dumps({n: told(r) for n, r in runs.items()}, indent=1))
    write_text(FOLDER / "README.md", card(FOLDER))


def write_pieces(folder: Path, music: Corpus) -> None:
    """Write the pieces to hear: real, composed with seed 0 as it came, corrupted and repaired."""
    wishes = {
        "lstm": Wish("lstm", primer="corpus", bars=BARS),
        "biaxial": Wish("biaxial", primer="corpus", bars=BARS),
        "towards-an-ending": Wish("biaxial-backwards", ending="authentic", bars=BARS),
    }
    real = real_excerpt(music)
    corrupted = corrupt(real, WRONG, np.random.default_rng(0), "near")
    repaired = load_machine(weights_of("conditional-rbm")).mended(corrupted)
    heard = {"real": real, "corrupted": corrupted, "repaired": repaired}
    heard |= {name: compose_wish(wish).states for name, wish in wishes.items()}
    with new_folder(folder) as aside:
        for name, states in heard.items():
            write_note_states(states, aside / f"{name}.mid", SCORE_TEMPO)


def real_excerpt(music: Corpus) -> np.ndarray:
    """The first bars (T, 78, 2) of the first held-out chorale in 4/4 that is long enough."""
    steps = BARS * STEPS_PER_BAR
    whole = (p for p in music.held_out if p.positions.max() == STEPS_PER_BAR - 1)
    started = (p.states[bar_starts(p.positions)[0] :] for p in whole)
    return next(states[:steps] for states in started if len(states) >= steps)


def told(run: Run) -> dict[str, Any]:
    """What the card says of a trained run."""
    record = run.record
    return {
        "corpus checksum": record["corpus"],
        "iterations": sum(record["stages"].values()),
        "seconds": record["seconds"],
        "trained with": f"{record['device']}, {record['precision']}, musiclib {record['musiclib']},"
        f" torch {record['torch']}",
        "held-out loss": round(float(run.held_out["loss"].iloc[-1]), 3),
        "without learning": {k: round(v, 3) for k, v in record["without_learning"].items()},
        "configuration": record["config"],
    }


def card(folder: Path) -> str:
    """The page beside the weights: what each file is, how it was made, what it is good for."""
    return "\n".join(_lines(json.loads((folder / "card.json").read_text()))) + "\n"


def _lines(cards: dict[str, Any]) -> Iterator[str]:
    music = chorales()
    yield INTRODUCTION.format(main=len(music.main), held_out=len(music.held_out), bars=BARS)
    for name, facts in cards.items():
        size = (FOLDER / f"{name}{SUFFIX}").stat().st_size / 1e6
        yield f"\n## {name}{SUFFIX}\n"
        yield f"Good for {GOOD_FOR[name]}. {size:.1f} MB.\n"
        yield from (f"- {what}: {_shown(value)}" for what, value in facts.items())


def _shown(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    flat = {k: v for k, v in value.items() if not isinstance(v, dict)}
    nested = [_shown(inner) for inner in value.values() if isinstance(inner, dict)]
    return ", ".join([*nested, *(f"{k} {v}" for k, v in flat.items())]) or "not known"


INTRODUCTION = """# What comes with musiclib

Small networks, trained here on chorales by Johann Sebastian Bach, and pieces to hear. They show
what the models of the paper do; they are no results: of those see `docs/results.md`.

`chorales.npz` is the chorales as note states, {main} to train on and {held_out} held out, as read
from the scores that music21 ships. Bach's music is in the public domain; music21 distributes the
encodings with the permission of those who made them, and its files name no restriction of their
own. Weights and composed pieces may be used under the MIT licence of this project. `make shipped`
makes all of it anew. `pieces/` has {bars} bars of a held-out chorale, what the networks compose
with seed 0 as it came, and that chorale with one note in ten wrong, before and after the
conditional RBM.

The losses are those of notebooks 02 and 03: nats in a batch, lower is better; "without learning"
says what needs no network. Seconds are those of a machine with two cores that had other work."""
