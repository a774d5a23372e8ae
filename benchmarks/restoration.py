"""What the conditional RBM mends of whole held-out pieces in their own keys, three seeds.

Trains on a corpus of one's own, such as a folder of piano music, unless it was trained before:
`make bench-restoration CORPUS=folder`. The corrupted pieces are others than in notebook 10.
"""

from functools import partial
from pathlib import Path

from timing import parser, run, write

from musiclib.base.parallel import side_by_side
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.sets import states_of
from musiclib.mending.mend import baseline, mend
from musiclib.mending.ways import conditional
from musiclib.models import ConditionalRBMConfig
from musiclib.models.checkpoints import load_weights
from musiclib.music.corrupted import WRONG
from musiclib.music.transforms import legal
from musiclib.paper.restoration import NO_MACHINE, UNITS, means
from musiclib.paper.results import markdown, number, shown
from musiclib.training.runs import Run, RunConfig
from musiclib.training.train import train_runs

MODEL = ConditionalRBMConfig(iterations=1500)
TINY = ConditionalRBMConfig(2, (2, 4), segment=64, iterations=3)
OTHER_DRAWS = 100
MENDED = "conditional RBM"


def main() -> None:
    """Print the table and write results/bench-restoration.json."""
    options = parser("restoration", __doc__, seeds=3).parse_args()
    model = TINY if options.tiny else MODEL
    corpus = read_corpus(options.corpus)
    configs = [RunConfig(model, seed=s, held_out_every=500) for s in range(options.seeds)]
    runs = train_runs(configs, corpus, options.runs)
    tried = side_by_side(trial, [(run, states_of(corpus.held_out)) for run in runs], "mending")
    numbers = summed_up(tried)
    print(markdown(["what", "value"], [(name, shown(n, 3)) for name, n in numbers.items()]))
    record = {
        "corpus": {"folder": Path(options.corpus or "").name, "checksum": corpus.checksum},
        "held_out_pieces": len(corpus.held_out),
        "seeds": len(runs),
        "iterations": model.iterations,
        "device": runs[0].record["device"],
        "seconds": [run.record["seconds"] for run in runs],
        "numbers": numbers,
    }
    write(options, record)


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


def summed_up(tried: list[dict]) -> dict[str, dict]:
    """A number of all seeds for each way, kind of music and metric."""
    return {
        f"{way}, {music}, {what}": number(
            [seed[way, music][what] for seed in tried], unit, n=some["notes"]
        )
        for (way, music), some in tried[0].items()
        for what, unit in UNITS.items()
    }


if __name__ == "__main__":
    run(main)
