"""Runs that are kept with the project, small: results/<profile>/<name of the job>.

A kept run has the files of a run's folder but for most of its weights: `run.json`, or `part.json`
where training has not come to its end, `losses.csv` as means, `held-out.csv`; and what came of it:
`scores.csv` by checkpoint, what was composed there, `panels` of Figure 5, a few pieces as MIDI.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.base.writing import replacing
from musiclib.metrics.bootstrap import Estimate
from musiclib.metrics.pca import Projection
from musiclib.music.note_states import NOTES
from musiclib.paper.experiments import Job
from musiclib.training.recorded import PART_RECORD, RECORD
from musiclib.training.runs import Run

RESULTS = ROOT / "results"
SCORES, PANELS = "scores.csv", "panels"
JUDGED = ("isl", "dropped_share", "held_out_bars", "bits", "density", "learned")


class KeptRun(Run):
    """A run that is kept: it has its record, but not the files that belonged to that."""

    @property
    def finished(self) -> bool:
        """Whether the run is trained to its end."""
        return (self.directory / RECORD).exists()

    @property
    def begun(self) -> bool:
        """Whether a piece of the run is trained: it would not be kept else."""
        return True


Kept = dict[str, Run]


def kept_runs(profile: str, results: Path = RESULTS) -> Kept:
    """The kept runs of a profile by the name of their job (`experiments.Job.name`).

    Raises InputError for a damaged record.
    """
    records = (
        path for name in (RECORD, PART_RECORD) for path in (results / profile).glob(f"[!.]*/{name}")
    )
    return {path.parent.name: _whole(path) for path in sorted(records)}


def _whole(path: Path) -> Run:
    try:
        json.loads(path.read_text())
    except (OSError, ValueError):
        raise InputError(f"{path}: no record of a kept run; delete its folder") from None
    return KeptRun(path.parent, None)


def job_of(run: Run) -> Job:
    """What a kept run is."""
    return Job(**run.record["job"])


def of_model(
    kept: Kept, model: str, kinds: Sequence[str] = (), *, finished: bool = False
) -> dict[tuple[str, int], Run]:
    """The kept runs of a model by (kind, seed), of all kinds unless some are named, in their order.

    With `finished` those alone that came to their end.
    """
    jobs = {job_of(run): run for run in kept.values() if run.finished or not finished}
    found = {(job.kind, job.seed): run for job, run in jobs.items() if job.model == model}
    order = list(kinds) or list(dict.fromkeys(kind for kind, _ in found))
    return {
        (kind, seed): found[kind, seed]
        for kind in order
        for seed in sorted(seed for k, seed in found if k == kind)
    }


def scores_of(kept: Kept, model: str, kinds: Sequence[str] = ()) -> pd.DataFrame:
    """How what a model composed is judged: a row a kind, seed and checkpoint, as `Study.scores`.

    Column finished says whether the run came to its end. Raises InputError for a damaged file.
    """
    tables = [
        _scores(run).assign(
            curriculum=kind, seed=seed, learned=_learned(run), finished=run.finished
        )
        for (kind, seed), run in of_model(kept, model, kinds).items()
    ]
    empty = pd.DataFrame(columns=["curriculum", "seed", "checkpoint", "finished", *JUDGED])
    return pd.concat(tables, ignore_index=True) if tables else empty


def _scores(run: Run) -> pd.DataFrame:
    path = run.directory / SCORES
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no table of scores ({error}); keep the run anew") from None


def _learned(run: Run) -> bool | None:
    """Whether the network learned; None of a machine that has no loss to be judged by."""
    return run.verdict.learned if run.record["without_learning"] else None


def composed_file(folder: Path, checkpoint: int) -> Path:
    """Where a kept run has what was composed at a checkpoint."""
    return folder / f"composed-{checkpoint}.npz"


def write_composed(pieces: Sequence[np.ndarray], path: Path) -> None:
    """Write pieces (T, 78, 2) as packed bits."""
    ends = np.cumsum([len(piece) for piece in pieces])
    bits = np.packbits(np.concatenate(pieces).reshape(ends[-1], -1), axis=1)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, bits=bits, ends=ends)


def read_composed(path: Path) -> list[np.ndarray]:
    """The pieces (T, 78, 2), uint8, of a file of packed bits."""
    with np.load(path, allow_pickle=False) as stored:
        bits, ends = stored["bits"], stored["ends"]
    states = np.unpackbits(bits, axis=1, count=NOTES * 2).reshape(-1, NOTES, 2)
    return np.split(states, ends[:-1])


def panels_of(run: Run, basis: str) -> dict[int, Projection]:
    """Figure 5's panels of a kept run by checkpoint, on components "own" or "shared"."""
    panels: dict[int, dict[str, np.ndarray]] = {}
    with np.load(run.directory / f"{PANELS}.npz", allow_pickle=False) as stored:
        for name in stored.files:
            of, at, part = name.split()
            if of == basis:
                panels.setdefault(int(at), {})[part] = stored[name].astype(np.float64)
    return {at: Projection(**parts) for at, parts in panels.items()}


def overlaps_of(run: Run) -> dict[int, Estimate]:
    """How far the clouds of Figure 5 overlap, by checkpoint."""
    table = pd.read_csv(run.directory / f"{PANELS}.csv")
    rows = table[["panel", *Estimate._fields]].itertuples(index=False)
    return {int(at): Estimate(*(None if pd.isna(v) else v for v in values)) for at, *values in rows}


def distances_of(run: Run) -> dict[int, float]:
    """How far the centres of both clouds are apart, by checkpoint."""
    table = pd.read_csv(run.directory / f"{PANELS}.csv").dropna(subset="distance")
    return dict(zip(table["panel"].astype(int), table["distance"], strict=True))


def iterations_done(run: Run) -> int:
    """Iterations of a run that are trained, those on the levels, too."""
    record = run.record
    return record.get("iterations", sum(record["stages"].values()))


def how(run: Run) -> dict[str, object]:
    """What a kept run rests on, in a row: iterations, seconds per iteration, device, corpus."""
    record = run.record
    total, done = sum(record["stages"].values()), iterations_done(run)
    return {
        "run": run.directory.name,
        "iterations": f"{done:,} of {total:,}",
        "seconds per iteration": round(record["seconds"] / max(done, 1), 2),
        "hours": round(record["seconds"] / 3600, 1),
        "device": record["device"],
        "precision": record["precision"],
        "threads": json.dumps(record["threads"])[1:-1],
        "corpus": record["corpus"],
        "learned": {True: "yes", False: "no", None: "–"}[_learned(run)],
    }


def corpora_of(kept: Kept) -> dict[str, str]:
    """What the music of kept runs is, in words, by its checksum."""
    return {run.record["corpus"]: run.record["music"]["about"] for run in kept.values()}


def label(kept: Kept) -> str:
    """What stands under figures: the size, the music, how many seeds, and how they were trained."""
    if not kept:
        return "published size: nothing is kept of it"
    seeds = len({job_of(run).seed for run in kept.values()})
    hows = {f"{run.record['precision']}, {run.record['device']}" for run in kept.values()}
    music = "; ".join(corpora_of(kept).values())
    return f"published size, {music}, {seeds} seed{'s' * (seeds > 1)}, {'; '.join(sorted(hows))}"
