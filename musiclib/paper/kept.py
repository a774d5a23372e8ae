"""Runs that are kept with the project, small: results/<profile>/<name of the job>.

A kept run has the files of a run's folder but for most of its weights: `run.json`, or `part.json`
where training has not come to its end, `losses.csv` as means and `held-out.csv`.
"""

from pathlib import Path

from musiclib.base.files import ROOT
from musiclib.training.runs import PART_RECORD, Run

RESULTS = ROOT / "results"


def kept_runs(profile: str, results: Path = RESULTS) -> dict[str, Run]:
    """The kept runs of a profile by the name of their job (`experiments.Job.name`)."""
    records = (
        path for name in ("run.json", PART_RECORD) for path in (results / profile).glob(f"*/{name}")
    )
    return {path.parent.name: Run(path.parent, None) for path in sorted(records)}
