"""The table of runs as lines of text, and as JSON tells it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from musiclib.corpus.report_text import WIDTH, columns
from musiclib.paper.expected import MINUTE, about
from musiclib.paper.standing import STATES, Standing, lacking, shown

HEAD = ("run", "state", "iterations", "minutes left", "held-out loss", "where, or why")


def table(found: Sequence[Standing]) -> Iterator[str]:
    """A row for every run."""
    body = [
        (
            s.job.name,
            s.state,
            f"{s.done:,} of {_or(s.total, ',')}",
            _or(_minutes(s.seconds_left), ",.0f"),
            _or(s.held_out, ".4f", "-"),
            s.why or (shown(s.run.directory) if s.run.directory.exists() else ""),
        )
        for s in found
    ]
    yield from columns(HEAD, body, (0, 1, 5))


def summary(found: Sequence[Standing], workers: int) -> Iterator[str]:
    """How many of each state there are, and how long the rest takes with so many at a time."""
    states = Counter(s.state for s in found)
    counts = [f"{states[state]} {state}" for state in STATES if states[state]]
    yield f"{len(found)} run{'s' * (len(found) != 1)}: " + "; ".join(counts)
    known = [s.seconds_left for s in found if s.seconds_left is not None]
    if left := sum(known):
        some = f" and {len(found) - len(known)} runs of unknown length"
        yield (
            f"left on this machine: {left / MINUTE:,.0f} minutes{some * (len(known) < len(found))}"
            f" ({about(left)}), {workers} at a time {about(left / workers)}"
        )
    elif len(known) < len(found):
        yield "left on this machine: not known; --measure measures it"


def experiments(found: Sequence[Standing], seeds: int) -> Iterator[str]:
    """Which experiments have all their runs, and what the others lack."""
    for name, (count, lacks) in lacking(found, seeds).items():
        if len(lacks) in (0, count):
            yield f"{name}: {'none' if lacks else 'all'} of {count} runs"
        else:
            line = f"{name}: {count - len(lacks)} of {count} runs, lacks {', '.join(lacks)}"
            yield from wrap(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def told(found: Sequence[Standing], every: Sequence[Standing], seeds: int) -> dict[str, Any]:
    """The same for programs: the runs `found`, and the experiments by `every` run."""
    left = [s.seconds_left for s in found]
    needs = lacking(every, seeds).items()
    return {
        "runs": [_told(s) for s in found],
        "states": dict(Counter(s.state for s in found)),
        "minutes_left": None if None in left else _minutes(sum(left)),
        "experiments": {name: {"runs": count, "lacks": lacks} for name, (count, lacks) in needs},
    }


def _told(s: Standing) -> dict[str, Any]:
    return {
        "name": s.job.name,
        **s.job._asdict(),
        "state": s.state,
        "iterations": s.done,
        "iterations_in_all": s.total,
        "minutes_left": _minutes(s.seconds_left),
        "held_out_loss": s.held_out,
        "why": s.why,
        "folder": str(s.run.directory),
    }


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / MINUTE


def _or(value: float | None, how: str, unknown: str = "?") -> str:
    return unknown if value is None else format(value, how)
