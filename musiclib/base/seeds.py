"""Seeds: everything random in the project comes from one of these, never from global state."""

import numpy as np


def seed_of(*parts: int) -> int:
    """A well-mixed seed below 2^63 from several small integers.

    Trailing zeros do not count: (seed, 3) and (seed, 3, 0) are the same seed.
    """
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
