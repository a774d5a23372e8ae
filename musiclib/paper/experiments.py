"""The paper's experiments as a table: which runs each needs, and which comparisons come of it.

The table is data, experiments.json. From it come the runs (`jobs`), what the notebooks train, the
comparisons that the claims rest on, and what `python -m musiclib runs` lists.
"""

import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from musiclib.base.errors import InputError


@dataclass(frozen=True)
class Experiment:
    """A question, the runs that answer it, and by which of `comparisons.COMPARISONS`.

    `kinds` are of `variants.VARIANTS`; an experiment without a model needs no run. `shows` is what
    of the paper it makes anew, "" for none; `beside` has kinds of other models that it needs;
    `later` ones come after all seeds of the others.
    """

    name: str
    asks: str
    notebook: str
    shows: str
    comparisons: list[str]
    model: str = ""
    kinds: tuple[str, ...] = ()
    beside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    later: bool = False

    def jobs(self, seeds: Iterable[int]) -> list["Job"]:
        """The runs that it needs, seed by seed."""
        return [
            Job(model, kind, seed)
            for seed in seeds
            for model, kinds in self.trains.items()
            for kind in kinds
        ]

    @property
    def trains(self) -> dict[str, tuple[str, ...]]:
        """The kinds of runs that it needs, by model."""
        own = {self.model: self.kinds} if self.model else {}
        return own | {model: tuple(kinds) for model, kinds in self.beside.items()}


class Job(NamedTuple):
    """A run by what it is, not by where it lies."""

    model: str
    kind: str
    seed: int

    @property
    def name(self) -> str:
        """As people write it: biaxial-own-keys-0."""
        return f"{self.model}-{self.kind.replace(' ', '-')}-{self.seed}"


def jobs(seeds: int) -> list[Job]:
    """Every run of the table once, in the order in which they are worth most.

    First one seed of what Figures 3 to 5 and Table 1 need, then its other seeds, then the rest.
    """
    first, rest = ([e for e in EXPERIMENTS.values() if e.later is later] for later in (False, True))
    ordered = [job for seed in range(seeds) for e in first for job in e.jobs([seed])]
    ordered += [job for seed in range(seeds) for e in rest for job in e.jobs([seed])]
    return list(dict.fromkeys(ordered))


def named(every: Sequence[Job], names: Sequence[str]) -> list[Job]:
    """The jobs of these names or shell patterns, all without one.

    Raises InputError for a name or a pattern of none.
    """
    known = [job.name for job in every]
    for name in names:
        if not fnmatch.filter(known, name):
            close = get_close_matches(name, known) or known[:3]
            raise InputError(f"no run {name} among {len(known)}: did you mean {', '.join(close)}?")
    return [job for job in every if not names or any(fnmatchcase(job.name, n) for n in names)]


def _read() -> list[Experiment]:
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    return [Experiment(**{**row, "kinds": tuple(row.get("kinds", ()))}) for row in json.loads(text)]


EXPERIMENTS = {experiment.name: experiment for experiment in _read()}
