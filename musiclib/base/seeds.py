"""Seeds of batches, dropout and composed pieces: many well-mixed ones from a run's own.

Initial weights, primers and a drawn share of the corpus come of a run's seed itself; metrics and
corrupted music have the seed that they are given; which pieces are held out is drawn with a fixed
seed, in `corpus.division`.
"""

from typing import Annotated

import numpy as np

from musiclib.base.typed import Within

MOST_SEED = 2**32 - 1  # one range for every seed
Seed = Annotated[int, Within(0, MOST_SEED)]


def seed_of(*parts: int) -> int:
    """A well-mixed seed below 2^63 from several small integers.

    Trailing zeros do not count: (seed, 3) and (seed, 3, 0) are the same seed.
    """
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
