"""The paper's experiments in one place: what the notebooks train, compose, judge and write down."""

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import musiclib.base.loading  # noqa: F401 (first: it tells who waits)
from musiclib.base.errors import InputError
from musiclib.base.parallel import side_by_side
from musiclib.base.seeds import seeds_of
from musiclib.composing.folders import compose_run
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import Corpus
from musiclib.mending.folders import load_machine, mend_folder
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.midi_folder import read_whole_folder
from musiclib.paper import profiles
from musiclib.paper.chosen import chosen_corpus
from musiclib.paper.judging import judge, judge_folder, judges
from musiclib.paper.record import Record
from musiclib.paper.variants import KINDS, run_config
from musiclib.training.precision import Precision, check_precision
from musiclib.training.runs import RUNS, Run, RunConfig, find
from musiclib.training.train import music_of, train_runs, workers


class Study(Record):
    """One profile on one corpus with some seeds, as a notebook's parameters name them.

    `corpus` is a folder of MIDI files, a saved corpus (.npz), a name of `corpus.collections`, or
    "" for what `chosen_corpus` finds there;
    `precision` is what the products of training are computed in: fp32, tf32 or bf16.
    """

    def __init__(
        self,
        profile: str,
        corpus: str = "",
        seeds: int = 1,
        precision: Precision = "fp32",
        runs: Path = RUNS,
    ) -> None:
        seeds = seeds_of(seeds)
        check_precision(precision)
        scale = profiles.profile(profile)
        super().__init__(scale, chosen_corpus(profile, corpus), seeds, precision)
        self.runs = runs

    @cached_property
    def corpus(self) -> Corpus:
        """The music as read."""
        return read_corpus(self.folder, self.profile.scores_per_group)

    @cached_property
    def music(self) -> Corpus:
        """The music as trained on: in C major or A minor."""
        return prepare(self.corpus, normalise=True)

    def config(self, model: str, kind: str, seed: int) -> RunConfig:
        """The run of a model and a kind; raises InputError for a kind not in VARIANTS."""
        return run_config(self.profile, model, kind, seed, self.precision)

    def train(self, model: str, kinds: tuple[str, ...] = KINDS) -> dict[tuple[str, int], Run]:
        """The trained runs by (kind, seed): trained now, side by side, unless they were before."""
        configs = {(kind, s): self.config(model, kind, s) for kind in kinds for s in self.seeds}
        runs = train_runs(list(configs.values()), self.corpus, self.runs)
        for (kind, seed), run in zip(configs, runs, strict=True):
            self.note(run, f"{model} {kind} {seed}")
        return dict(zip(configs, runs, strict=True))

    def learned(self, model: str, kind: str) -> list[bool]:
        """Whether each seed's run learned more than what needs no learning."""
        return [self.run(model, kind, seed).verdict.learned for seed in self.seeds]

    def find(self, model: str, kind: str, seed: int) -> Run:
        """One run, trained or not."""
        return find(self.config(model, kind, seed), self.corpus, self.runs)

    def run(self, model: str, kind: str, seed: int) -> Run:
        """One run, trained before."""
        run = self.find(model, kind, seed)
        if not run.finished:
            raise InputError(
                f"{model} {kind}, seed {seed}, is not trained in profile {self.profile.name}:"
                f" make paper PROFILE={self.profile.name}"
            )
        self.note(run, f"{model} {kind} {seed}")
        return run

    def compose(
        self, model: str, checkpoints: tuple[int, ...], kinds: tuple[str, ...], mended: bool = False
    ) -> None:
        """Compose for every kind, seed and checkpoint, side by side, what was not composed yet.

        With `mended` the conditional RBM of the same seed mends what was composed.
        """
        size = self.profile.pieces, self.profile.steps
        todo = [(self.run(model, *ks), at) for *ks, at in product(kinds, self.seeds, checkpoints)]
        jobs = [
            (run, at, self.place(run, at), *size, music_of(run.config, self.corpus).main)
            for run, at in todo
            if not self.place(run, at).exists()
        ]
        side_by_side(compose_run, jobs, "composing", workers=workers())
        for run, at in todo if mended else ():
            self._mend(run, at)

    def place(self, run: Run, checkpoint: int, mended: bool = False) -> Path:
        """Where a run's composed pieces at a checkpoint lie, mended or not: 1.mid, 2.mid, ..."""
        return composed_folder(self.profile, run, checkpoint, mended)

    def _mend(self, run: Run, checkpoint: int) -> None:
        new = self.place(run, checkpoint, mended=True)
        if not new.exists():
            machine = self.run("conditional-rbm", "plain", run.config.seed).weights()
            mend_folder(load_machine(machine), self.place(run, checkpoint), new)

    def composed(self, run: Run, checkpoint: int, mended: bool = False) -> list[np.ndarray]:
        """The composed pieces of a run at a checkpoint, read back from MIDI as note states."""
        return list(read_whole_folder(self.place(run, checkpoint, mended)).values())

    def scores(
        self, model: str, checkpoints: tuple[int, ...], kinds: tuple[str, ...], mended: bool = False
    ) -> pd.DataFrame:
        """How what was composed is judged: a row a kind, seed and checkpoint.

        Columns: curriculum, seed, checkpoint, learned (whether the network did), those of `judge`.
        """
        keys = list(product(kinds, self.seeds, checkpoints))
        runs = [self.run(model, kind, seed) for kind, seed, _ in keys]
        jobs = [
            (
                self.place(run, at, mended),
                *(self.judges if run.config.normalise else self.judges_as_read),
            )
            for run, (*_, at) in zip(runs, keys, strict=True)
        ]
        judged = pd.DataFrame(side_by_side(judge_folder, jobs, "scoring"))
        table = pd.DataFrame(keys, columns=["curriculum", "seed", "checkpoint"]).join(judged)
        return table.assign(learned=[run.verdict.learned for run in runs])

    @cached_property
    def judges(self) -> tuple[list[np.ndarray], np.ndarray]:
        """What judges: the held-out pieces, and how often the main corpus plays each cell."""
        return judges(self.music)

    @cached_property
    def judges_as_read(self) -> tuple[list[np.ndarray], np.ndarray]:
        """The same with every piece in its own key."""
        return judges(self.corpus)

    def judge(self, sets: Sequence[Sequence[np.ndarray]]) -> pd.DataFrame:
        """How sets of pieces (T, 78, 2) are judged, a row each: the columns of `judge`."""
        jobs = [(pieces, *self.judges) for pieces in sets]
        return pd.DataFrame(side_by_side(judge, jobs, "scoring"))

    def real(self, seed: int, count: int | None = None) -> list[np.ndarray]:
        """Excerpts of the main corpus as long as composed pieces, and as many unless told."""
        from musiclib.metrics.evaluation import (
            as_many,  # here: its classifier takes a second to import
        )

        longest = self.profile.steps // STEPS_PER_BAR
        pieces = {piece.name: piece.states for piece in self.music.main}
        count = self.profile.pieces * longest if count is None else count
        return list(as_many(pieces, count, longest, seed).values())


def composed_folder(
    profile: profiles.Profile, run: Run, checkpoint: int, mended: bool = False
) -> Path:
    """The folder of a run's composed pieces, as many and as long as the profile has them."""
    name = f"composed-{checkpoint}-{profile.pieces}x{profile.steps}"
    return run.directory / (name + "-mended" * mended)
