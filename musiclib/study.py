"""The paper's experiments in one place: what the notebooks train, compose, judge and write down."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from musiclib import corpus as corpora
from musiclib import profiles
from musiclib.compositions import compose_run, composition_folder
from musiclib.errors import InputError
from musiclib.files import ROOT, digest, write_json, write_text
from musiclib.isl import isl_of_pieces
from musiclib.measures import density
from musiclib.parallel import side_by_side
from musiclib.runs import Run, RunConfig, find, train_runs, workers
from musiclib.sources import read_folder

KINDS = {"plain": False, "curriculum": True}


class Study:
    """One profile on one corpus with some seeds, as a notebook's parameters name them.

    `corpus` is a folder of MIDI files, a saved corpus (.npz), or "" for music21's scores.
    """

    def __init__(self, profile: str, corpus: str = "", seeds: int = 1) -> None:
        if not isinstance(seeds, int) or seeds < 1:
            raise InputError(f"SEEDS={seeds}: give a whole number of at least 1")
        self.profile = profiles.profile(profile)
        self.folder, self.seeds = corpus, range(seeds)
        self.figures = ROOT / "figures" / profile
        self.results = ROOT / "results" / profile

    @cached_property
    def corpus(self) -> corpora.Corpus:
        """The music as read."""
        return corpora.read_corpus(self.folder, self.profile.scores_per_group)

    @cached_property
    def music(self) -> corpora.Corpus:
        """The music as trained on: in C major or A minor."""
        return corpora.prepare(self.corpus, normalise=True)

    def configs(self, model: str) -> dict[tuple[str, int], RunConfig]:
        """The runs of "lstm" or "biaxial": without and with curriculum, a run a seed."""
        base = RunConfig(
            self.profile.config(model),
            held_out_every=self.profile.held_out_every[model],
            held_out_batches=self.profile.held_out_batches,
        )
        return {
            (kind, seed): replace(base, curriculum=curriculum, seed=seed)
            for kind, curriculum in KINDS.items()
            for seed in self.seeds
        }

    def train(self, model: str) -> dict[tuple[str, int], Run]:
        """The trained runs by (kind, seed): trained now, side by side, unless they were before."""
        configs = self.configs(model)
        return dict(zip(configs, train_runs(list(configs.values()), self.corpus), strict=True))

    def run(self, model: str, kind: str, seed: int) -> Run:
        """One run, trained before."""
        run = find(self.configs(model)[kind, seed], self.corpus)
        if not run.finished:
            raise InputError(f"{run.directory} is not trained: run the training notebooks first")
        return run

    def compose(self, model: str, checkpoints: tuple[int, ...], kinds: tuple[str, ...]) -> None:
        """Compose for every kind, seed and checkpoint, side by side, what was not composed yet."""
        jobs = [
            (self.run(model, kind, seed), checkpoint, self.profile)
            for kind in kinds
            for seed in self.seeds
            for checkpoint in checkpoints
        ]
        missing = [job for job in jobs if not composition_folder(*job).exists()]
        main = self.music.main
        jobs = [(*job, main) for job in missing]
        side_by_side(compose_run, jobs, "composing", workers=workers())

    def composed(self, run: Run, checkpoint: int) -> list[np.ndarray]:
        """The composed pieces of a run at a checkpoint, read back from MIDI as note states."""
        return list(read_folder(composition_folder(run, checkpoint, self.profile)).values())

    def scores(
        self, model: str, checkpoints: tuple[int, ...], kinds: tuple[str, ...]
    ) -> pd.DataFrame:
        """ISL and density of what was composed: a row a kind, seed and checkpoint.

        Columns: curriculum, seed, checkpoint, isl (NaN where all held-out measures were dropped),
        generated_measures, held_out_measures, dropped, density (notes a step).
        """
        held_out = corpora.states_of(self.music.held_out)
        rows = []
        for kind in kinds:
            for seed in self.seeds:
                run = self.run(model, kind, seed)
                for checkpoint in checkpoints:
                    pieces = self.composed(run, checkpoint)
                    score = isl_of_pieces(pieces, held_out)._asdict()
                    key = {"curriculum": kind, "seed": seed, "checkpoint": checkpoint}
                    rows.append(key | score | {"density": density(pieces)})
        return pd.DataFrame(rows).astype({"isl": float})

    def save_result(self, name: str, numbers: dict[str, Any], **more: Any) -> Path:
        """Write results/<profile>/<name>.json: the numbers and what they rest on."""
        path = self.results / f"{name}.json"
        write_json(
            path,
            {
                "notebook": name,
                "profile": self.profile.name,
                "corpus": {"folder": self.folder_name, "checksum": self.corpus.checksum},
                "seeds": len(self.seeds),
                "configuration": digest(repr(self.profile)),
                "numbers": numbers,
                **more,
            },
        )
        return path

    @property
    def folder_name(self) -> str:
        """The corpus as results name it; not its path, which means nothing elsewhere."""
        return Path(self.folder).expanduser().resolve().name if self.folder else "music21"

    @property
    def label(self) -> str:
        """What stands under figures: the profile, the corpus, the number of seeds."""
        seeds = f"{len(self.seeds)} seed{'s' * (len(self.seeds) > 1)}"
        scale = "as published" if self.profile.name == "paper" else "scaled down"
        return f"profile {self.profile.name} ({scale}), corpus {self.folder_name}, {seeds}"

    def save_table(self, name: str, markdown: str, csv: str) -> None:
        """Write a table as Markdown and as CSV."""
        write_text(self.figures / f"{name}.md", markdown)
        write_text(self.figures / f"{name}.csv", csv)
