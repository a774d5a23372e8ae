"""The paper's experiments in one place: what the notebooks train, compose, judge and write down."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from musiclib import corpus as corpora
from musiclib import profiles, wall_time
from musiclib.bits_saved import bits_saved_of_pieces
from musiclib.compositions import Postprocess, compose_run, composition_folder
from musiclib.errors import InputError
from musiclib.files import ROOT, digest, write_json, write_text
from musiclib.isl import isl_of_pieces
from musiclib.measures import STEPS_PER_MEASURE, cell_frequencies, density
from musiclib.parallel import side_by_side
from musiclib.postprocessing import load_machine, mend_folder
from musiclib.runs import Run, RunConfig, find, train_runs, workers
from musiclib.sources import read_folder
from musiclib.training import Precision

KINDS = ("plain", "curriculum")
CHANGES = {
    "bernoulli": {"loss": "bernoulli"},
    "zero biases": {"biases": "zero"},
}


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
        wall_time.ready()

    @cached_property
    def corpus(self) -> corpora.Corpus:
        """The music as read."""
        return corpora.read_corpus(self.folder, self.profile.scores_per_group)

    @cached_property
    def music(self) -> corpora.Corpus:
        """The music as trained on: in C major or A minor."""
        return corpora.prepare(self.corpus, normalise=True)

    def config(self, model: str, kind: str, seed: int) -> RunConfig:
        """The run of a model: "plain", with "curriculum", on "minor" or "major", or of CHANGES.

        In the precision that pays here, unless it was trained in the other one, elsewhere perhaps.
        """
        here = self.profile.precision(model)
        configs = [self._config(model, kind, seed, p) for p in (here, "fp32", "bf16")]
        return next((c for c in configs if find(c, self.corpus).finished), configs[0])

    def _config(self, model: str, kind: str, seed: int, precision: Precision) -> RunConfig:
        return RunConfig(
            replace(self.profile.config(model), **CHANGES.get(kind, {})),
            curriculum=kind == "curriculum",
            mode=kind if kind in ("major", "minor") else "all",
            seed=seed,
            precision=precision,
            held_out_every=self.profile.held_out_every[model],
            held_out_batches=self.profile.held_out_batches,
        )

    def train(self, model: str, kinds: tuple[str, ...] = KINDS) -> dict[tuple[str, int], Run]:
        """The trained runs by (kind, seed): trained now, side by side, unless they were before."""
        configs = {(kind, s): self.config(model, kind, s) for kind in kinds for s in self.seeds}
        return dict(zip(configs, train_runs(list(configs.values()), self.corpus), strict=True))

    def run(self, model: str, kind: str, seed: int) -> Run:
        """One run, trained before."""
        run = find(self.config(model, kind, seed), self.corpus)
        if not run.finished:
            raise InputError(f"{run.directory} is not trained: run the training notebooks first")
        return run

    def compose(
        self,
        model: str,
        checkpoints: tuple[int, ...],
        kinds: tuple[str, ...],
        postprocess: Postprocess | None = None,
    ) -> None:
        """Compose for every kind, seed and checkpoint, side by side, what was not composed yet.

        With `postprocess="rbm"` the conditional RBM of the same seed mends what was composed.
        """
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
        if postprocess:
            for kind, seed, checkpoint in product(kinds, self.seeds, checkpoints):
                self._mend(self.run(model, kind, seed), checkpoint, postprocess)

    def _mend(self, run: Run, checkpoint: int, postprocess: Postprocess) -> None:
        mended = composition_folder(run, checkpoint, self.profile, postprocess)
        if not mended.exists():
            machine = self.run("conditional-rbm", "plain", run.config.seed).weights()
            unmended = composition_folder(run, checkpoint, self.profile)
            mend_folder(load_machine(machine), unmended, mended)

    def composed(
        self, run: Run, checkpoint: int, postprocess: Postprocess | None = None
    ) -> list[np.ndarray]:
        """The composed pieces of a run at a checkpoint, read back from MIDI as note states."""
        folder = composition_folder(run, checkpoint, self.profile, postprocess)
        return list(read_folder(folder).values())

    def scores(
        self,
        model: str,
        checkpoints: tuple[int, ...],
        kinds: tuple[str, ...],
        postprocess: Postprocess | None = None,
    ) -> pd.DataFrame:
        """How what was composed is judged: a row a kind, seed and checkpoint.

        Columns: curriculum, seed, checkpoint, those of `judge`.
        """
        keys = list(product(kinds, self.seeds, checkpoints))
        jobs = [
            (
                composition_folder(self.run(model, kind, seed), at, self.profile, postprocess),
                *self.judges,
            )
            for kind, seed, at in keys
        ]
        judged = side_by_side(_judge_folder, jobs, "scoring")
        names = ("curriculum", "seed", "checkpoint")
        return pd.DataFrame(
            [dict(zip(names, key, strict=True)) | j for key, j in zip(keys, judged, strict=True)]
        )

    @cached_property
    def judges(self) -> tuple[list[np.ndarray], np.ndarray]:
        """What judges: the held-out pieces, and how often the main corpus plays each cell."""
        return corpora.states_of(self.music.held_out), cell_frequencies(
            corpora.states_of(self.music.main)
        )

    def judge(self, sets: Sequence[Sequence[np.ndarray]]) -> pd.DataFrame:
        """How sets of pieces (T, 78, 2) are judged, a row each: the columns of `judge`."""
        jobs = [(pieces, *self.judges) for pieces in sets]
        return pd.DataFrame(side_by_side(judge, jobs, "scoring"))

    def real(self, seed: int, count: int | None = None) -> list[np.ndarray]:
        """Excerpts of the main corpus as long as composed pieces, and as many unless told."""
        from musiclib.evaluation import as_many  # here: its classifier takes a second to import

        longest = self.profile.steps // STEPS_PER_MEASURE
        pieces = {piece.name: piece.states for piece in self.music.main}
        count = self.profile.pieces * longest if count is None else count
        return list(as_many(pieces, count, longest, seed).values())

    def save_result(self, name: str, numbers: dict[str, Any], **more: Any) -> Path:
        """Write results/<profile>/<name>.json: the numbers, what they rest on, where time went."""
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
                "wall_time": wall_time.breakdown(),
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


def judge(
    pieces: Sequence[np.ndarray], held_out: Sequence[np.ndarray], given: np.ndarray
) -> dict[str, float]:
    """ISL, what it drops (count, %), bits saved a note with interval, and density of pieces.

    `given` (2496,) is how often the reference plays each cell. `isl` is NaN where all held-out
    measures were dropped, the interval where there is one held-out piece alone.
    """
    score = isl_of_pieces(pieces, held_out)
    bits = bits_saved_of_pieces(pieces, held_out, given)
    return {
        **score._asdict(),
        "isl": np.nan if score.isl is None else score.isl,
        "dropped_share": 100 * score.dropped / score.held_out_measures,
        "bits": bits.value,
        "bits_low": np.nan if bits.low is None else bits.low,
        "bits_high": np.nan if bits.high is None else bits.high,
        "density": density(pieces),
    }


def _judge_folder(
    folder: Path, held_out: Sequence[np.ndarray], given: np.ndarray
) -> dict[str, float]:
    return judge(list(read_folder(folder).values()), held_out, given)
