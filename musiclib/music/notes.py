"""Note states as lists of notes and back.

A note is (onset, end, pitch): the step of its strike, the step of the next strike or rest of its
pitch, and the pitch as an index from 0 to 77.
"""

import numpy as np

from musiclib.music.note_states import ARTICULATE, NOTES, PLAY
from musiclib.music.transforms import legal

ONSET, END, PITCH = 0, 1, 2


def notes_of(states: np.ndarray) -> np.ndarray:
    """The notes of states (T, 78, 2), in order of onset, then pitch: int64 of shape (n, 3)."""
    states = legal(states)
    onset, pitch = np.nonzero(states[..., ARTICULATE])
    return np.stack([onset, _ends(states)[onset, pitch], pitch], axis=1)


def _ends(states: np.ndarray) -> np.ndarray:
    """For every cell (T, 78) the step at which what sounds there ends."""
    held_on = np.zeros(states.shape[:2], bool)
    held_on[:-1] = (states[1:, :, PLAY] == 1) & (states[1:, :, ARTICULATE] == 0)
    ends = np.arange(1, len(states) + 1)[:, None].repeat(states.shape[1], axis=1)
    for step in range(len(states) - 2, -1, -1):
        ends[step] = np.where(held_on[step], ends[step + 1], ends[step])
    return ends


def states_with(notes: np.ndarray, steps: int) -> np.ndarray:
    """Note states (steps, 78, 2) with these notes, of which no two overlap at a pitch."""
    states = np.zeros((steps, NOTES, 2), np.uint8)
    for onset, end, pitch in notes:
        states[onset:end, pitch, PLAY] = 1
    states[notes[:, ONSET], notes[:, PITCH], ARTICULATE] = 1
    return states
