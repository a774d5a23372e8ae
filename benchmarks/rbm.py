"""The RBM at its published size, in one run: an epoch, a reconstruction, a piece mended.

Machines are as they are before training, which cost the same. An epoch is the median iteration on
random music times their number; pieces are of music21's scores, the median of three.
"""

from functools import partial
from statistics import median
from typing import NamedTuple

import numpy as np
import psutil
from jobs import our_iteration, random_music
from timing import machine, parser, printed, process_peak, run, seconds, write

from musiclib.base.device import device
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import states_of
from musiclib.mending.mend import mend
from musiclib.mending.ways import conditional
from musiclib.mending.windowed import reconstruct
from musiclib.models import ConditionalRBMConfig, RBMConfig, build
from musiclib.music.note_states import NOTES


class Sizes(NamedTuple):
    """What is measured."""

    rbm: RBMConfig
    mending: ConditionalRBMConfig
    scores: int = 100  # per group of music21's
    windows: int = 20_000  # of an epoch
    batches: int = 20
    steps: int = 1280  # of a piece
    pieces: int = 25


PUBLISHED = Sizes(RBMConfig(), ConditionalRBMConfig())
TINY = Sizes(RBMConfig(9, batch=4), ConditionalRBMConfig(2, (2, 4)), 6, 40, 3, 64, 2)


def main() -> None:
    """Print the table and write results/bench-rbm.json."""
    options = parser("rbm", __doc__).parse_args()
    sizes = TINY if options.tiny else PUBLISHED
    pieces = states_of(prepare(read_corpus(None, sizes.scores), normalise=True).main)
    record = {
        **machine(),
        **training(sizes),
        **one_piece(np.concatenate(pieces)[: sizes.steps], sizes),
        "peak memory, GB": process_peak(),
        "memory of the machine, GB": psutil.virtual_memory().total / 1e9,
    }
    print(printed(record))
    write(options, record)


def training(sizes: Sizes) -> dict[str, float]:
    """Seconds of an epoch: 2,496 visible and 1,500 hidden units as published, CD-1."""
    config = sizes.rbm
    windows = random_music(config.batch, config.window, NOTES, 2)
    iteration = our_iteration(build(config), windows, "fp32")
    times = [seconds(iteration) * sizes.windows / config.batch for _ in range(sizes.batches)]
    return {
        "windows": sizes.windows,
        "seconds per epoch": median(times),
        "seconds per epoch, slowest batch": max(times[1:]),
    }


def one_piece(piece: np.ndarray, sizes: Sizes) -> dict[str, float]:
    """Seconds of both published outputs of one piece and of many, and of mending it."""
    rbm, mender = build(sizes.rbm).to(device()), build(sizes.mending).to(device())
    many, seeds = np.stack([piece] * sizes.pieces), range(sizes.pieces)
    a_piece = f"a piece of {len(piece):,} steps"
    calls = {
        f"seconds to reconstruct {a_piece}": lambda: reconstruct(rbm, many[:1], [0]),
        f"seconds to reconstruct {sizes.pieces} of them": lambda: reconstruct(rbm, many, seeds),
        f"seconds to mend {a_piece}": lambda: mend(piece, partial(conditional, mender)),
    }
    return {what: median(seconds(call) for _ in range(3)) for what, call in calls.items()}


if __name__ == "__main__":
    run(main)
