"""Our ISL against statsmodels in one run, and at a size that statsmodels could not reach.

Real bars of music21's scores. statsmodels is timed a held-out bar at a time, interleaved
with ours; its time in all is that median times the number of held-out bars.
"""

import resource
import statistics
import time

import numpy as np
import psutil
import torch
from statsmodels.nonparametric.kernel_density import KDEMultivariate

from musiclib.base.files import ROOT, write_json
from musiclib.base.parallel import cores
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.sets import states_of
from musiclib.metrics.isl import isl, log_densities
from musiclib.music.bars import piece_bars
from musiclib.paper.results import markdown

GENERATED, HELD_OUT = 2_000, 250
LARGE = 50_000, 10_000
ROUNDS = 8
SCORES_PER_GROUP = 100


def main() -> None:
    """Print the table and write results/bench-isl.json."""
    bars = real_bars()
    generated, held_out = bars[:GENERATED], bars[GENERATED:][:HELD_OUT]
    record = {
        "machine": f"{cores()} cores, {torch.get_num_threads()} threads",
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        **against_statsmodels(generated, held_out),
        **large(bars),
    }
    print(markdown(["what", "value"], [[name, shown(value)] for name, value in record.items()]))
    write_json(ROOT / "results" / "bench-isl.json", record)


def real_bars() -> np.ndarray:
    """Bars of the default corpus in random order."""
    sets = read_corpus(None, SCORES_PER_GROUP).sets
    table = piece_bars([states for pieces in sets.values() for states in states_of(pieces)])
    return np.random.default_rng(0).permutation(table)


def against_statsmodels(generated: np.ndarray, held_out: np.ndarray) -> dict[str, float | str]:
    """Seconds of both, interleaved, and how far their values are apart."""
    with np.errstate(divide="ignore", invalid="ignore"):
        twice = np.vstack([generated, generated])
        theirs = KDEMultivariate(twice, var_type="u" * generated.shape[1], rng=0)
        ours, others, apart = [], [], []
        for bar in held_out[:ROUNDS]:
            ours.append(seconds(lambda: isl(generated, held_out)))
            began = time.perf_counter()
            value = np.log(theirs.pdf(bar))
            others.append(time.perf_counter() - began)
            mine = log_densities(generated, bar[None])[0]
            assert np.isnan(mine) == np.isnan(value)
            apart.append(abs(mine / value - 1))
    in_all = statistics.median(others) * len(held_out)
    return {
        "generated x held-out bars": f"{len(generated)} x {len(held_out)}",
        "statsmodels, seconds per held-out bar": statistics.median(others),
        "statsmodels, seconds in all": in_all,
        "ours, seconds in all": statistics.median(ours),
        "ours, slowest round": max(ours),
        "times faster": in_all / statistics.median(ours),
        "largest relative difference": float(np.nanmax(apart)),
    }


def large(bars: np.ndarray) -> dict[str, float | str]:
    """Seconds and memory at 50,000 x 10,000: real bars repeated, a few cells of each moved."""
    generated, held_out = (varied(bars, count, seed) for seed, count in enumerate(LARGE))
    before = psutil.Process().memory_info().rss / 1e9
    took = seconds(lambda: isl(generated, held_out))
    return {
        "large: generated x held-out bars": f"{LARGE[0]} x {LARGE[1]}",
        "large: seconds": took,
        "large: GB above the data": peak_gigabytes() - before,
    }


def varied(bars: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` bars, each with its cells moved by a few places."""
    table = np.resize(bars, (count, bars.shape[1]))
    by = np.random.default_rng(seed).integers(8, size=count)
    for places in range(8):
        table[by == places] = np.roll(table[by == places], 2 * places, axis=1)
    return table


def seconds(call) -> float:  # noqa: ANN001
    """Wall time of a call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def peak_gigabytes() -> float:
    """The largest memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def shown(value: float | str) -> str:
    """Four digits, or the text."""
    return value if isinstance(value, str) else f"{value:.4g}"


if __name__ == "__main__":
    main()
