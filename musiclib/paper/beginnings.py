"""How a composed piece of the baseline begins, and what fills it with notes (notebook 02).

The same weights compose from three beginnings. If the pieces that begin with fresh memory alone are
full of notes, it is the beginning that fills them, not what the network learned of music.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from musiclib.base.progress import waiting
from musiclib.composing.compose import compose, piece_seeds
from musiclib.models import PianoRollLSTM

HEARD = 64  # samples of another piece
FIRST = 16  # samples of a piece's own beginning
MUSIC = "in the music heard"
PREDICTED = "expected while hearing music"
AS_PUBLISHED = "composed as published"
WITH_BEGINNING = f"composed after a piece's first {FIRST} samples"
WITH_MEMORY = "composed with memory of another piece"


@waiting("composing from three beginnings")
def beginnings(
    model: PianoRollLSTM, rolls: Sequence[np.ndarray], samples: int, pieces: int, seed: int
) -> pd.DataFrame:
    """Keys down per sample, means over pieces: a row for each sample, a column for each beginning.

    As published a piece begins with fresh memory and one sample of a piece of `rolls` (T, 88). The
    first columns are real music heard from fresh memory: its keys, and those that are expected.
    """
    long = [roll for roll in rolls if len(roll) >= samples + HEARD] or [max(rolls, key=len)]
    drawn = np.random.default_rng(seed).integers(len(long), size=pieces)
    songs = [np.resize(long[i], (max(samples + HEARD, len(long[i])), 88)) for i in drawn]
    first = np.stack([song[:1] for song in songs])
    other = np.stack([song[-HEARD:] for song in songs[1:] + songs[:1]])  # the end of another one
    ways = {
        AS_PUBLISHED: first,
        WITH_BEGINNING: np.stack([song[:FIRST] for song in songs]),
        WITH_MEMORY: np.concatenate([other, first], axis=1),
    }
    heard = np.stack([song[:samples] for song in songs])
    return pd.DataFrame(
        {MUSIC: heard.sum(axis=2).mean(axis=0), PREDICTED: _expected(model, heard)}
        | {way: _composed(model, primers, samples, seed) for way, primers in ways.items()},
        index=pd.RangeIndex(1, samples + 1, name="sample"),
    )


def _composed(model: PianoRollLSTM, primers: np.ndarray, samples: int, seed: int) -> np.ndarray:
    seeds, begun = piece_seeds(seed, len(primers)), primers.shape[1]
    music = compose(model, primers, begun + samples, seeds, conservativity="off")
    return music[:, begun:].sum(axis=2).mean(axis=0)


@torch.no_grad()
def _expected(model: PianoRollLSTM, heard: np.ndarray) -> np.ndarray:
    logits, _ = model.eval()(torch.from_numpy(heard))
    return torch.sigmoid(logits).sum(dim=-1).mean(dim=0).numpy()
