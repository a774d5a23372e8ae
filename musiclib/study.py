"""The paper's experiments in one place: what the notebooks train, compose, judge and write down."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

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
from musiclib.models import PUBLISHED, computed_in
from musiclib.parallel import side_by_side
from musiclib.postprocessing import load_machine, mend_folder
from musiclib.runs import Run, RunConfig, find, music_of, train_runs, workers
from musiclib.sources import read_folder
from musiclib.training import Precision, check_precision

KINDS = ("plain", "curriculum")


class Variant(NamedTuple):
    """How a run differs from a plain one: in its model's configuration, and in the run's."""

    model: Mapping[str, Any] = {}
    run: Mapping[str, Any] = {}


VARIANTS = {
    "plain": Variant(),
    "curriculum": Variant(run={"curriculum": True}),
    "published": Variant(),  # of each network its own: models.PUBLISHED
    "own keys": Variant(run={"normalise": False}),
    "backwards": Variant(run={"reverse": True}),
    "major": Variant(run={"mode": "major"}),
    "minor": Variant(run={"mode": "minor"}),
    "as much as major": Variant(run={"as_much_as": "major"}),
    "bernoulli": Variant(model={"loss": "bernoulli"}),
    "zero biases": Variant(model={"biases": "zero"}),
}


class Study:
    """One profile on one corpus with some seeds, as a notebook's parameters name them.

    `corpus` is a folder of MIDI files, a saved corpus (.npz), or "" for music21's scores;
    `precision` is what the products of training are computed in: fp32, tf32 or bf16.
    """

    def __init__(
        self, profile: str, corpus: str = "", seeds: int = 1, precision: Precision = "fp32"
    ) -> None:
        if not isinstance(seeds, int) or seeds < 1:
            raise InputError(f"SEEDS={seeds}: give a whole number of at least 1")
        check_precision(precision)
        self.precision, self.trained_with = precision, set()
        self.learned_by_run: dict[str, bool] = {}
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
        """The run of a model and a kind, one of VARIANTS; raises InputError for another kind."""
        if kind not in VARIANTS:
            raise InputError(f"unknown kind of run {kind!r}: choose one of {', '.join(VARIANTS)}")
        variant = VARIANTS[kind]
        changes = PUBLISHED[model] if kind == "published" else variant.model
        configured = replace(self.profile.config(model), **changes)
        return RunConfig(
            configured,
            seed=seed,
            precision=computed_in(configured, self.precision),
            held_out_every=self.profile.held_out_every[model],
            held_out_batches=self.profile.held_out_batches,
            **variant.run,
        )

    def train(self, model: str, kinds: tuple[str, ...] = KINDS) -> dict[tuple[str, int], Run]:
        """The trained runs by (kind, seed): trained now, side by side, unless they were before."""
        configs = {(kind, s): self.config(model, kind, s) for kind in kinds for s in self.seeds}
        runs = train_runs(list(configs.values()), self.corpus)
        for (kind, seed), run in zip(configs, runs, strict=True):
            self.note(run, f"{model} {kind} {seed}")
        return dict(zip(configs, runs, strict=True))

    def note(self, run: Run, name: str | None = None) -> None:
        """Remember, for labels and results, how a run was trained and whether it learned."""
        record = run.record
        threads = " then ".join(f"{n} thread{'s' * (n > 1)}" for n in record["threads"])
        self.trained_with.add(f"{record['precision']}, {record['device']}, {threads}")
        if name and record["without_learning"]:
            self.learned_by_run[name] = run.verdict.learned

    def learned(self, model: str, kind: str) -> list[bool]:
        """Whether each seed's run learned more than what needs no learning."""
        return [self.run(model, kind, seed).verdict.learned for seed in self.seeds]

    @property
    def unlearned(self) -> list[str]:
        """Networks, of those seen so far, that did not learn: model, kind and seed."""
        return sorted(name for name, learned in self.learned_by_run.items() if not learned)

    def run(self, model: str, kind: str, seed: int) -> Run:
        """One run, trained before."""
        run = find(self.config(model, kind, seed), self.corpus)
        if not run.finished:
            raise InputError(f"{run.directory} is not trained: run the training notebooks first")
        self.note(run, f"{model} {kind} {seed}")
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
        jobs = [(*job, music_of(job[0].config, self.corpus).main) for job in missing]
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

        Columns: curriculum, seed, checkpoint, learned (whether the network did), those of `judge`.
        """
        keys = list(product(kinds, self.seeds, checkpoints))
        jobs = [
            (
                composition_folder(self.run(model, kind, seed), at, self.profile, postprocess),
                *(
                    self.judges
                    if VARIANTS[kind].run.get("normalise", True)
                    else self.judges_as_read
                ),
            )
            for kind, seed, at in keys
        ]
        judged = side_by_side(_judge_folder, jobs, "scoring")
        names = ("curriculum", "seed", "checkpoint")
        table = pd.DataFrame(
            [dict(zip(names, key, strict=True)) | j for key, j in zip(keys, judged, strict=True)]
        )
        return table.assign(
            learned=[self.run(model, kind, seed).verdict.learned for kind, seed, _ in keys]
        )

    @cached_property
    def judges(self) -> tuple[list[np.ndarray], np.ndarray]:
        """What judges: the held-out pieces, and how often the main corpus plays each cell."""
        return _judges(self.music)

    @cached_property
    def judges_as_read(self) -> tuple[list[np.ndarray], np.ndarray]:
        """The same with every piece in its own key."""
        return _judges(self.corpus)

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
                "precision": self.precision,
                "trained_with": sorted(self.trained_with),
                "learned": self.learned_by_run,
                "did_not_learn": self.unlearned,
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
        scale = "published size" if self.profile.name == "paper" else "scaled down"
        how = "; ".join(sorted(self.trained_with)) or self.precision
        mute = f"; {len(self.unlearned)} of {len(self.learned_by_run)} networks did not learn"
        return (
            f"profile {self.profile.name} ({scale}), corpus {self.folder_name}, {seeds}, {how}"
            + mute * bool(self.unlearned)
        )

    def save_table(self, name: str, markdown: str, csv: str) -> None:
        """Write a table as Markdown and as CSV."""
        write_text(self.figures / f"{name}.md", markdown)
        write_text(self.figures / f"{name}.csv", csv)


def _judges(music: corpora.Corpus) -> tuple[list[np.ndarray], np.ndarray]:
    return corpora.states_of(music.held_out), cell_frequencies(corpora.states_of(music.main))


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
