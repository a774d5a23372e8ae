"""Reading and training at scale: files to note states, 20,000 files, Dask, 50 million steps.

`make bench-data CORPUS=folder` of MIDI files, from which larger collections are made: copies with
changed names and content, and their pieces over and over in shards. About 10 minutes on two cores.
"""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

import mido
import numpy as np
import pretty_midi
from timing import Call, machine, parser, printed, process_peak, race, run, seconds, write

from musiclib.base.parallel import cores
from musiclib.corpus import shards
from musiclib.corpus.prepare import prepare
from musiclib.corpus.reading import encode_all
from musiclib.corpus.sets import Corpus, Piece
from musiclib.corpus.sources import Source, folder_sources
from musiclib.models import MODELS, batches_of, build
from musiclib.music.note_states import NOTES
from musiclib.music.packed import Packed
from musiclib.music.piano_roll import KEYS
from musiclib.paper.profiles import profile
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, train

SLOW_READER_FILES = 40  # that pretty_midi and mido read for comparison
FEW = 10  # a share of the collection, one in so many files
IN_MEMORY_STEPS, ROUNDS, ITERATIONS = 1_000_000, 9, {"biaxial": 20, "lstm": 200}


def main() -> None:
    """Print the tables and write results/bench-data.json."""
    options = parser("data", __doc__)
    options.add_argument("corpus", type=Path, help="folder of MIDI files")
    options.add_argument("--files", type=int, default=20_000)
    options.add_argument("--steps", type=int, default=50_000_000)
    options = options.parse_args()
    if options.tiny:
        options.files, options.steps = 40, 40_000
    sources = [source for some in folder_sources(options.corpus).values() for source in some]
    with TemporaryDirectory() as folder:
        place = Path(folder)
        record = machine() | {"cores": cores(), "files": len(sources), **reading(sources, place)}
        record |= many(sources, options.files, place)
        record |= training(sources, options.steps, place, 1 if options.tiny else ROUNDS)
    print(printed(record))
    write(options, record)


def reading(sources: list[Source], place: Path) -> dict[str, Any]:
    """Files to note states, rolls and facts, nothing cached, beside two slow readers."""
    encode_all(sources[:1], cache=place / "warm")
    ours = seconds(lambda: encode_all(sources, cache=place / "new"))
    again = seconds(lambda: encode_all(sources, cache=place / "new"))
    some = sources[:: -(-len(sources) // SLOW_READER_FILES)]
    slow = {
        f"times as long, {name} to events, one core": seconds(lambda r=r: [r(s.path) for s in some])
        / len(some)
        / (ours * cores() / len(sources))
        for name, r in {"mido": mido.MidiFile, "pretty_midi": _pretty}.items()
    }
    return {"seconds, files uncached": ours, "seconds, files cached": again, **slow}


def _pretty(path: Path) -> pretty_midi.PrettyMIDI:
    return pretty_midi.PrettyMIDI(str(path))


def many(sources: list[Source], files: int, place: Path) -> dict[str, Any]:
    """Copies with changed names and content: seconds, memory, and the same on a Dask cluster."""
    copies = list(islice(copied(sources, place / "copies"), files))
    few = copies[::FEW]
    alone = {
        count: _apart(partial(_read, some, place / f"{count}"))
        for count, some in ((len(few), few), (files, copies))
    }
    (_, little), (taken, much) = alone.values()
    found = {
        "many files": files,
        "seconds, many files": taken,
        "MB at most, many files": much,
        "MB at most, a tenth of them": little,
    }
    return found | _cluster(few, place)


def copied(sources: list[Source], place: Path) -> Any:
    """Sources of copies, each with a text and a quarter of its notes changed."""
    rng = np.random.default_rng(0)
    for number, source in enumerate(cycle(sources)):
        content = bytearray(source.path.read_bytes())
        at = content.index(b"MTrk")
        text = b"\x00\xff\x01\x08" + f"{number:08}".encode()
        size = int.from_bytes(content[at + 4 : at + 8], "big") + len(text)
        content[at + 4 : at + 8] = size.to_bytes(4, "big")
        content[at + 8 : at + 8] = text
        struck = [i for i in range(at + 20, len(content) - 2) if content[i] >> 4 == 9]
        for i in rng.permutation(struck)[: len(struck) // 4]:
            content[i + 1] ^= content[i + 1] < 128
        path = place / f"{number // 1000}" / f"{number}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        yield Source(path.name, path)


def _read(sources: list[Source], cache: Path) -> tuple[float, float]:
    """Seconds, and the most memory that this process held, MB."""
    taken = seconds(lambda: encode_all(sources, cache=cache))
    return taken, 1000 * process_peak()


def _apart(call: Callable) -> Any:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(call).result()


def _cluster(sources: list[Source], place: Path) -> dict[str, Any]:
    """The same files on a cluster of two workers, one of which is killed on the way."""
    from distributed import Client, LocalCluster

    here, _ = encode_all(sources, cache=place / "here")
    how = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**how) as cluster, Client(cluster) as client:
        victim = next(iter(client.run(os.getpid).values()))
        Timer(1.0, lambda: os.kill(victim, signal.SIGKILL)).start()
        began = time.monotonic()
        there, failed = encode_all(sources, executor=client.get_executor(), cache=place / "there")
        taken = time.monotonic() - began
    equal = here.keys() == there.keys() and not failed
    for mine, theirs in zip(here.values(), there.values(), strict=True):
        equal &= mine.facts.told() == theirs.facts.told()
        equal &= np.array_equal(mine.states[:], theirs.states[:])
    return {
        "files on a cluster": len(sources),
        "seconds, a worker of two killed": taken,
        "the same result": bool(equal),
    }


def training(sources: list[Source], steps: int, place: Path, rounds: int) -> dict[str, Any]:
    """Iterations of `quick` from shards of so many steps beside the same from memory."""
    folder, found = place / "large.shards", {}
    collection = large(sources, steps)
    found["steps in shards"] = sum(len(p.states) for s in collection.sets.values() for p in s)
    found["seconds, writing shards"] = seconds(lambda: shards.write(collection, folder))
    for model, iterations in ITERATIONS.items():
        makers = {
            where: partial(
                trainer, model, folder, most, max(1, iterations // (20 // min(rounds, 20)))
            )
            for where, most in (("memory", IN_MEMORY_STEPS), ("shards", None))
        }
        taken = race(makers, 1, rounds)
        slower = taken["shards"].median / taken["memory"].median
        found[f"{model}: time from shards by that from memory"] = slower
        found[f"{model}: GB at most, from shards"] = taken["shards"].peak
    return found


def large(sources: list[Source], steps: int) -> Corpus:
    """The pieces of sources over and over, until there are so many steps."""
    read, _ = encode_all(sources, metre="all")
    rows = [
        (s.name, e, Packed(e.states, (NOTES, 2)), Packed(e.roll, (KEYS,))) for s, e in read.items()
    ]
    pieces, left = [], steps
    for number, (name, entry, states, roll) in enumerate(cycle(rows)):
        pieces.append(Piece(f"{number}/{name}", states, roll, facts=entry.facts))
        left -= len(states)
        if left <= 0:
            break
    return Corpus({"main": pieces[:-5], "held-out": pieces[-5:]})


def trainer(model: str, folder: Path, most: int | None, iterations: int) -> Call:
    """Training on a corpus of shards, or on as much of it as is loaded into memory."""
    corpus = shards.read(folder)
    if most is not None:
        pieces, left = [], most
        for piece in corpus.main:
            pieces.append(piece.in_memory())
            left -= len(piece.states)
            if left <= 0:
                break
        corpus = Corpus(corpus.sets | {"main": pieces})
    config = profile("quick").config(model)
    assert type(config) is MODELS[model].config
    batches = batches_of(config, prepare(corpus, normalise=True).main)
    plan = Plan([Stage("main", batches, iterations)], seed=0)
    nowhere = folder / "never written"
    return lambda: train(build(config), plan, nowhere, save_seconds=1e9)


if __name__ == "__main__":
    run(main)
