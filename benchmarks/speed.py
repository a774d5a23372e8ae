"""Training and composing at published sizes beside a plain port, in turns: `make bench`.

A floor is the time that the multiplications of a row take at the rate this machine reaches in a
large matrix product.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise, product
from statistics import median
from typing import Any, NamedTuple

import jobs
import torch
import torch.nn.functional as F
from timing import Taken, in_turns, machine, parser, race, run, seconds, write

from musiclib.base.device import device
from musiclib.models.features import FEATURES
from musiclib.music.note_states import NOTES
from musiclib.music.piano_roll import KEYS
from musiclib.paper.results import markdown
from musiclib.training.precision import computes_bf16, products_in

LANES = 32  # the baseline's batch
FACTOR = 16  # of growth

PORTS = {  # and how many iterations are timed together
    "biaxial": (("plain", "musiclib", jobs.PUBLISHED), 1),
    "lstm": (("plain", "plain, same memory", "musiclib"), 10),
}

Rates = dict[str, int]
Rows = list[dict[str, Any]]


class Sizes(NamedTuple):
    """What is measured; by default the published sizes."""

    time: tuple[int, ...] = (300, 300)
    notes: tuple[int, ...] = (100, 50)
    batch: int = 10
    steps: int = 128
    hidden: int = 512
    window: int = 32
    pieces: tuple[tuple[int, int], ...] = ((1, 300), (25, 60), (100, 20))  # and steps of each
    grown: tuple[int, int] = (2, 32)  # sequences and steps that growth starts from
    warm: int = 3
    rounds: int = 6


TINY = Sizes((6, 5), (4, 3), 2, 32, 8, 12, ((1, 4), (2, 4)), (1, 16), 1, 2)


def main() -> None:
    """Print the tables and write results/bench-speed.json."""
    options = parser("speed", __doc__).parse_args()
    sizes = TINY if options.tiny else Sizes()
    rates = gemm_rates()
    record = {**machine(), "torch": torch.__version__, "sizes": sizes._asdict()}
    record["GFLOP/s of large products"] = rates
    if "bf16" not in rates:
        record["left out"] = "bf16: this processor does not compute LSTMs in it"
    print("\n".join(f"{name}: {value}" for name, value in record.items()), flush=True)
    for measure in (training, composing, growth):
        record[measure.__name__] = rows = measure(sizes, rates)
        print(f"\n{measure.__doc__}\n\n{markdown(list(rows[0]), [r.values() for r in rows])}")
    write(options, record)


def gemm_rates() -> Rates:
    """GFLOP/s of large products in the precisions that LSTMs train in here."""
    here = {"fp32": True, "bf16": computes_bf16(), "tf32": torch.cuda.is_available()}
    return {name: gemm_rate(name) for name in here if here[name]}


def gemm_rate(precision: str) -> int:
    """Of a linear layer or a convolution of single cells, which go to different libraries."""
    rows, inner, columns = (8192,) * 3 if torch.cuda.is_available() else (4096, 1024, 1024)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    x, w = (torch.randn(n, inner, device=device()).to(dtype) for n in (rows, columns))
    cells = x.view(1, rows, 1, inner).permute(0, 3, 1, 2)  # laid out channels last
    kernel = w.view(columns, 1, 1, inner).permute(0, 3, 1, 2)
    calls = (partial(F.linear, x, w), partial(F.conv2d, cells, kernel))
    with products_in(precision):
        taken = in_turns({call: partial(seconds, call) for call in calls}, 5, 30)
    return round(2 * rows * inner * columns / min(map(min, taken.values())) / 1e9)


def training(sizes: Sizes, rates: Rates) -> Rows:
    """Training: an iteration of either network."""
    music = {"batch": sizes.batch, "steps": sizes.steps, "time": sizes.time, "notes": sizes.notes}
    rolls = {"hidden": sizes.hidden, "batch": LANES, "window": sizes.window}
    # three times as much as forward, but that no gradient goes to what is heard
    flops = 3 * biaxial_flops(sizes) - 2 * NOTES * 4 * FEATURES * sizes.time[0]
    of_lstm = 3 * stack_flops(KEYS, sizes.hidden, sizes.hidden) - 2 * 4 * KEYS * sizes.hidden
    return [
        *iterations("biaxial", music, flops * sizes.batch * (sizes.steps - 1), sizes, rates),
        *iterations("lstm", rolls, of_lstm * LANES * sizes.window, sizes, rates),
    ]


def iterations(network: str, sized: dict, flops: int, sizes: Sizes, rates: Rates) -> Rows:
    """Rows of one network: each port in each precision."""
    ports, times = PORTS[network]
    makers = {
        (port, precision): partial(getattr(jobs, network), port, precision, **sized)
        for port, precision in product(ports, rates)
        if port != jobs.PUBLISHED or precision == "fp32"  # its cell computes in nothing else
    }
    taken = race(makers, sizes.warm, sizes.rounds, times)
    return [
        {
            "network": network,
            "by": port,
            "precision": precision,
            "ms per iteration": round(t.median * 1e3, 1),
            "middle half": t.spread(1e3, 1),
            "GFLOP": round(flops / 1e9, 1),
            **compared(t, taken["plain", "fp32"], flops, rates[precision]),
        }
        for (port, precision), t in taken.items()
    ]


def composing(sizes: Sizes, rates: Rates) -> Rows:
    """Composing with the biaxial network, fp32; `readable` steps through the model as written."""
    table = []
    for pieces, steps in sizes.pieces:
        makers = {
            name: partial(jobs.composing, name, pieces, steps, sizes.time, sizes.notes)
            for name in ("plain", "readable", "musiclib")
        }
        taken = race(makers, 1, sizes.rounds)
        flops = biaxial_flops(sizes) * pieces * steps
        table += [
            {
                "pieces": pieces,
                "by": name,
                "piece-steps per second": round(pieces * steps / t.median),
                "ms per step, middle half": t.spread(1e3 / steps, 2),
                **compared(t, taken["plain"], flops, rates["fp32"]),
            }
            for name, t in taken.items()
        ]
    return table


def compared(taken: Taken, plain: Taken, flops: int, rate: int) -> dict[str, float]:
    """The columns that training and composing share."""
    return {
        "times as fast as plain": round(plain.median / taken.median, 2),
        "times its floor": round(taken.median * rate * 1e9 / flops, 2),
        "peak memory, GB": round(taken.peak, 2),
    }


def growth(sizes: Sizes, rates: Rates) -> Rows:
    """How cost grows with size: 1 is in proportion, less is cheaper."""
    sequences, steps = sizes.grown
    train = partial(jobs.biaxial, "musiclib", "fp32", time=sizes.time, notes=sizes.notes)
    play = partial(jobs.composing, "musiclib", time=sizes.time, notes=sizes.notes)
    some, _ = sizes.pieces[1]
    return [
        grown("training, sequences", partial(train, steps=steps), "batch", sequences, sizes),
        grown("training, steps", partial(train, sequences), "steps", steps, sizes),
        grown("composing, steps", partial(play, 4), "steps", steps, sizes),
        grown("composing, pieces from one", partial(play, steps=steps), "pieces", 1, sizes),
        grown("composing, pieces", partial(play, steps=steps // 4), "pieces", some, sizes),
    ]


def grown(what: str, maker: Callable, of: str, first: int, sizes: Sizes) -> dict[str, Any]:
    """A row of growth: `first` of something and `FACTOR` times as many."""
    runs = {size: partial(seconds, maker(**{of: size})) for size in (first, FACTOR * first)}
    small, large = map(median, in_turns(runs, 2, sizes.rounds).values())
    return {
        "what": what,
        "from": first,
        "to": FACTOR * first,
        "ms at first": round(small * 1e3, 2),
        "ms at last": round(large * 1e3, 2),
        "cost, times proportion": round(large / small / FACTOR, 2),
    }


def biaxial_flops(sizes: Sizes) -> int:
    """Of one step of one piece, forward; training takes three times that."""
    notes = stack_flops(sizes.time[-1] + 2, *sizes.notes) + 2 * 2 * sizes.notes[-1]
    return NOTES * (stack_flops(FEATURES, *sizes.time) + notes)


def stack_flops(*widths: int) -> int:
    """Of one step of a stack of LSTMs, forward."""
    return 2 * sum(4 * (i + o) * o for i, o in pairwise(widths))


if __name__ == "__main__":
    run(main)
