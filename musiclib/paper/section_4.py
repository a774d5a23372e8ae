"""What section 4 compares networks by: held-out loss by mode, and how their pieces end."""

from collections.abc import Sequence

import numpy as np

from musiclib.corpus.prepare import Mode, prepare
from musiclib.corpus.sets import Corpus
from musiclib.music.cadences import endings
from musiclib.training.runs import Run

GIVEN = 1  # steps at the end of a piece composed backwards that were not composed


def loss_by_mode(run: Run, corpus: Corpus, mode: Mode) -> float:
    """Loss of a run on the held-out pieces of a mode, prepared as it was trained, per batch.

    NaN where there is none in that mode.
    """
    how = {"normalise": run.config.normalise, "reverse": run.config.reverse}
    held_out = prepare(corpus, mode=mode, **how).held_out
    return run.loss_on(held_out) if held_out else float("nan")


def ends(pieces: Sequence[np.ndarray], *, backwards: bool) -> tuple[float, float]:
    """% of pieces (T, 78, 2) that end on the tonic, and % of all steps that are on it.

    What a network of backwards music was given to begin with is not counted as its ending.
    """
    given = GIVEN if backwards else 0
    at_the_end, anywhere = endings([piece[: len(piece) - given] for piece in pieces])
    return 100 * at_the_end, 100 * anywhere
