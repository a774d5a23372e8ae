"""Composed music judged by a network that did not compose it: its log-likelihood per frame.

The judge is the biaxial RNN over 88 keys, trained on the main corpus with the recipe of the
benchmark. It hears what sounds at every other sixteenth: what the LSTM's music, whose samples are
as long, and that of the biaxial RNN have in common; whether a note is struck anew it does not hear.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from musiclib.base.parallel import side_by_side
from musiclib.corpus.sets import Corpus
from musiclib.models.likelihood import frame_log_likelihoods, per_frame
from musiclib.music.representations import roll_of
from musiclib.paper.study import Study
from musiclib.training.runs import Run, RunConfig
from musiclib.training.train import train_runs, workers

TINY = 1e-9
JUDGES = ("nats", "bits", "isl", "density")


def in_frames(music: Corpus) -> Corpus:
    """The corpus with rolls that hold what sounds at every other sixteenth."""
    sets = {
        name: [piece._replace(roll=roll_of(np.asarray(piece.states))) for piece in pieces]
        for name, pieces in music.sets.items()
    }
    return replace(music, sets=sets)


def train_judges(study: Study) -> list[Run]:
    """A judge for each seed, trained on the music as the others are."""
    configs = [
        RunConfig(
            study.profile.biaxial_roll,
            seed=seed,
            normalise=False,  # it is already
            held_out_every=study.profile.held_out_every["biaxial-roll"],
            held_out_batches=study.profile.held_out_batches,
        )
        for seed in study.seeds
    ]
    return train_runs(configs, in_frames(study.music), study.runs)


def scores(
    study: Study,
    judges: Sequence[Run],
    model: str,
    checkpoints: tuple[int, ...],
    kinds: tuple[str, ...],
) -> pd.DataFrame:
    """`Study.scores`, with the column nats: log-likelihood per frame by the judge of the seed."""
    table = study.scores(model, checkpoints, kinds)
    jobs = [
        (judges[seed], study.composed(study.run(model, kind, seed), at))
        for kind, seed, at in table[["curriculum", "seed", "checkpoint"]].itertuples(index=False)
    ]
    nats = side_by_side(log_likelihood, jobs, "judging", workers=workers())
    return table.assign(model=model, nats=nats)


def log_likelihood(judge: Run, pieces: Sequence[np.ndarray]) -> float:
    """Log-likelihood per frame of pieces (T, 78, 2) by a judge, all frames of all pieces alike."""
    return per_frame(frame_log_likelihoods(judge.model(), [roll_of(piece) for piece in pieces]))


def agreement(table: pd.DataFrame, within: str) -> pd.DataFrame:
    """Spearman's rank correlations of judges, and with density, of the sets of each `within`.

    `within` is "seed", over all of a seed's training, or "checkpoint", between networks that have
    trained as long. Columns model, `within`, pair, rho, and the partial correlation given density,
    missing where a judge is density itself or sorts as it does.
    """
    rows = [
        {"model": model, within: value, "pair": f"{one} and {other}",
         "rho": rho.loc[one, other], "given density": _partial(rho, one, other, "density")}
        for (model, value), part in table.groupby(["model", within], sort=False)
        for rho in [part[list(JUDGES)].corr(method="spearman")]
        for one, other in combinations(JUDGES, 2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _partial(rho: pd.DataFrame, one: str, other: str, given: str) -> float:
    """The correlation of two that is left when each is freed from a third."""
    a, b = rho.loc[one, given], rho.loc[other, given]
    left = (1 - a**2) * (1 - b**2)
    return (rho.loc[one, other] - a * b) / math.sqrt(left) if left > TINY else math.nan
