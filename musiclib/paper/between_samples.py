"""Bars that the LSTM cannot play: those with a note struck between its samples.

Its piano roll has a sample for every second step (section 2.4.1: every 0.3 s). Such bars play a
cell that no piece of its plays, so that ISL leaves them out, whatever the network has learned.
"""

import numpy as np

from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.note_states import ARTICULATE, NOTES
from musiclib.music.piano_roll import SIXTEENTHS_PER_SAMPLE


def struck_between(table: np.ndarray) -> np.ndarray:
    """Whether bars (n, 2496) have a note struck between two samples: bool (n,)."""
    struck = table.reshape(-1, STEPS_PER_BAR, NOTES, 2)[..., ARTICULATE].any(axis=2)
    return struck[:, np.arange(STEPS_PER_BAR) % SIXTEENTHS_PER_SAMPLE > 0].any(axis=1)
