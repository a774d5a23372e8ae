"""The trials of notebook 10: what mends corrupted music, and what turns major into minor."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from musiclib.base.device import device
from musiclib.base.parallel import side_by_side
from musiclib.base.progress import waiting
from musiclib.mending.mend import Way, baseline, choose, tuned
from musiclib.mending.ways import cell_by_cell, conditional, votes
from musiclib.metrics.note_f1 import f1, likeness
from musiclib.models import ConditionalRBM
from musiclib.models.checkpoints import load_weights
from musiclib.music.corrupted import WRONG, corrupt
from musiclib.music.keys import estimate_key
from musiclib.music.notes import notes_of
from musiclib.music.transforms import legal, shift
from musiclib.paper.study import Study

SHARE = 0.1
EXCERPT = 320  # steps
TUNED_ON = 8  # excerpts of training pieces
MOST = 24  # held-out excerpts

NOTHING, NO_MACHINE = "as it is", "no machine"
NO_HIDDEN = "conditional RBM, hidden units off"
UNITS = {
    "F1 as given": "F1 of strikes",
    "gain": "F1 of strikes above the excerpt as it is",
    "gain of sounding cells": "F1 above the excerpt as it is",
    "density": "ratio to the original's",
}
TURNED = {
    "in A minor": "share of excerpts",
    "in A major": "share of excerpts",
    "F1 to the excerpt": "F1 of strikes",
}
DOWN = -3  # semitones from C to A

Restore = Callable[[np.ndarray], np.ndarray]


def excerpts(pieces: list[np.ndarray], most: int, seed: int) -> list[np.ndarray]:
    """At most `most` pieces in random order, of each one the first steps, as legal note states."""
    order = np.random.default_rng(seed).permutation(len(pieces))[:most]
    return [legal(pieces[index][:EXCERPT]) for index in order]


def restoration(study: Study) -> pd.DataFrame:
    """How every way mends corrupted and clean excerpts of held-out pieces, means over them.

    Columns: way, seed, music ("clean" or the kind of wrong notes), those of UNITS, and notes, how
    many the originals have.
    """
    main, held_out = ([p.states for p in s] for s in (study.music.main, study.music.held_out))
    jobs = [
        (
            way,
            *(study.run(model, "plain", seed).weights() for model in ("rbm", "conditional-rbm")),
            excerpts(main, TUNED_ON, seed),
            excerpts(held_out, MOST, seed),
            seed,
        )
        for way, seed in product(WAYS, study.seeds)
    ]
    return pd.concat(side_by_side(_try, jobs, "restoring"), ignore_index=True)


def _try(
    way: str,
    windows: Path,
    conditions: Path,
    training: list[np.ndarray],
    held_out: list[np.ndarray],
    seed: int,
) -> pd.DataFrame:
    """One way with the machines of one seed on all kinds of music."""
    machines = [load_weights(path)[0].to(device()) for path in (windows, conditions)]
    restore = WAYS[way](*machines, training, seed)
    rows = [
        {"way": way, "seed": seed, "music": music} | means(restore, held_out, music, seed)
        for music in (*WRONG, "clean")
    ]
    return pd.DataFrame(rows)


def means(restore: Restore, originals: list[np.ndarray], music: str, seed: int) -> dict:
    """Means over originals of UNITS, corrupted or "clean", and how many notes they have."""
    given = [_given(piece, music, [seed, i]) for i, piece in enumerate(originals)]
    ours = np.mean([likeness(restore(g), o) for g, o in zip(given, originals, strict=True)], axis=0)
    before = np.mean([likeness(g, o) for g, o in zip(given, originals, strict=True)], axis=0)
    gains = ours[:2] - before[:2]
    notes = sum(len(notes_of(piece)) for piece in originals)
    return dict(zip(UNITS, (before[0], *gains, ours[2]), strict=True)) | {"notes": notes}


def _given(piece: np.ndarray, music: str, seed: list[int]) -> np.ndarray:
    if music == "clean":
        return piece
    return corrupt(piece, SHARE, np.random.default_rng(seed), music)


def _tuned(way: Way, training: list[np.ndarray], seed: int) -> Restore:
    """Music by the chances of a way, with the thresholds that suit it on training music."""
    rng = np.random.default_rng(seed)
    kinds = np.resize(WRONG, len(training))
    pairs = [(p, corrupt(p, SHARE, rng, k)) for p, k in zip(training, kinds, strict=True)]
    thresholds = tuned(pairs, way)
    return lambda states: choose(states, way(states), *thresholds)


def without_hidden(machine: ConditionalRBM) -> ConditionalRBM:
    """A conditional RBM whose hidden units say nothing: biases from the music around alone."""
    deaf = deepcopy(machine)
    nn.init.zeros_(deaf.coupling)
    return deaf


WAYS: dict[str, Callable[..., Restore]] = {
    NOTHING: lambda rbm, crbm, training, seed: np.copy,
    NO_MACHINE: lambda rbm, crbm, training, seed: baseline,
    "one step, votes": lambda rbm, crbm, *rest: _tuned(partial(votes, rbm), *rest),
    NO_HIDDEN: lambda rbm, crbm, *rest: _tuned(partial(conditional, without_hidden(crbm)), *rest),
    "conditional RBM, cell by cell": lambda rbm, crbm, training, seed: (
        lambda states: cell_by_cell(conditional(crbm, states))
    ),
    "conditional RBM": lambda rbm, crbm, training, seed: (
        lambda states: choose(states, conditional(crbm, states))
    ),
}


MODES = ("minor", "major")


@waiting("looking for pieces to turn")
def turnable(study: Study) -> bool:
    """Whether there are training pieces of both modes, and held-out excerpts in C major."""
    modes = {estimate_key(piece.states, "paper").mode for piece in study.music.main}
    return modes == set(MODES) and bool(_in_a_major(study))


def major_to_minor(study: Study) -> pd.DataFrame:
    """Held-out excerpts in major, moved to A, one step through RBMs of minor and of major pieces.

    Columns: trained on ("minor" or "major"), seed, those of TURNED, and excerpts, how many.
    """
    moved, keys = _in_a_major(study), list(product(MODES, study.seeds))
    jobs = [(study.run("rbm", mode, seed).weights(), moved) for mode, seed in keys]
    rows = side_by_side(_turn, jobs, "turning")
    return pd.DataFrame(
        {"trained on": mode, "seed": seed} | row
        for (mode, seed), row in zip(keys, rows, strict=True)
    )


def _in_a_major(study: Study) -> list[np.ndarray]:
    pieces = [piece.states for piece in study.music.held_out]
    major = [
        x for x in excerpts(pieces, len(pieces), 0) if estimate_key(x, "paper")[:2] == (0, "major")
    ]
    return [shift(excerpt, DOWN) for excerpt in major][:MOST]


def _turn(weights: Path, excerpts: list[np.ndarray]) -> dict[str, float]:
    machine = load_weights(weights)[0].to(device())
    turned = [cell_by_cell(votes(machine, excerpt)) for excerpt in excerpts]
    keys = [estimate_key(piece, "paper") for piece in turned]
    shares = [np.mean([key[:2] == (9, mode) for key in keys]) for mode in ("minor", "major")]
    alike = np.mean([f1(piece, given) for piece, given in zip(turned, excerpts, strict=True)])
    return dict(zip(TURNED, (*shares, alike), strict=True)) | {"excerpts": len(excerpts)}
