"""How the paper's notebooks judge a set of pieces: one row of numbers for each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from musiclib.corpus.sets import Corpus, states_of
from musiclib.metrics.bits_saved import bits_saved_of_pieces
from musiclib.metrics.isl import isl_of_pieces
from musiclib.music.bars import cell_frequencies, density
from musiclib.music.midi_folder import read_whole_folder


def judges(music: Corpus) -> tuple[list[np.ndarray], np.ndarray]:
    """What judges: the held-out pieces, and how often the main corpus plays each cell."""
    return states_of(music.held_out), cell_frequencies(states_of(music.main))


def judge(
    pieces: Sequence[np.ndarray], held_out: Sequence[np.ndarray], given: np.ndarray
) -> dict[str, float]:
    """ISL, what it drops (count, %), bits saved per note with interval, and density of pieces.

    `given` (2496,) is how often the reference plays each cell. `isl` is NaN where all held-out
    bars were dropped, the interval where there is one held-out piece alone.
    """
    score = isl_of_pieces(pieces, held_out)
    bits = bits_saved_of_pieces(pieces, held_out, given)
    return {
        **score._asdict(),
        "isl": np.nan if score.isl is None else score.isl,
        "dropped_share": 100 * score.dropped / score.held_out_bars,
        "bits": bits.value,
        "bits_low": np.nan if bits.low is None else bits.low,
        "bits_high": np.nan if bits.high is None else bits.high,
        "density": density(pieces),
    }


def judge_folder(
    folder: Path, held_out: Sequence[np.ndarray], given: np.ndarray
) -> dict[str, float]:
    """`judge` the MIDI files of a folder."""
    return judge(list(read_whole_folder(folder).values()), held_out, given)
