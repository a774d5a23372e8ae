"""What the notebooks compare, seed by seed: two numbers, of which the first is said to be lower.

The comparisons are data, comparisons.json: by group and name. Notebook 11 shows the groups
"training" to "style", notebook 13 "section 4", notebook 18 "modern"; "across" compares numbers of
several notebooks for `claims` alone. A fourth part of a key is a place among the checkpoints: 0 the
first, -1 the last. A comparison's row has the `COLUMNS`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musiclib.paper.effects import Effect, effect_of
from musiclib.paper.results import Key, Numbers, checkpoints, judged_values, seeds_for, shown

SHOWN = ("training", "isl", "silence", "rbm", "style")  # the groups of notebook 11
COLUMNS = ["claim", "first", "second", "difference, 95 % interval", "published", "holds in"]


@dataclass(frozen=True)
class Comparison:
    """`first` is said to be below `second`, in `text`: {first} and {second} are checkpoints.

    `digits` are shown after the point; `said` is how the paper says it without numbers.
    """

    text: str
    first: list[str | int]
    second: list[str | int]
    digits: int
    said: str

    def keys(self, numbers: Numbers) -> tuple[Key, Key]:
        """The keys of both numbers, checkpoints in place of their places."""
        return _key(self.first, numbers), _key(self.second, numbers)

    def known(self, numbers: Numbers) -> bool:
        """Whether both numbers are there."""
        return all(key in numbers for key in self.keys(numbers))

    def row(self, numbers: Numbers) -> list[str]:
        """Text, both values, how far apart, the published ones, in how many seeds it holds.

        Raises KeyError for a number that is not there: ask `known`.
        """
        keys = self.keys(numbers)
        a, b = (numbers[key] for key in keys)
        theirs = [f"{p:g}".replace("-", "−") for r in (a, b) if (p := r["published"]) is not None]
        text = self.text.format(first=keys[0][-1], second=keys[1][-1])
        values = shown(a, self.digits), shown(b, self.digits)
        apart = self.effect(numbers).shown(self.digits)
        return [text, *values, apart, " < ".join(theirs) or self.said, seeds_for(a, b)]

    def differences(self, numbers: Numbers) -> np.ndarray:
        """The second value less the first, float64, one a seed; NaN where it is open."""
        first, second = (judged_values(numbers[key]) for key in self.keys(numbers))
        return second - first

    def effect(self, numbers: Numbers) -> Effect:
        """The mean of `differences` with its interval: above 0 where it is as `text` says."""
        return effect_of(self.differences(numbers))


def rows(group: str, numbers: Numbers) -> list[list[str]]:
    """The rows of a group's comparisons of which both numbers are there."""
    return [c.row(numbers) for c in GROUPS[group].values() if c.known(numbers)]


def not_run(group: str, numbers: Numbers) -> list[str]:
    """The names of a group's comparisons of which a number is missing."""
    return [name for name, c in GROUPS[group].items() if not c.known(numbers)]


def _key(place: list[str | int], numbers: Numbers) -> Key:
    name, at = tuple(place[:3]), place[3:]
    there = checkpoints(numbers, *name)
    return (*name, *(there[i] for i in at)) if there else (*name, *at)


def _read() -> dict[str, dict[str, Comparison]]:
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    groups = json.loads(text)
    return {
        group: {name: Comparison(**one) for name, one in listed.items()}
        for group, listed in groups.items()
    }


GROUPS = _read()
COMPARISONS = {name: one for group in GROUPS.values() for name, one in group.items()}
