"""How the runs of the experiment table stand: done, kept, running, stopped, failed or missing."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from musiclib.base.device import device_name
from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.base.progress import waiting
from musiclib.corpus.batches import Batches
from musiclib.corpus.sets import Corpus
from musiclib.models import batches_of
from musiclib.paper.expected import timed
from musiclib.paper.experiments import EXPERIMENTS, Job, jobs, named
from musiclib.paper.kept import RESULTS, kept_runs
from musiclib.paper.profiles import Profile
from musiclib.paper.variants import run_config
from musiclib.training.budget import total_iterations
from musiclib.training.folder import damaged, failure, held, last_held_out, saved, touched
from musiclib.training.precision import Precision
from musiclib.training.runs import RUNS, Run, RunConfig, find

DONE, KEPT, KEPT_PART = "done", "kept", "kept, part"
RUNNING, STOPPED, FAILED, MISSING = "running", "stopped", "failed", "missing"
STATES = (DONE, KEPT, KEPT_PART, RUNNING, STOPPED, FAILED, MISSING)
SETTLED = (DONE, KEPT)  # whose results are there


class Standing(NamedTuple):
    """How a run stands.

    `done` of `total` iterations are trained; `seconds` is how long one takes here, `held_out` the
    last held-out loss; each None where it is not known. `why` says what there is to say of the
    state. `run` is the folder that is meant, for kept results theirs.
    """

    job: Job
    state: str
    done: int
    total: int | None
    seconds: float | None
    held_out: float | None
    why: str
    run: Run

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to train."""
        return self.state in SETTLED

    @property
    def seconds_left(self) -> float | None:
        """Seconds until it is trained, on this machine; None where that is not known."""
        if self.settled:
            return 0.0
        if self.seconds is None or self.total is None:
            return None
        return self.seconds * (self.total - (0 if self.state == KEPT_PART else self.done))


def standing(
    profile: Profile,
    corpus: Corpus,
    seeds: int,
    precision: Precision,
    runs: Path = RUNS,
    results: Path = RESULTS,
) -> list[Standing]:
    """Every run of the table, in its order, as `runs` and `results`/<profile> have it now."""
    kept = kept_runs(profile.name, results)
    found = []
    for job in jobs(seeds):
        config = run_config(profile, job.model, job.kind, job.seed, precision)
        found.append(_standing(job, config, corpus, runs, kept.get(job.name)))
    return _with_speeds_of_others(found)


def _standing(
    job: Job, config: RunConfig, corpus: Corpus, runs: Path, kept: Run | None
) -> Standing:
    try:
        return _read(job, config, corpus, runs, kept)
    except OSError as error:  # a disk that fails hides no other run
        why = f"cannot be read now: {error.strerror or error}"
        return Standing(job, FAILED, 0, None, None, None, why, find(config, corpus, runs))


def _read(job: Job, config: RunConfig, corpus: Corpus, runs: Path, kept: Run | None) -> Standing:
    run = find(config, corpus, runs)
    state, done, why = _here(run)
    total, cannot = _total(run, corpus)
    note = cannot or why
    if state == MISSING and kept:
        run, state, done, note = _kept(replace(kept, config=config), corpus, run, cannot)
        total = _trained(run)[1] if state != MISSING else total
    done = total if state in SETTLED else done
    held_out = last_held_out(run, math.inf if state == RUNNING else done)
    return Standing(job, state, done, total, _own_speed(run, state), held_out, note, run)


def _here(run: Run) -> tuple[str, int, str]:
    """State, iterations done, and what there is to say, by the run's own folder.

    The lock is tried first: a run that ends meanwhile is found done.
    """
    now, at = held(run), saved(run).iteration
    reason = failure(run)
    if run.finished:
        return DONE, 0, ""
    if now:
        return RUNNING, max(at, run.progress()), ""
    if reason:
        return FAILED, at, reason
    if faults := damaged(run):
        how = f"goes on after iteration {at:,}" if at else "begins anew"
        return STOPPED, at, f"{'; '.join(faults)}: training {how}"
    if touched(run):
        return STOPPED, at, f"goes on after iteration {at:,}" if at else "begins anew: none saved"
    return MISSING, 0, ""


def _kept(kept: Run, corpus: Corpus, here: Run, cannot: str) -> tuple[Run, str, int, str]:
    """What kept results are to the run that is not here: its own, or those of another."""
    record = kept.record
    if record["config"] != json.loads(json.dumps(kept.config.describe())):
        how = f"in {record['precision']}"
        other = how if record["precision"] != kept.config.precision else "of another configuration"
    else:
        other = "of other music" * (record["corpus"] != corpus.checksum)
    if other:
        return here, MISSING, 0, cannot or f"kept {other}: {shown(kept.directory)}"
    if kept.finished:
        return kept, KEPT, 0, ""
    return kept, KEPT_PART, record["iterations"], "its state is not kept: here it begins anew"


def _total(run: Run, corpus: Corpus) -> tuple[int | None, str]:
    """Iterations in all, or why there can be none."""
    try:
        return (_trained(run)[1] if run.begun else total_iterations(run.config, corpus)), ""
    except InputError as error:
        return None, str(error)


def _trained(run: Run) -> tuple[int, int]:
    """Iterations done and in all, of a run that has a record."""
    total = sum(run.record["stages"].values())
    return run.record.get("iterations", total), total


def _own_speed(run: Run, state: str) -> float | None:
    """Seconds of an iteration as this run has trained on a machine like this one."""
    if state in (KEPT, KEPT_PART, MISSING):
        return None
    if run.begun:
        if run.record["device"] != device_name():
            return None
        return run.record["seconds"] / max(1, _trained(run)[0])
    at = saved(run)
    return at.seconds / at.iteration if at.iteration else None


def _with_speeds_of_others(found: list[Standing]) -> list[Standing]:
    """With the speeds of runs of the same network, of the same sizes if possible."""
    known = [s for s in found if s.seconds is not None]
    speeds = {s.job.model: s.seconds for s in reversed(known)}
    speeds |= {s.run.config.model: s.seconds for s in reversed(known)}

    def speed(s: Standing) -> float | None:
        alike = speeds.get(s.run.config.model, speeds.get(s.job.model))
        return alike if s.seconds is None else s.seconds

    return [s._replace(seconds=speed(s)) for s in found]


@waiting("measuring how long training takes")
def measured(
    found: list[Standing], corpus: Corpus, measure: Callable[[Any, Batches], float] = timed
) -> list[Standing]:
    """The same, with the seconds of an iteration timed where they are not known."""
    models = {s.run.config.model for s in found if s.seconds_left is None and s.total}
    speeds = {model: measure(model, batches_of(model, corpus.main)) for model in models}
    return [
        s._replace(seconds=speeds.get(s.run.config.model)) if s.seconds is None else s
        for s in found
    ]


def select(
    found: Sequence[Standing], names: Sequence[str] = (), task: int | None = None
) -> list[Standing]:
    """The runs of these names or shell patterns, all without one; of them the row `task`, from 0.

    Raises InputError for a name or a pattern of no run, and for a row that is not there.
    """
    chosen = named([s.job for s in found], names)
    rows = [s for s in found if s.job in chosen]
    if task is None:
        return rows
    if task >= len(rows):
        raise InputError(f"--task {task}: there are {len(rows)} runs, 0 to {len(rows) - 1}")
    return rows[task : task + 1]


def untrained(found: Sequence[Standing], names: Sequence[str] = ()) -> list[Standing]:
    """What there is to train of these runs: not what is kept, unless it is named in full."""
    return [s for s in found if not s.settled or (s.state == KEPT and s.job.name in names)]


def lacking(found: Sequence[Standing], seeds: int) -> dict[str, tuple[int, list[str]]]:
    """Of each experiment that trains, how many runs it needs, and the names of those it lacks."""
    there = {s.job for s in found if s.settled}
    needed = {e.name: e.jobs(range(seeds)) for e in EXPERIMENTS.values() if e.model}
    return {
        name: (len(of), [job.name for job in of if job not in there]) for name, of in needed.items()
    }


def shown(path: Path) -> str:
    """A path as people read it: from the project's folder, if it lies there."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
