"""The RBM at its published size, in one run: an epoch, a reconstruction, a piece mended.

Real music of music21's scores, machines as they are before training, which cost the same. An epoch
is the median batch times their number; pieces are the median of three, the 25 of one.
"""

import resource
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import psutil
import torch

from musiclib.base.device import device
from musiclib.base.files import ROOT, write_json
from musiclib.base.parallel import cores
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.batches import Segments
from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import states_of
from musiclib.mending.mend import mend
from musiclib.mending.ways import conditional
from musiclib.mending.windowed import reconstruct
from musiclib.models import ConditionalRBMConfig, RBMConfig, build
from musiclib.paper.results import markdown

WINDOWS, STEPS, PIECES = 20_000, 1280, 25
BATCHES = 20
SCORES_PER_GROUP = 100


def main() -> None:
    """Print the table and write results/bench-rbm.json."""
    pieces = states_of(prepare(read_corpus(None, SCORES_PER_GROUP), normalise=True).main)
    piece = np.concatenate(pieces)[:STEPS]
    record = {
        "machine": f"{cores()} cores, {torch.get_num_threads()} threads",
        "device": str(device()),
        **training(pieces),
        **reconstruction(piece),
        "seconds to mend a piece of 1,280 steps": mending(piece),
        "peak memory, GB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "memory of the machine, GB": round(psutil.virtual_memory().total / 1e9, 1),
    }
    print(markdown(["what", "value"], [[name, value] for name, value in record.items()]))
    write_json(ROOT / "results" / "bench-rbm.json", record)


def training(pieces: list[np.ndarray]) -> dict[str, float]:
    """Seconds of an epoch of 20,000 windows, 2,496 visible and 1,500 hidden units, CD-1."""
    model = build(RBMConfig()).to(device())
    optimizer, generator = model.optimizer(), torch.Generator().manual_seed(0)
    batches = Segments(pieces, model.config.batch, model.config.window, hop=1)

    def batch() -> None:
        windows, _ = batches.draw(0, generator)
        loss, _ = model.loss(windows.to(device()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        wait()

    an_epoch = WINDOWS / model.config.batch
    times = [seconds(batch) for _ in range(BATCHES)]
    return {
        "windows": WINDOWS,
        "seconds per epoch": round(statistics.median(times) * an_epoch, 1),
        "seconds per epoch, slowest batch": round(max(times[1:]) * an_epoch, 1),
    }


def reconstruction(piece: np.ndarray) -> dict[str, float]:
    """Seconds of both published outputs of one piece, and of 25 at once."""
    machine = build(RBMConfig()).to(device())
    one, many = piece[None], np.repeat(piece[None], PIECES, axis=0)
    return {
        "seconds to reconstruct a piece of 1,280 steps": median(
            lambda: reconstruct(machine, one, [0])
        ),
        f"seconds to reconstruct {PIECES} of them": median(
            lambda: reconstruct(machine, many, range(PIECES)), rounds=1
        ),
    }


def mending(piece: np.ndarray) -> float:
    """Seconds to mend one piece by the conditional RBM."""
    machine = build(ConditionalRBMConfig()).to(device())
    return median(lambda: mend(piece, partial(conditional, machine)))


def median(call: Callable[[], object], rounds: int = 3) -> float:
    """Median seconds of some calls."""
    return round(statistics.median(seconds(call) for _ in range(rounds)), 2)


def seconds(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def wait() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
