"""Real pieces for tests: music21's scores, and piano pieces drawn with a fixed seed."""

from functools import cache

import numpy as np
from music21.corpus.corpora import CoreCorpus

from musiclib.music.note_states import read_note_states

BAR = 16  # steps
HELD_OUT, SHORT, LONG = 40, 25, 100  # pieces; bars of a held-out and of another piece at most
OTHERS = 2000  # bars


def shipped(folder, suffix, most=None):
    """Paths of music21's scores in a folder of its corpus, at most so many, evenly spread."""
    paths = [
        path
        for path in sorted(CoreCorpus().getPaths())
        if folder in (path.parent.name, path.parent.parent.name) and suffix in path.suffix
    ]
    most = min(most or len(paths), len(paths))
    return [paths[i * len(paths) // most] for i in range(most)]


@cache
def held_out_and_others(folder):
    """Forty pieces, 25 bars each at most, and 2,000 bars of other pieces."""
    paths = sorted(folder.glob("*/*.mid"))
    order = np.random.default_rng(0).permutation(len(paths))
    held_out = [beginning(paths[i], SHORT) for i in order[:HELD_OUT]]
    others, missing = [], OTHERS
    for i in order[HELD_OUT:]:
        others.append(beginning(paths[i], min(LONG, missing)))
        missing -= len(others[-1]) // BAR
        if not missing:
            return held_out, others
    raise AssertionError(f"{folder} holds too little music")


def beginning(path, bars):
    states = read_note_states(path, metre="all")
    return states[: min(len(states) // BAR, bars) * BAR]
