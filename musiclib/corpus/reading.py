"""From files to pieces: cached by content, in worker processes, in memory that stays small."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.files import DAMAGED, ROOT, digest
from musiclib.base.isolated import Isolated, Lost
from musiclib.base.parallel import cores
from musiclib.base.progress import Progress, say
from musiclib.base.writing import replacing
from musiclib.corpus.encoding import ENCODER_VERSION, Content, Encoded, decode, encode_some
from musiclib.corpus.sources import Source
from musiclib.music.left_out import why
from musiclib.music.midi_events import MidiError, content_of
from musiclib.music.note_states import Metre

CACHE = ROOT / ".cache" / "pieces"
SECONDS, SCORE_SECONDS, MEMORY = 60.0, 600.0, 2 << 30  # that reading a file may take
UNDER_WAY = 64  # batches that are sent before one has come back
TOGETHER = 16  # MIDI files that a worker is given at once; scores take seconds each
IN_MEMORY = 2_000_000  # steps of a collection that is kept in memory: 450 MB unpacked


@dataclass(frozen=True, slots=True)
class CachedRows:
    """Packed rows in the cache, loaded when they are looked at."""

    path: Path
    name: str
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, rows: slice) -> np.ndarray:
        with np.load(self.path, allow_pickle=False) as stored:
            return stored[self.name][rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self[:], dtype)


class Wanted(NamedTuple):
    """A source to be read, its content and where the cache has it."""

    source: Source
    content: Content
    entry: Path


def encode_all(
    sources: Iterable[Source],
    metre: Metre = "paper",
    executor: Executor | None = None,
    cache: Path | None = None,
) -> tuple[dict[Source, Encoded], dict[Source, str]]:
    """Read sources: what was read, and why the others were not.

    Files are read by the workers of `executor` (Dask's, say), or here by a process a core, in
    which a file that crashes its reader or takes too long costs itself alone. Rows are
    packed arrays, or lie in the cache where there is too much music for memory.
    """
    sources, read, failed, kept = list(sources), {}, {}, 0
    wanted = _wanted(sorted(sources, key=_size, reverse=True), metre, cache or CACHE, failed)
    with Progress(len(sources), "reading music") as progress, _pool(sources, executor) as pool:
        progress.note = "starting workers"
        for job, entry in _entries(pool, wanted):
            progress.note = ""
            if isinstance(entry, str):
                failed[job.source] = f"{job.source.path}: {entry}"
            else:
                read[job.source] = _kept(entry, job.entry, kept)
                kept += entry.facts.steps
            progress.to(len(read) + len(failed))
    return tuple({s: found[s] for s in sources if s in found} for found in (read, failed))


def _pool(sources: list[Source], executor: Executor | None) -> Executor | nullcontext:
    if executor is not None:
        return nullcontext(executor)
    midi = all(source.midi or source.path.is_dir() for source in sources)  # a folder is not read
    seconds = SECONDS if midi else SCORE_SECONDS
    return Isolated(cores(), seconds, MEMORY)


def _wanted(
    sources: list[Source], metre: Metre, cache: Path, failed: dict[Source, str]
) -> Iterator[Wanted]:
    """Sources with their content; those that cannot be opened are noted in `failed`."""
    for source in sources:
        try:
            data = content_of(source.path)
        except (MidiError, OSError) as error:
            failed[source] = why(source.path, error)
            continue
        content = Content(data, source.suffix, source.parts, metre)
        key = digest(*content, ENCODER_VERSION)
        yield Wanted(source, content, cache / key[:2] / f"{key}.npz")


def _entries(pool: Executor, wanted: Iterable[Wanted]) -> Iterator[tuple[Wanted, Encoded | str]]:
    """Each source with what was read of it or why not: from the cache, or by the pool."""
    waiting: dict[Future, list[Wanted]] = {}
    for batch in _batches(wanted):
        known = {job: cached(job) for job in batch}
        yield from ((job, entry) for job, entry in known.items() if entry is not None)
        if missing := [job for job, entry in known.items() if entry is None]:
            waiting[pool.submit(encode_some, [job.content for job in missing])] = missing
        while len(waiting) >= UNDER_WAY:
            yield from _some_answers(pool, waiting)
    while waiting:
        yield from _some_answers(pool, waiting)


def _batches(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    batch: list[Wanted] = []
    for job in wanted:
        batch.append(job)
        if len(batch) == TOGETHER or not job.content.midi:
            yield batch
            batch = []
    if batch:
        yield batch


def _some_answers(
    pool: Executor, waiting: dict[Future, list[Wanted]]
) -> Iterator[tuple[Wanted, Encoded | str]]:
    """What was made of the batches that are done; those that were lost wait anew, file by file."""
    done, others = wait(waiting, timeout=SCORE_SECONDS, return_when=FIRST_COMPLETED)
    for future in done or others:  # where nobody answers any more, all are lost
        jobs = waiting.pop(future)
        error = _error_of(future)
        if error is None:
            for job, made in zip(jobs, future.result(), strict=True):
                yield job, made if isinstance(made, str) else _cache(made, job.entry)
        elif len(jobs) == 1:
            yield jobs[0], f"reading it failed, {error}; leave it out"
        else:
            waiting |= {pool.submit(encode_some, [job.content]): [job] for job in jobs}


def _error_of(future: Future) -> str | None:
    """What went wrong with a batch, if something did."""
    if not future.done():
        future.cancel()
        return f"it took more than {SCORE_SECONDS:.0f} s"
    if future.cancelled():
        raise InputError("what reads has ended: start the cluster anew, and run it again")
    error = future.exception()
    if error is None or isinstance(error, Lost):
        return error and str(error)
    if not isinstance(error, Exception):
        raise error
    return f"{type(error).__name__}: {error}"


def cached(job: Wanted) -> Encoded | None:
    """What the cache has, or None where it has nothing, or nothing whole."""
    try:
        entry = decode(job.entry)
    except DAMAGED:
        return None
    whole = (entry.positions is None) == (job.content.metre == "paper")
    return entry if whole else None


def _cache(made: bytes, entry: Path) -> Encoded:
    """Keep what was made for the next time, where that can be written."""
    try:
        with replacing(entry, lasting=False) as temporary:
            temporary.write_bytes(made)
    except (OSError, InputError) as error:
        _warn_once(entry.parent.parent, error)
    return decode(made)


_warned: set[Path] = set()


def _warn_once(cache: Path, error: OSError | InputError) -> None:
    if cache not in _warned:
        _warned.add(cache)
        reason = getattr(error, "strerror", None) or error
        say(f"{cache}: {reason}; what is read is not kept")


def _kept(entry: Encoded, place: Path, before: int) -> Encoded:
    """An entry as it is kept: in the cache once there is too much music for memory."""
    if before <= IN_MEMORY or not place.exists():
        return entry
    there = {name: getattr(entry, name) for name in ("states", "roll", "positions")}
    rows = {n: CachedRows(place, n, len(a)) for n, a in there.items() if a is not None}
    return entry._replace(**rows)


def _size(source: Source) -> int:
    """Bytes of a source's file, 0 where it cannot be looked at."""
    try:
        return source.path.stat().st_size
    except OSError:
        return 0
