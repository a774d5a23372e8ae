"""Bring trained runs into results/<profile>, small, judged, with what they rest on.

What is brought in is all that notebook 16 needs: it is made anew without the runs and without
their music.
"""

from collections.abc import Sequence
from pathlib import Path

from musiclib.base.errors import InputError
from musiclib.base.parallel import side_by_side
from musiclib.composing.folders import compose_run
from musiclib.paper.experiments import Job
from musiclib.paper.judging import judge
from musiclib.paper.kept import RESULTS, iterations_done, kept_runs
from musiclib.paper.kept_folder import REAL, Found, write_kept
from musiclib.paper.study import Study
from musiclib.training.folder import held
from musiclib.training.train import music_of


def keep(study: Study, jobs: Sequence[Job], about: str, results: Path = RESULTS) -> list[Path]:
    """Compose and judge what the runs of `jobs` reached, and write it to results/<profile>.

    `about` says in words what music the corpus is. Raises InputError, before any work, where
    nothing is trained, where a run trains just now, and where it would take the place of more.
    """
    target = results / study.profile.name
    runs = [(job, study.find(*job)) for job in jobs]
    found = [Found(job, run) for job, run in runs if run.begun]
    if not found:
        raise InputError(f"nothing of it is trained in {study.runs}: see `musiclib runs`")
    _must_go_on(study, found, target)
    _compose(study, found)
    judged = _judged(study, found)
    for one in found:
        write_kept(study, one, judged[one], about, target / one.job.name)
    return [target / one.job.name for one in found]


def _must_go_on(study: Study, found: Sequence[Found], target: Path) -> None:
    """Raise InputError for a run that trains now, or that is not the kept one, further on."""
    for name, run in kept_runs(study.profile.name, target.parent).items():
        if run.record["corpus"] != study.corpus.checksum:
            raise InputError(
                f"{target / name} is of other music ({run.record['corpus']}, not"
                f" {study.corpus.checksum}): results stand beside each other for one corpus alone;"
                " name that corpus, or move the folder away"
            )
    for one in found:
        if held(one.run):
            raise InputError(f"{one.job.name} trains now: keep it once its piece has ended")
        before = kept_runs(study.profile.name, target.parent).get(one.job.name)
        if before and iterations_done(before) > iterations_done(one.run):
            raise InputError(
                f"{target / one.job.name} is at iteration {iterations_done(before):,}, the run at"
                f" {iterations_done(one.run):,}: train it further, or move the folder away"
            )


def _compose(study: Study, found: Sequence[Found]) -> None:
    """What was not composed yet, of all runs side by side."""
    size = study.profile.pieces, study.profile.steps
    jobs = [
        (one.run, label, place, *size, music_of(one.run.config, study.corpus).main)
        for one in found
        if one.composes
        for at, label in one.stops.items()
        if not (place := study.place(one.run, at)).exists()
    ]
    side_by_side(compose_run, jobs, "composing")


def _judged(study: Study, found: Sequence[Found]) -> dict[Found, dict[int, dict[str, float]]]:
    """How what the runs composed is judged by stop, and, at `REAL`, as much music of main."""
    sets = [
        (one, at, study.composed(one.run, at) if at else study.real(one.job.seed))
        for one in found
        for at in ((REAL, *one.stops) if one.composes else ())
    ]
    by = {True: study.judges, False: study.judges_as_read}
    jobs = [(pieces, *by[one.run.config.normalise or at == REAL]) for one, at, pieces in sets]
    judged: dict[Found, dict[int, dict[str, float]]] = {one: {} for one in found}
    for (one, at, _), row in zip(sets, side_by_side(judge, jobs, "scoring"), strict=True):
        judged[one][at] = row
    return judged
