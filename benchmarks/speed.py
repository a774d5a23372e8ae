"""Training and composing at published sizes beside their rivals, which take turns: `make bench`.

Rivals are the plain port, and Keras's where KERAS names a Python that has it. A floor is the time
that the multiplications of a row take at the rate this machine reaches in a large matrix product.
"""

import argparse
import os
import platform
import sys
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.nn.functional as F
from jobs import random_music, wait
from rivals import Rival, Taken, in_turns, turns

from musiclib.base.device import device
from musiclib.base.files import ROOT, write_json
from musiclib.base.parallel import cores
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.batches import Segments
from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import states_of
from musiclib.models.features import FEATURES, features
from musiclib.music.note_states import NOTES, read_note_states, write_note_states
from musiclib.music.piano_roll import KEYS, read_piano_roll
from musiclib.paper.results import markdown
from musiclib.training.precision import computes_bf16, products_in

FOLDER = Path(__file__).parent
OURS = [sys.executable, str(FOLDER / "jobs.py")]
PUBLISHED = "musiclib, published form"
FACTOR = 16
SIDE_BY_SIDE = 4

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Sizes:
    """What is measured; by default the published sizes."""

    time: tuple[int, ...] = (300, 300)
    notes: tuple[int, ...] = (100, 50)
    batch: int = 10
    steps: int = 128
    hidden: int = 512
    window: int = 32
    pieces: tuple[tuple[int, int], ...] = ((1, 300), (25, 60), (100, 20))  # and steps of each
    grown: tuple[int, int] = (2, 32)  # sequences and steps that growth starts from
    files: int = 4
    warm: int = 3
    rounds: int = 6

    @property
    def network(self) -> dict[str, tuple[int, ...]]:
        """The biaxial network's sizes."""
        return {"time": self.time, "notes": self.notes}


TINY = Sizes((6, 5), (4, 3), 2, 32, 8, 12, ((1, 4), (2, 4)), (1, 16), 1, 1, 2)


def main() -> None:
    """Print the tables and write results/bench-speed.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="show that it runs, in half a minute")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench-speed.json")
    options = parser.parse_args()
    sizes = TINY if options.tiny else Sizes()
    record = {
        "machine": f"{processor()}, {cores()} cores",
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "torch": torch.__version__,
        "sizes": asdict(sizes),
        "GFLOP/s of large products": (rates := gemm_rates()),
    }
    if "bf16" not in rates:
        record["left out"] = "bf16: this processor does not compute LSTMs in it"
    print("\n".join(f"{name}: {value}" for name, value in record.items()), flush=True)
    for measure in (training, composing, preparing, growth, side_by_side):
        record[measure.__name__] = rows = measure(sizes, rates)
        if rows:
            print(f"\n{measure.__doc__}\n\n{markdown(list(rows[0]), [r.values() for r in rows])}")
    write_json(options.out, record)


def precisions() -> list[str]:
    """What this machine trains LSTMs in: bf16 only where it can, tf32 on a GPU."""
    more = {"bf16": computes_bf16(), "tf32": torch.cuda.is_available()}
    return ["fp32", *(name for name, here in more.items() if here)]


def gemm_rates() -> dict[str, int]:
    """GFLOP/s of the fastest large product, by precision.

    As a linear layer or as a convolution of single cells: they go to different libraries.
    """
    rows, inner, columns = (8192,) * 3 if torch.cuda.is_available() else (4096, 1024, 1024)
    rates = {}
    for name in precisions():
        dtype = torch.bfloat16 if name == "bf16" else torch.float32
        x = torch.randn(rows, inner, device=device()).to(dtype)
        w = torch.randn(columns, inner, device=device()).to(dtype)
        cells = x.view(1, rows, 1, inner).permute(0, 3, 1, 2)  # laid out channels last
        kernel = w.view(columns, 1, 1, inner).permute(0, 3, 1, 2)
        calls = {
            "linear": partial(F.linear, x, w),
            "convolution": partial(F.conv2d, cells, kernel),
        }
        with products_in(name):
            best = min(min(taken.seconds) for taken in turns(calls, wait, 5, 30).values())
        rates[name] = round(2 * rows * inner * columns / best / 1e9)
    return rates


def training(sizes: Sizes, rates: dict[str, int]) -> Rows:
    """Training: an iteration of either network."""
    biaxial = {"batch": sizes.batch, "steps": sizes.steps, **sizes.network}
    baseline = {"hidden": sizes.hidden, "batch": 32, "window": sizes.window}
    ports = ("plain", "musiclib", PUBLISHED)
    flops = 3 * biaxial_flops(sizes) - 2 * NOTES * 4 * FEATURES * sizes.time[0]
    flops *= sizes.batch * (sizes.steps - 1)  # no gradient goes to the features
    table = iterations("biaxial", biaxial, ports, flops, rates, sizes)
    ports = ("plain", "plain, same memory", "musiclib")
    flops = (3 * lstm_flops(sizes.hidden) - 2 * 4 * KEYS * sizes.hidden) * 32 * sizes.window
    return table + iterations("lstm", baseline, ports, flops, rates, sizes, times=10)


def iterations(
    network: str,
    arguments: dict[str, Any],
    ports: tuple[str, ...],
    flops: int,
    rates: dict[str, int],
    sizes: Sizes,
    times: int = 1,
) -> Rows:
    """Rows of one network: each port in each precision, and Keras where it is."""
    rivals = {
        (port, precision): Rival(OURS, network, rival=port, precision=precision, **arguments)
        for port in ports
        for precision in rates
        if port != PUBLISHED or precision == "fp32"  # its cell computes in nothing else
    }
    if python := keras():
        command = [python, str(FOLDER / "keras_port.py")]
        rivals["keras", "fp32"] = Rival(command, network, **arguments)
    taken = in_turns(rivals, sizes.warm, sizes.rounds, times)
    plain = taken["plain", "fp32"].median
    return [
        {
            "network": network,
            "by": port,
            "precision": precision,
            "ms an iteration": round(t.median * 1e3, 1),
            "middle half": t.spread(1e3, 1),
            "times as fast as plain": round(plain / t.median, 2),
            "GFLOP": round(flops / 1e9, 1),
            "times its floor": round(t.median * rates[precision] * 1e9 / flops, 2),
            "peak memory, GB": round(t.peak, 2),
        }
        for (port, precision), t in taken.items()
    ]


def composing(sizes: Sizes, rates: dict[str, int]) -> Rows:
    """Composing with the biaxial network, fp32; `readable` steps through the model as written."""
    table = []
    for pieces, steps in sizes.pieces:
        names = ("plain", "readable", "musiclib")
        arguments = {"pieces": pieces, "steps": steps, **sizes.network}
        rivals = {name: Rival(OURS, "composing", rival=name, **arguments) for name in names}
        taken = in_turns(rivals, 1, sizes.rounds)
        flops = biaxial_flops(sizes) * pieces * steps
        table += [
            {
                "pieces": pieces,
                "by": name,
                "piece-steps per second": round(pieces * steps / t.median),
                "ms a step, middle half": t.spread(1e3 / steps, 2),
                "times as fast as plain": round(taken["plain"].median / t.median, 2),
                "times its floor": round(t.median * rates["fp32"] * 1e9 / flops, 2),
                "peak memory, GB": round(t.peak, 2),
            }
            for name, t in taken.items()
        ]
    return table


def preparing(sizes: Sizes, rates: dict[str, int]) -> Rows:
    """What goes before: features of a training batch, drawing one, reading MIDI files."""
    states = random_music(sizes.batch, sizes.steps, NOTES, 2).to(device())
    pieces = real_music()
    batches = Segments(pieces, sizes.batch, sizes.steps)
    with TemporaryDirectory() as folder:
        files = midi_files(pieces, Path(folder), sizes.files)
        calls = {
            "features of a batch": lambda: features(states),
            "drawing a batch": lambda: batches.draw(0, torch.Generator().manual_seed(0)),
            f"reading {len(files)} MIDI files, both encodings": lambda: read(files),
        }
        taken = turns(calls, wait, sizes.warm, 3 * sizes.rounds)
    return [
        {"what": name, "ms": round(t.median * 1e3, 2), "middle half": t.spread(1e3, 2)}
        for name, t in taken.items()
    ]


def growth(sizes: Sizes, rates: dict[str, int]) -> Rows:
    """How cost grows with size: 1 is in proportion, less is cheaper."""
    sequences, steps = sizes.grown
    trained = {"rival": "musiclib", "precision": "fp32", "batch": sequences, "steps": steps}
    composed = {"rival": "musiclib", "pieces": 4, "steps": steps}
    many = {**composed, "pieces": max(p for p, _ in sizes.pieces[:2]), "steps": steps // 4}
    cases = {
        "training, sequences": ("biaxial", trained, "batch"),
        "training, steps": ("biaxial", trained, "steps"),
        "composing, steps": ("composing", composed, "steps"),
        "composing, pieces from one": ("composing", {**composed, "pieces": 1}, "pieces"),
        "composing, pieces": ("composing", many, "pieces"),
    }
    table = []
    for what, (job, arguments, key) in cases.items():
        rivals = {
            size: Rival(OURS, job, **{**arguments, key: size}, **sizes.network)
            for size in (arguments[key], FACTOR * arguments[key])
        }
        table.append(grown(what, in_turns(rivals, 2, sizes.rounds)))
    return [*table, *corpus_growth(sizes)]


def corpus_growth(sizes: Sizes) -> Rows:
    """The same for the number of files and pieces."""
    pieces = real_music()
    few = pieces[:2]
    with TemporaryDirectory() as folder:
        files = midi_files(pieces, Path(folder), FACTOR * sizes.files)
        reads = {n: lambda n=n: read(files[:n]) for n in (sizes.files, len(files))}
        corpora = {
            n: Segments(few * n, sizes.batch, min(sizes.steps, *map(len, few))) for n in (1, FACTOR)
        }
        draws = {
            len(few) * n: lambda b=b: b.draw(0, torch.Generator().manual_seed(0))
            for n, b in corpora.items()
        }
        return [
            grown("reading MIDI, files", turns(reads, wait, 1, sizes.rounds)),
            grown("drawing a batch, pieces of the corpus", turns(draws, wait, 9, 9 * sizes.rounds)),
        ]


def grown(what: str, taken: dict[int, Taken]) -> dict[str, Any]:
    """A row of growth from what two sizes took."""
    (small, first), (large, last) = taken.items()
    return {
        "what": what,
        "from": small,
        "to": large,
        "ms at first": round(first.median * 1e3, 2),
        "ms at last": round(last.median * 1e3, 2),
        "cost, times proportion": round(last.median / first.median / (large / small), 2),
    }


def side_by_side(sizes: Sizes, rates: dict[str, int]) -> Rows:
    """Training runs side by side on one GPU."""
    if not torch.cuda.is_available():
        return []
    arguments = {"batch": sizes.batch, "steps": sizes.steps, **sizes.network}
    runs = [
        Rival(OURS, "biaxial", rival="musiclib", precision="bf16", **arguments)
        for _ in range(SIDE_BY_SIDE)
    ]
    for run in runs:
        run.run()
    alone = [runs[0].run(50)["seconds"] for _ in range(sizes.rounds)]
    together = []
    for _ in range(sizes.rounds):
        for run in runs:
            run.send(run=50)
        together.append(max(run.receive()["seconds"] for run in runs) / 50)
    for run in runs:
        run.close()
    first, last = Taken(alone, 0), Taken(together, 0)
    return [
        {
            "runs": SIDE_BY_SIDE,
            "ms an iteration, alone": round(first.median * 1e3, 2),
            "ms an iteration, together": round(last.median * 1e3, 2),
            "throughput, times that of one": round(SIDE_BY_SIDE * first.median / last.median, 2),
        }
    ]


def biaxial_flops(sizes: Sizes) -> int:
    """Of one step of one piece, forward; training takes three times that."""
    time = lstm_products([FEATURES, *sizes.time])
    notes = lstm_products([sizes.time[-1] + 2, *sizes.notes]) + 2 * sizes.notes[-1]
    return 2 * NOTES * (time + notes)


def lstm_flops(hidden: int) -> int:
    """Of one step of the baseline, forward; the dense layer is needed at the last alone."""
    return 2 * lstm_products([KEYS, hidden, hidden])


def lstm_products(widths: list[int]) -> int:
    """Multiplications in one step of a stack of LSTMs."""
    return sum(4 * (i + o) * o for i, o in pairwise(widths))


def processor() -> str:
    """The processor's name, where the system tells it, and its fastest instructions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{(names or [platform.machine()])[0]}, {torch.backends.cpu.get_cpu_capability()}"


def keras() -> str | None:
    """The Python to run the Keras port with, if there is one; it is a rival on processors alone."""
    if torch.cuda.is_available():
        return None
    return os.environ.get("KERAS") or (sys.executable if find_spec("keras") else None)


def real_music() -> list[Any]:
    """Note states of some of music21's scores, the longest first."""
    return sorted(states_of(prepare(read_corpus(None, 6), normalise=True).main), key=len)[::-1]


def midi_files(pieces: list[Any], folder: Path, count: int) -> list[Path]:
    """The first 128 steps of a piece, as so many files."""
    files = [folder / f"{index}.mid" for index in range(count)]
    for file in files:
        write_note_states(pieces[0][:128], file)
    return files


def read(files: list[Path]) -> None:
    """Both encodings of MIDI files."""
    for file in files:
        read_note_states(file)
        read_piano_roll(file)


if __name__ == "__main__":
    main()
