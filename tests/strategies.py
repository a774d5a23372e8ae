"""Random music, made without musiclib."""

import numpy as np
from hypothesis import strategies as st

from musiclib.music.note_states import write_note_states

PLAY, STRUCK = 0, 1


def random_states(steps, seed, density=0.05, low=0, high=78):
    """Legal note states (steps, 78, 2): what sounds out of silence is struck, only sounds are."""
    rng = np.random.default_rng(seed)
    play = np.zeros((steps, 78), bool)
    for note in range(low, high):
        step = 0
        while step < steps:
            length = int(rng.integers(1, 7))
            play[step : step + length, note] = rng.random() < density
            step += length
    before = np.vstack([np.zeros((1, 78), bool), play[:-1]])
    struck = play & (~before | (rng.random(play.shape) < 0.2))
    return np.stack([play, struck], axis=-1).astype(np.uint8)


@st.composite
def legal_states(draw, min_steps=1, max_steps=40, low=0, high=78):
    """Legal note states, now and then silent at the end or full to the last step."""
    steps = draw(st.integers(min_steps, max_steps))
    density = draw(st.sampled_from([0.0, 0.01, 0.05, 0.3, 1.0]))
    states = random_states(steps, draw(st.integers(0, 2**32)), density, low, high)
    states[steps - draw(st.integers(0, steps)) :] = draw(st.sampled_from([1, 1, 0])) * states[-1:]
    return repaired(states)


def repaired(states):
    """Legal states: held notes stay, what sounds out of silence is struck."""
    play = states[..., PLAY].astype(bool)
    before = np.vstack([np.zeros((1, 78), bool), play[:-1]])
    struck = play & (states[..., STRUCK].astype(bool) | ~before)
    return np.stack([play, struck], axis=-1).astype(np.uint8)


def hand_states(steps, *notes):
    """Note states of (pitch, first step, steps) triples, each struck once and held."""
    states = np.zeros((steps, 78, 2), np.uint8)
    for pitch, first, length in notes:
        states[first : first + length, pitch - 24, PLAY] = 1
        states[first, pitch - 24, STRUCK] = 1
    return states


def note_list(states):
    """(onset, end, pitch from 0) of every note of legal states, by onset, then pitch."""
    found = []
    for onset in range(len(states)):
        for pitch in range(78):
            if states[onset, pitch, STRUCK]:
                end = onset + 1
                while end < len(states) and states[end, pitch].tolist() == [1, 0]:
                    end += 1
                found.append((onset, end, pitch))
    return found


def scale_piece(root=60, steps=160, seed=0):
    """A piece in the major key of `root`: a tune over its cadence I-IV-V-I, four steps a chord."""
    rng = np.random.default_rng(seed)
    notes = []
    for step in range(0, steps - 3, 4):
        chord = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7))[step // 4 % 4]
        notes += [(root - 12 + n, step, 4) for n in (chord[0], *chord[1:])]
        degree = rng.choice([0, 2, 4, 5, 7, 9, 11, 12], 2)
        notes += [(root + 12 + int(degree[0]), step, 2), (root + 12 + int(degree[1]), step + 2, 2)]
    return hand_states(steps, *notes)


def write_scales(folder, keys):
    """Twelve scales as MIDI files, in so many keys by turns, each with a rhythm of its own."""
    rng = np.random.default_rng(0)
    for index in range(12):
        piece = np.roll(scale_piece(steps=192), index % keys, axis=1)
        piece[rng.random(len(piece)) < 0.2] = 0
        write_note_states(piece, folder / f"{index}.mid")
