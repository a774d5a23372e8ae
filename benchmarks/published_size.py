"""Both forms of the biaxial RNN at published size beside the authors' logs: `make bench-published`.

Runs lie in runs/ and go on where they were. Where an iteration takes over four seconds nothing is
trained, since it would take days: use a GPU or a processor with AVX-512 (`--precision bf16`).
"""

import argparse
from dataclasses import replace

import pandas as pd
from jobs import our_iteration, random_music
from timing import parser, run, seconds, write

from musiclib.corpus.assemble import read_corpus
from musiclib.models import PUBLISHED_FORM, BiaxialConfig, build, computed_in
from musiclib.models.without_learning import CONSTANT, REPEAT
from musiclib.music.note_states import NOTES
from musiclib.training.runs import Run, RunConfig
from musiclib.training.train import train_runs

BEARABLE = 4.0  # seconds per iteration
SIZE = BiaxialConfig(level_iterations=1, checkpoints=(), cooling=0.0)
TINY = replace(SIZE, time_sizes=(4,), note_sizes=(3,), batch=2, segment=32)
FORMS = {"default": {}, "published": PUBLISHED_FORM}


def main() -> None:
    """Train, print what came of each run, and write results/bench-published-size.json."""
    options = parser("published-size", __doc__, seeds=2)
    options.add_argument("--default-iterations", type=int, default=400)
    options.add_argument("--published-iterations", type=int, default=1500)
    options.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    options = options.parse_args()
    size = TINY if options.tiny else SIZE
    music = random_music(size.batch, size.segment, NOTES, 2)
    iteration = our_iteration(build(size), music, options.precision)
    took = min(seconds(iteration) for _ in range(2))  # the first warms up
    if took > BEARABLE:
        raise SystemExit(f"an iteration takes {took:.1f} s here, over {BEARABLE:g}: not trained")
    configs = configs_of(size, options)
    corpus = read_corpus(options.corpus)
    trained = train_runs(list(configs.values()), corpus, options.runs)
    runs = dict(zip(configs, trained, strict=True))
    record = {
        "corpus": corpus.checksum,
        "seconds": round(took, 2),
        "curves": {name: run.held_out.to_numpy().tolist() for name, run in runs.items()},
        "training": {name: means(run.losses["loss"], 20) for name, run in runs.items()},
        "runs": {name: summary(run) for name, run in runs.items()},
    }
    print("\n".join(f"{name} {found}" for name, found in record["runs"].items()))
    write(options, record)


def configs_of(size: BiaxialConfig, options: argparse.Namespace) -> dict[str, RunConfig]:
    """The runs by name."""
    configs = {}
    for form, changes in FORMS.items():
        model = replace(size, **changes, iterations=getattr(options, f"{form}_iterations"))
        precision = computed_in(model, options.precision)
        for seed in range(options.seeds):
            config = RunConfig(model, seed=seed, precision=precision, held_out_every=20)
            configs[f"{form}, seed {seed}"] = config
    return configs


def means(losses: pd.Series, count: int) -> list[list[float]]:
    """The last iteration and the mean training loss, dropout on, of every `count` iterations."""
    found = losses.groupby((losses.index // count + 1) * count).mean()
    return [[int(at), round(float(loss), 1)] for at, loss in found.items()]


def summary(run: Run) -> dict:
    """When held-out losses were first below what needs no learning, and the last one."""
    without, curve, first = run.record["without_learning"], run.held_out, {}
    for name in (CONSTANT, REPEAT):
        below = curve[curve["loss"] < without[name]]["iteration"]
        first[f"below {name} at"] = int(below.min()) if len(below) else None
    return {
        **first,
        "last held-out loss": float(curve["loss"].iloc[-1]),
        "learned": run.verdict.learned,
        **{name: run.record[name] for name in ("precision", "device", "threads")},
        "without learning": without,
    }


if __name__ == "__main__":
    run(main)
