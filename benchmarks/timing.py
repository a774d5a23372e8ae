"""How the benchmarks are started, timed and written down."""

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch

from musiclib.base.device import device_name
from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.base.parallel import cores
from musiclib.base.writing import write_json
from musiclib.paper.results import markdown
from musiclib.training.runs import RUNS

Call = Callable[[], Any]


def parser(name: str, description: str, seeds: int = 0) -> argparse.ArgumentParser:
    """The options of all benchmarks, with `seeds` of those that train; `name` is the record's."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--tiny", action="store_true", help="show that it runs; fills --out alone")
    options.add_argument("--out", type=Path, help=f"instead of results/bench-{name}.json")
    options.set_defaults(name=name)
    if seeds:
        options.add_argument("corpus", nargs="?", help="folder of MIDI files, or a corpus (.npz)")
        options.add_argument("--seeds", type=int, default=seeds)
        options.add_argument("--runs", type=Path, default=RUNS)
    return options


def write(options: argparse.Namespace, record: dict[str, Any]) -> None:
    """Write a record to --out or results/; tiny sizes mean nothing and never go to results/."""
    if options.out or not options.tiny:
        write_json(options.out or ROOT / "results" / f"bench-{options.name}.json", record)


def run(main: Call) -> None:
    """Run a benchmark; what is wrong with its input is said in a sentence."""
    try:
        main()
    except InputError as error:
        raise SystemExit(str(error)) from error


def machine() -> dict[str, str]:
    """What every number depends on."""
    threads = torch.get_num_threads()
    return {"machine": f"{cores()} cores, {threads} threads", "device": device_name()}


def printed(record: dict[str, Any]) -> str:
    """A record as a table, four digits each."""
    short = ((k, f"{v:.4g}" if isinstance(v, float) else v) for k, v in record.items())
    return markdown(["what", "value"], list(short))


def seconds(call: Call) -> float:
    """Wall time of a call and of what it began on the GPU."""
    began = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def process_peak() -> float:
    """The most memory that this process has held so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def peak() -> float:
    """The same on the GPU, where there is one."""
    return torch.cuda.max_memory_allocated() / 1e9 or process_peak()


def in_turns(runs: dict[Any, Callable], warm: int, rounds: int) -> dict[Any, list[float]]:
    """Seconds of runs that take turns, as they say themselves, after some rounds to warm up."""
    order = Random(0)  # none runs after the same one every time
    taken = {name: [] for name in runs}
    for _ in range(warm + rounds):
        for name in order.sample(list(runs), len(runs)):
            taken[name].append(runs[name]())
    return {name: times[warm:] for name, times in taken.items()}


class Taken(NamedTuple):
    """Seconds of every round, and the peak memory in GB."""

    seconds: list[float]
    peak: float

    @property
    def median(self) -> float:
        """Median seconds."""
        return statistics.median(self.seconds)

    def spread(self, scale: float, digits: int) -> str:
        """The middle half of the rounds, in 1 / `scale` seconds."""
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return f"{low * scale:.{digits}f} to {high * scale:.{digits}f}"


def race(makers: dict[Any, Callable], warm: int, rounds: int, times: int = 1) -> dict[Any, Taken]:
    """What calls take in turns, so many times each, every one made in a process of its own."""
    new = partial(ProcessPoolExecutor, 1, get_context("spawn"), _make)
    with ExitStack() as stack:
        pools = {name: stack.enter_context(new((maker,))) for name, maker in makers.items()}
        for begun in [pool.submit(peak) for pool in pools.values()]:
            begun.result()
        runs = {name: lambda p=p: p.submit(_timed, times).result() for name, p in pools.items()}
        taken = in_turns(runs, warm, rounds)
        return {name: Taken(taken[name], p.submit(peak).result()) for name, p in pools.items()}


def _make(maker: Callable[[], Call]) -> None:
    global _call
    _call = maker()


def _timed(times: int) -> float:
    return seconds(lambda: [_call() for _ in range(times)]) / times
