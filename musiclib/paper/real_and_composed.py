"""Real music beside what was composed, as the numbers behind one picture and as distances."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from musiclib.metrics.distributions import Shares, distributions, total_variation
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.paper.contents import COLUMNS, Row, roll_rows
from musiclib.paper.contents import ROLL as LONGEST

REAL = "real music"
ROLL = "excerpt: "

Pieces = Sequence[np.ndarray]
Made = dict[str, dict[str, Shares]]


def made_of(kinds: Mapping[str, Pieces]) -> Made:
    """The distributions of each kind of music, by name: its pieces are (T, 78, 2)."""
    return {name: distributions(pieces) for name, pieces in kinds.items()}


def apart(made: Made) -> pd.DataFrame:
    """Total variation distances from real music, 0 to 1: a row a kind, a column a distribution."""
    real, others = made[REAL], {name: of for name, of in made.items() if name != REAL}
    return pd.DataFrame(
        {kind: total_variation(of[kind], real[kind]) for kind in real} for of in others.values()
    ).set_index(pd.Index(others, name="music"))


def compared(excerpts: Mapping[str, np.ndarray], made: Made) -> pd.DataFrame:
    """The numbers behind the picture: columns panel, group, x, y.

    - "excerpt: NAME": x is a step, y a MIDI pitch, the group is "struck" or "held"; as many
      steps of each as the shortest has, eight bars at most, from the bar of the first note of
      states (T, 78, 2)
    - the name of a distribution: the group is a kind of music, x a value, y its share in %
    """
    steps = min(LONGEST, *map(len, excerpts.values()))
    rolls = (
        row
        for name, states in excerpts.items()
        for row in roll_rows(ROLL + name, states, STEPS_PER_BAR, steps)
    )
    return pd.DataFrame([*rolls, *_shares(made)], columns=COLUMNS)


def _shares(made: Made) -> Iterator[Row]:
    for kind in made[REAL]:
        for name, of in made.items():
            for x, share in zip(of[kind].values, of[kind].shares, strict=True):
                yield kind, name, x, 100 * share
