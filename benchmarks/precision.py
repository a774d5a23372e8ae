"""Whether bfloat16 trains as well as float32: held-out loss of both, three seeds, music21's scores.

Held-out loss is computed in float32 for both. Intervals are Student's, 95 %: of the mean of seeds,
and of the difference between runs of the same seed, which see the same batches.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from musiclib.base.files import ROOT, write_json
from musiclib.corpus.assemble import read_corpus
from musiclib.models import BiaxialConfig, LSTMConfig
from musiclib.paper.results import markdown
from musiclib.training.precision import computes_bf16
from musiclib.training.runs import Run, RunConfig
from musiclib.training.train import train_runs

SEEDS = 3
SCORES_PER_GROUP = 100
MODELS = {
    "LSTM, published size": LSTMConfig(checkpoints=(), iterations=600),
    "biaxial, half the published sizes": BiaxialConfig(
        time_sizes=(150, 150), note_sizes=(50, 25), segment=64, checkpoints=(), iterations=400
    ),
}
PRECISIONS = ("fp32", "bf16")


def main() -> None:
    """Print the table and write results/bench-precision.json, where there is bfloat16."""
    if not computes_bf16():
        print("This processor does not compute LSTMs in bf16: there is nothing to compare.")
        return
    corpus = read_corpus(None, SCORES_PER_GROUP)
    record = {"corpus": corpus.checksum, "seeds": SEEDS, "models": {}}
    for name, model in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            configs = [
                RunConfig(model, seed=seed, precision=precision, held_out_every=50)
                for seed in range(SEEDS)
                for precision in PRECISIONS
            ]
            runs = train_runs(configs, corpus, Path(folder))
            record["models"][name] = compared(model.iterations, runs)
    print(table(record["models"]))
    write_json(ROOT / "results" / "bench-precision.json", record)


def compared(iterations: int, runs: list[Run]) -> dict:
    """Held-out losses at the end and on the way, by precision, and whether intervals overlap."""
    result = {"iterations": iterations}
    for precision in PRECISIONS:
        curves = [run.held_out for run in runs if run.config.precision == precision]
        last = [float(curve["loss"].iloc[-1]) for curve in curves]
        result[precision] = {
            "held-out loss": last,
            "interval": interval(last),
            "curve": mean_curve(curves),
        }
    fp32, bf16 = (np.array(result[precision]["held-out loss"]) for precision in PRECISIONS)
    (a, b), (c, d) = (result[precision]["interval"] for precision in PRECISIONS)
    return {
        **result,
        "intervals overlap": bool(a <= d and c <= b),
        "bf16 above fp32, %": interval(100 * (bf16 - fp32) / fp32.mean()),
    }


def interval(values: Sequence[float]) -> list[float]:
    """95 % interval of the mean."""
    half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return [float(np.mean(values) - half), float(np.mean(values) + half)]


def mean_curve(curves: list[pd.DataFrame]) -> dict[str, float]:
    """Mean held-out loss over seeds by iteration."""
    return {
        str(k): float(v) for k, v in pd.concat(curves).groupby("iteration")["loss"].mean().items()
    }


def table(models: dict[str, dict]) -> str:
    """A row a model and precision."""
    rows = []
    for name, result in models.items():
        for precision in PRECISIONS:
            low, high = result[precision]["interval"]
            losses = ", ".join(f"{loss:.5g}" for loss in result[precision]["held-out loss"])
            rows.append([name, result["iterations"], precision, losses, f"{low:.5g} to {high:.5g}"])
        rows[-2].append("")
        rows[-1].append("{:+.1f} to {:+.1f}".format(*result["bf16 above fp32, %"]))
    losses = ["held-out loss, a seed each", "95 % interval", "above fp32, %, same seed"]
    header = ["model", "iterations", "precision", *losses]
    return markdown(header, rows)


if __name__ == "__main__":
    main()
