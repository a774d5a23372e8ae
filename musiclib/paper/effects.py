"""How far two numbers lie apart, seed by seed: a mean difference, its interval, its size."""

from dataclasses import dataclass

import numpy as np

COVERED = 0.95  # of the interval, where seeds differ as a normal distribution has it


@dataclass(frozen=True)
class Effect:
    """The difference of two numbers, paired by seed, in their unit; above 0 as is said.

    `mean` is None without a seed that counts. `interval` is the 95 % t interval of the mean over
    seeds, None for fewer than two. `standardised` is the mean over the sample standard deviation of
    the differences (Cohen's d of pairs); None for fewer than two, or where all are the same.
    `seeds` count, `open` do not: a value is missing, or a network did not learn.
    """

    mean: float | None
    interval: tuple[float, float] | None
    standardised: float | None
    seeds: int
    open: int

    def shown(self, digits: int) -> str:
        """ "0.08, −0.02 to 0.17 (3 seeds)"; one seed has no interval, none a dash."""
        count = f"{self.seeds} seed{'s' * (self.seeds != 1)}"
        count += f", {self.open} open" * bool(self.open)
        if self.mean is None:
            return f"– ({count})"
        ends = self.interval and " to ".join(_signed(end, digits) for end in self.interval)
        return f"{_signed(self.mean, digits)}, {ends or 'no interval'} ({count})"

    @property
    def size(self) -> str:
        """The standardised effect as text: "1.3", or a dash where there is none."""
        return "–" if self.standardised is None else _signed(self.standardised, 1)


def effect_of(differences: np.ndarray) -> Effect:
    """The effect of differences (seeds,), float64; NaN where a seed is open."""
    known = differences[~np.isnan(differences)]
    count, opened = len(known), len(differences) - len(known)
    mean = float(known.mean()) if count else None
    if count < 2:
        return Effect(mean, None, None, count, opened)
    from scipy.stats import t  # here: it takes those who only read the table a second

    deviation = float(known.std(ddof=1))
    half = float(t.ppf((1 + COVERED) / 2, count - 1)) * deviation / count**0.5
    size = None if np.ptp(known) == 0 else mean / deviation
    return Effect(mean, (mean - half, mean + half), size, count, opened)


def _signed(value: float, digits: int) -> str:
    return f"{value:z.{digits}f}".replace("-", "−")
