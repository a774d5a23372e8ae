"""Figure 5: how composed bars lie beside training bars on two principal components."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from musiclib.metrics.bootstrap import Estimate
from musiclib.metrics.pca import Projection, overlap, project, project_together
from musiclib.music.bars import bars, draw_bars

REAL = 0  # the panel of the other half of the real music

Sets = Mapping[int, Sequence[np.ndarray]]


class Clouds(NamedTuple):
    """A seed's panels: each on its own components (paper), all on one pair, and their overlaps."""

    own: dict[int, Projection]
    shared: dict[int, Projection]
    overlaps: dict[int, Estimate]


def clouds(main: Sequence[np.ndarray], composed: Sets, count: int, seed: int) -> Clouds:
    """The clouds of composed pieces by checkpoint beside at most `count` bars of the main corpus.

    The shared pair of components is fitted on half of the main pieces; the other half is the panel
    `REAL`, which says how far two sets of real music overlap.
    """
    training = drawn(main, count)
    own = {at: project(training, bars(pieces)) for at, pieces in composed.items()}
    return Clouds(own, *_together(main, composed, count, seed))


def drawn(main: Sequence[np.ndarray], count: int) -> np.ndarray:
    """At most `count` bars of pieces laid end to end, always the same ones, in their order."""
    every = bars(main)
    chosen = np.random.default_rng(0).choice(len(every), min(count, len(every)), replace=False)
    return every[np.sort(chosen)]


def _together(
    main: Sequence[np.ndarray], composed: Sets, count: int, seed: int
) -> tuple[dict[int, Projection], dict[int, Estimate]]:
    order = np.random.default_rng(seed).permutation(len(main))
    known, other = ([main[i] for i in order[start::2]] for start in (0, 1))
    table, piece = draw_bars(known, count, seed)
    sets = {at: draw_bars(pieces, count, seed) for at, pieces in (*composed.items(), (REAL, other))}
    shared = project_together(table, {at: part for at, (part, _) in sets.items()})
    return shared, {
        at: overlap(_by_piece(panel.training, piece), _by_piece(panel.generated, sets[at][1]), seed)
        for at, panel in shared.items()
    }


def _by_piece(points: np.ndarray, piece: np.ndarray) -> list[np.ndarray]:
    return [points[piece == number] for number in np.unique(piece)]


def distance(panel: Projection) -> float:
    """How far the centres of both clouds are apart, in spreads of the training bars."""
    gap = panel.generated.mean(axis=0) - panel.training.mean(axis=0)
    return float(np.linalg.norm(gap) / np.sqrt(panel.training.var(axis=0).sum()))
