"""Our ISL against statsmodels in one run, and at a size that statsmodels could not reach.

Real bars of music21's scores. statsmodels is timed a held-out bar at a time, interleaved
with ours; its time in all is that median times the number of held-out bars.
"""

import statistics
from typing import NamedTuple

import numpy as np
import psutil
from statsmodels.nonparametric.kernel_density import KDEMultivariate
from timing import machine, parser, printed, process_peak, run, seconds, write

from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.sets import states_of
from musiclib.metrics.isl import isl, log_densities
from musiclib.music.bars import CELLS, piece_bars


class Sizes(NamedTuple):
    """What is measured."""

    scores: int = 100  # per group of music21's
    generated: int = 2_000
    held_out: int = 250
    rounds: int = 8
    cells: int = CELLS
    large: tuple[int, int] = (50_000, 10_000)


TINY = Sizes(6, 200, 20, 3, CELLS // 8, (300, 100))  # statsmodels wants more rows than cells


def main() -> None:
    """Print the table and write results/bench-isl.json."""
    options = parser("isl", __doc__).parse_args()
    sizes = TINY if options.tiny else Sizes()
    bars = real_bars(sizes)
    record = machine() | against_statsmodels(bars, sizes) | large(bars, sizes)
    print(printed(record))
    write(options, record)


def real_bars(sizes: Sizes) -> np.ndarray:
    """Bars of the default corpus in random order."""
    sets = read_corpus(None, sizes.scores).sets
    table = piece_bars([states for pieces in sets.values() for states in states_of(pieces)])
    return np.random.default_rng(0).permutation(table)[:, : sizes.cells]


def against_statsmodels(bars: np.ndarray, sizes: Sizes) -> dict[str, float | str]:
    """Seconds of both, interleaved, and how far their values are apart."""
    generated, held_out = bars[: sizes.generated], bars[sizes.generated :][: sizes.held_out]
    values, ours, others = [], [], []
    with np.errstate(divide="ignore", invalid="ignore"):
        twice = np.vstack([generated, generated])
        theirs = KDEMultivariate(twice, var_type="u" * sizes.cells, rng=0)
        for bar in held_out[: sizes.rounds]:
            ours.append(seconds(lambda: isl(generated, held_out)))
            others.append(seconds(lambda bar=bar: values.append(np.log(theirs.pdf(bar)))))
    mine = log_densities(generated, held_out[: sizes.rounds])
    assert (np.isnan(mine) == np.isnan(values)).all()
    a_bar, in_all = statistics.median(others), statistics.median(ours)
    return {
        "generated x held-out bars": f"{len(generated)} x {len(held_out)}",
        "statsmodels, seconds per held-out bar": a_bar,
        "statsmodels, seconds in all": a_bar * len(held_out),
        "ours, seconds in all": in_all,
        "ours, slowest round": max(ours),
        "times faster": a_bar * len(held_out) / in_all,
        "largest relative difference": float(np.nanmax(np.abs(mine / values - 1))),
    }


def large(bars: np.ndarray, sizes: Sizes) -> dict[str, float | str]:
    """Seconds and memory at a large size, real bars repeated."""
    generated, held_out = (np.resize(bars, (count, sizes.cells)) for count in sizes.large)
    before = psutil.Process().memory_info().rss / 1e9
    took = seconds(lambda: isl(generated, held_out))
    return {
        "large: generated x held-out bars": f"{len(generated)} x {len(held_out)}",
        "large: seconds": took,
        "large: GB above the data": process_peak() - before,
    }


if __name__ == "__main__":
    run(main)
