"""How alike the outputs of a windowed RBM are, whatever goes in (section 2.4.3)."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from musiclib.corpus.sets import states_of
from musiclib.mending.windowed import reconstruct_with
from musiclib.metrics.note_f1 import f1
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import NOTES, PLAY
from musiclib.paper.study import Study
from musiclib.training.runs import Run

STEPS = 8 * STEPS_PER_BAR  # of an excerpt
SETTLED = slice(2 * STEPS_PER_BAR, None)


def excerpts(pieces: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Two excerpts (`STEPS`, 78, 2), of different pieces if there are two: the fullest ones."""
    long = [np.resize(piece, (max(2 * STEPS, len(piece)), NOTES, 2)) for piece in pieces]
    parts = [piece[at : at + STEPS] for at in (STEPS, 0) for piece in long]
    return sorted(parts[: max(2, len(pieces))], key=lambda part: -int(part[..., PLAY].sum()))[:2]


def alike(first: np.ndarray, second: np.ndarray) -> float:
    """F1 of the cells (T, 78, 2) that sound once the first two bars are over."""
    return f1(first[SETTLED], second[SETTLED], PLAY)


def alike_among(pieces: Sequence[np.ndarray], count: int) -> float:
    """Mean likeness of the first `count` pieces, each to each."""
    return float(np.mean([alike(pieces[a], pieces[b]) for a, b in combinations(range(count), 2)]))


def one_tune(study: Study, run: Run, checkpoints: Sequence[int]) -> pd.DataFrame:
    """A row a checkpoint: how alike the inputs are, and both outputs with the same noise for all.

    The inputs are two excerpts each of the held-out music and of the main corpus.
    """
    sets = study.music.held_out, study.music.main
    given = np.stack([part for pieces in sets for part in excerpts(states_of(pieces))])
    noises, inputs = [run.config.seed] * len(given), alike_among(given, len(given))
    made = {at: reconstruct_with(run.weights(at), given, noises, 1) for at in checkpoints}
    return pd.DataFrame(
        {"checkpoint": at, "inputs": inputs}
        | {name: alike_among(pieces, len(given)) for name, pieces in output._asdict().items()}
        for at, output in made.items()
    )
