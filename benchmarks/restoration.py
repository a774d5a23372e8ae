"""What the conditional RBM mends of whole held-out pieces in their own keys, three seeds.

Trains on a corpus of one's own, such as a folder of piano music, unless it was trained before:
`make bench-restoration CORPUS=folder`. The corrupted pieces are others than in notebook 10.
"""

import sys
from functools import partial
from pathlib import Path

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT, write_json
from musiclib.base.parallel import side_by_side
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.sets import Corpus, states_of
from musiclib.mending.mend import baseline, mend
from musiclib.mending.ways import conditional
from musiclib.models import ConditionalRBMConfig
from musiclib.models.checkpoints import load_weights
from musiclib.music.corrupted import WRONG
from musiclib.music.transforms import legal
from musiclib.paper.results import markdown, number, shown
from musiclib.paper.trials import NO_MACHINE, UNITS, means
from musiclib.training.runs import Run, RunConfig
from musiclib.training.train import train_runs

SEEDS = range(3)
ITERATIONS = 1500
OTHER_DRAWS = 100
MENDED = "conditional RBM"


def main(folder: str) -> None:
    """Print the table and write results/bench-restoration.json."""
    corpus = read_corpus(folder)
    model = ConditionalRBMConfig(iterations=ITERATIONS)
    runs = train_runs([RunConfig(model, seed=s, held_out_every=500) for s in SEEDS], corpus)
    tried = side_by_side(trial, [(run, states_of(corpus.held_out)) for run in runs], "mending")
    numbers = {
        f"{way}, {music}, {what}": number(
            [seed[way, music][what] for seed in tried], unit, n=tried[0][way, music]["notes"]
        )
        for way, music in tried[0]
        for what, unit in UNITS.items()
    }
    print(table(numbers))
    write_json(ROOT / "results" / "bench-restoration.json", record(folder, corpus, runs, numbers))


def trial(run: Run, held_out: list) -> dict:
    """Means over whole pieces with the machine of one seed, and without a machine."""
    seed, way = run.config.seed, partial(conditional, load_weights(run.weights())[0])
    pieces = [legal(piece) for piece in held_out]
    ways = {MENDED: lambda states: mend(states, way), NO_MACHINE: baseline}
    return {
        (name, music): means(restore, pieces, music, OTHER_DRAWS + seed)
        for name, restore in ways.items()
        for music in (*WRONG, "clean")
    }


def table(numbers: dict) -> str:
    """A row a way, a column a kind of corrupting: gain of F1 of strikes, and density."""
    kinds = (*WRONG, "clean")
    rows = [
        [way, *(shown(numbers[f"{way}, {k}, {what}"], 3) for k in kinds), what]
        for way in (MENDED, NO_MACHINE)
        for what in UNITS
    ]
    return markdown(["way", *kinds, "what"], rows)


def record(folder: str, corpus: Corpus, runs: list[Run], numbers: dict) -> dict:
    """The numbers and what they rest on."""
    return {
        "corpus": {"folder": Path(folder).name, "checksum": corpus.checksum},
        "held_out_pieces": len(corpus.held_out),
        "seeds": len(runs),
        "iterations": ITERATIONS,
        "device": runs[0].record["device"],
        "seconds": [run.record["seconds"] for run in runs],
        "numbers": numbers,
    }


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "")
    except InputError as error:
        sys.exit(f"restoration: {error}")
