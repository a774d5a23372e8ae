"""Both forms of the biaxial RNN at published size beside the authors' logs: `make bench-published`.

Runs lie in runs/ and go on where they were. Where an iteration takes over four seconds nothing is
trained, since it would take days: use a GPU or a processor with AVX-512 (`--precision bf16`).
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.files import ROOT, write_json
from musiclib.corpus.assemble import read_corpus
from musiclib.models import PUBLISHED_FORM, BiaxialConfig, build, computed_in
from musiclib.models.without_learning import CONSTANT, REPEAT
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, State, iterate
from musiclib.training.runs import RUNS, Run, RunConfig
from musiclib.training.train import train_runs

BEARABLE = 4.0  # seconds per iteration
SIZE = BiaxialConfig(level_iterations=1, checkpoints=())
FORMS = {
    "default": {},
    "published": {name: value for name, value in PUBLISHED_FORM.items() if name != "cooling"},
}


def main() -> None:
    """Train, print when each run passed each bar, and write results/bench-published-size.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", help="folder of MIDI files, or a saved corpus (.npz)")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--default-iterations", type=int, default=400)
    parser.add_argument("--published-iterations", type=int, default=1500)
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench-published-size.json")
    parser.add_argument("--tiny", action="store_true", help="show that it runs: a tiny network")
    options = parser.parse_args()
    size = replace(SIZE, time_sizes=(4,), note_sizes=(3,), batch=2, segment=32)
    size = size if options.tiny else SIZE
    iterations = {
        "default": options.default_iterations,
        "published": options.published_iterations,
    }
    seconds = _seconds(size, options.precision)
    if seconds > BEARABLE:
        raise SystemExit(f"an iteration takes {seconds:.1f} s here, over {BEARABLE:g}: not trained")
    models = {
        form: replace(size, iterations=iterations[form], **changes, cooling=0.0)
        for form, changes in FORMS.items()
    }
    configs = [
        RunConfig(
            model,
            seed=seed,
            precision=computed_in(model, options.precision),
            held_out_every=20,
        )
        for form, model in models.items()
        for seed in range(options.seeds)
    ]
    corpus = read_corpus(options.corpus)
    try:
        runs = train_runs(configs, corpus, options.runs)
    except InputError as error:
        raise SystemExit(str(error)) from error
    names = [f"{form}, seed {seed}" for form in FORMS for seed in range(options.seeds)]
    record = {
        "corpus": corpus.checksum,
        "seconds": round(seconds, 2),
        "curves": {},
        "training": {},
        "runs": {},
    }
    for name, run in zip(names, runs, strict=True):
        record["curves"][name] = run.held_out.to_numpy().tolist()
        record["training"][name] = _every(run.losses["loss"], 20)
        record["runs"][name] = summary(run)
        print(name, record["runs"][name])
    write_json(options.out, record)


def _every(losses: pd.Series, count: int) -> list[list[float]]:
    """The last iteration and the mean training loss, dropout on, of every `count` iterations."""
    means = losses.groupby((losses.index // count + 1) * count).mean()
    return [[int(at), round(float(loss), 1)] for at, loss in means.items()]


def _seconds(size: BiaxialConfig, precision: str) -> float:
    """One iteration of the default form, after one to warm up."""
    model = build(size).to(device())
    batch = torch.zeros(size.batch, size.segment, 78, 2, dtype=torch.uint8, device=device())
    plan = Plan([Stage("main", None, 9)], 0, precision=precision)
    optimizer, state, took = model.optimizer(), State(), 0.0
    for _ in range(2):
        began = time.perf_counter()
        iterate(model, optimizer, plan, state, batch, True)
        state.losses[-1].item()  # a GPU has then ended
        took = time.perf_counter() - began
    return took


def summary(run: Run) -> dict:
    """When held-out losses were first below what needs no learning, and the last one."""
    without = run.record["without_learning"]
    curve, first = run.held_out, {}
    for name in (CONSTANT, REPEAT):
        below = curve[curve["loss"] < without[name]]["iteration"]
        first[f"below {name} at"] = int(below.min()) if len(below) else None
    return {
        **first,
        "last held-out loss": float(curve["loss"].iloc[-1]),
        "learned": run.verdict.learned,
        "precision": run.record["precision"],
        "device": run.record["device"],
        "threads": run.record["threads"],
        "without learning": without,
    }


if __name__ == "__main__":
    main()
