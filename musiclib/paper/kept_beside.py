"""What stands beside the scores of a kept run: its music, and what section 4 asks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from musiclib.corpus.sets import Corpus, states_of
from musiclib.music.bars import bars, density
from musiclib.paper.between_samples import struck_between
from musiclib.paper.curves import published_batch
from musiclib.paper.kept_numbers import HEARD, SECTION_4
from musiclib.paper.section_4 import ends, loss_by_mode
from musiclib.paper.study import Study
from musiclib.training.runs import Run
from musiclib.training.train import music_of


def about_music(study: Study, run: Run, real: Mapping[str, float], about: str) -> dict[str, Any]:
    """What the corpus is, and what of its music is set beside what was composed.

    `real` is how excerpts of the main corpus are judged, empty where nothing was composed.
    """
    music = music_of(run.config, study.corpus)
    held_out = states_of(music.held_out)
    between = struck_between(bars([*held_out[:1], *held_out]))  # as ISL has them
    return {
        "about": about,
        "pieces": {name: len(pieces) for name, pieces in music.sets.items()},
        "density": density(states_of(music.main)),
        "keys per sample of held-out music": float(held_out_roll(music)[1:].sum(axis=1).mean()),
        "% of held-out bars struck between samples": 100 * float(between.mean()),
        "bits saved by excerpts of main": real.get("bits"),
        "profile": {"pieces": study.profile.pieces, "steps": study.profile.steps},
    }


def held_out_roll(music: Corpus) -> np.ndarray:
    """The beginning of the held-out music as a piano roll, (at most `HEARD`, 88)."""
    return np.concatenate([np.asarray(piece.roll) for piece in music.held_out])[:HEARD]


@torch.no_grad()
def predicted(run: Run, label: int | str, music: Corpus) -> float:
    """Keys down per sample that the LSTM expects while it hears the held-out music."""
    roll = torch.as_tensor(held_out_roll(music)).float()
    logits, _ = run.model(label)(roll[None, :-1])
    return float(torch.sigmoid(logits).sum(dim=-1).mean())


def section_4(study: Study, run: Run, at: int) -> dict[str, float | None]:
    """What section 4 asks of a biaxial RNN; None for a mode without held-out pieces.

    `at` is the checkpoint whose pieces are looked at.
    """
    scale = published_batch(study.profile.biaxial)
    losses = [scale * loss_by_mode(run, study.corpus, mode) for mode in ("all", "major")]
    resolved = ends(study.composed(run, at), backwards=run.config.reverse)
    values = dict(zip(SECTION_4, (*losses, *resolved), strict=True))
    return {what: None if np.isnan(value) else float(value) for what, value in values.items()}
