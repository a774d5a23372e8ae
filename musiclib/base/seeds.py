"""Seeds of batches, dropout and composed pieces: many well-mixed ones from a run's own.

Initial weights, primers and a drawn share of the corpus come of a run's seed itself; metrics and
corrupted music have the seed that they are given; which pieces are held out is drawn with a fixed
seed, in `corpus.division`.
"""

import re
from typing import Annotated

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.typed import Within, told

MOST_SEED = 2**32 - 1  # one range for every seed
MOST_SEEDS = 100  # of a study, each of which trains every run of its table
Seed = Annotated[int, Within(0, MOST_SEED)]


def seed_of(*parts: int) -> int:
    """A well-mixed seed below 2^63 from several small integers.

    Trailing zeros do not count: (seed, 3) and (seed, 3, 0) are the same seed.
    """
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def seeds_of(wanted: int | str) -> int:
    """How many seeds a study has; raises InputError for none, too many, and what is no number."""
    if isinstance(wanted, str) and re.fullmatch("[0-9]{1,9}", wanted):
        wanted = int(wanted)
    if type(wanted) is not int or not 1 <= wanted <= MOST_SEEDS:
        raise InputError(f"SEEDS={told(wanted)}: give a whole number from 1 to {MOST_SEEDS}")
    return wanted
