"""What there are weights of: networks and RBMs that are shipped, and those trained here.

Only the head of each file is read, not its weights, and nothing that needs torch.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from musiclib.base.arrays import opened
from musiclib.base.files import ROOT
from musiclib.exploring import shipped

RUNS = ROOT / "runs"
RBM, NETWORKS = (
    "conditional-rbm",
    ("biaxial", "lstm", "biaxial-roll"),
)  # plain RBMs neither compose nor mend
END = "the end"
TITLES = {
    "biaxial": "biaxial RNN",
    "lstm": "LSTM",
    "biaxial-roll": "biaxial RNN over keys",
    RBM: "conditional RBM",
}


class Trained(NamedTuple):
    """One training of a model: what it is called, which model, and its weights by checkpoint.

    `backwards` says that it heard music from its end; `files` has shipped names, or paths.
    """

    label: str
    model: str
    backwards: bool
    files: dict[str, str]


def trained(runs: Path = RUNS) -> list[Trained]:
    """All that is shipped, then the runs of a folder, the newest first."""
    return [*_shipped(), *_runs(runs)]


def _shipped() -> Iterator[Trained]:
    for name in shipped.names():
        run = run_of(shipped.weights_of(name))
        if run:
            yield _trained(run, "shipped", {"as shipped": name})


def _runs(folder: Path) -> Iterator[Trained]:
    found = [(where, _checkpoints(where)) for where in folder.glob("*/")]
    newest = sorted((pair for pair in found if pair[1]), key=_age, reverse=True)
    for where, files in newest:
        run = run_of(Path(next(iter(files.values()))))
        if run and run["model"]["model"] in TITLES:
            yield _trained(run, where.name.rsplit("-", 1)[-1][:4], files)


def _age(pair: tuple[Path, dict[str, str]]) -> float:
    return Path(next(iter(pair[1].values()))).stat().st_mtime


def _checkpoints(where: Path) -> dict[str, str]:
    """The weights of a run, the last ones first."""
    prefix = "weights-"
    ats = [path.stem.removeprefix(prefix) for path in where.glob(f"{prefix}*{shipped.SUFFIX}")]
    late_first = sorted((at for at in ats if at.isdigit()), key=int, reverse=True)
    order = ["final"] * ("final" in ats) + late_first
    named = {END if at == "final" else at: at for at in order}
    return {name: str(where / f"{prefix}{at}{shipped.SUFFIX}") for name, at in named.items()}


def run_of(weights: Path) -> dict[str, Any]:
    """The description of the run behind a file of weights, `RunConfig.describe`; {} if damaged."""
    try:
        with opened(weights), safe_open(weights, "numpy") as stored:
            run = json.loads(stored.metadata()["config"])
        whole = {"model", "reverse", "curriculum", "seed"} <= run.keys()
        whole = whole and {type(run["reverse"]), type(run["curriculum"])} == {bool}
        return run if whole and isinstance(run["model"]["model"], str) else {}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return {}


def _trained(run: dict[str, Any], where: str, files: dict[str, str]) -> Trained:
    model = run["model"]["model"]
    told = [TITLES[model], *(["backwards"] if run["reverse"] else []), *_told(run, where)]
    return Trained(", ".join(told), model, run["reverse"], files)


def _told(run: dict[str, Any], where: str) -> Iterator[str]:
    """What tells a run from others of its model; `where` is the beginning of its digest."""
    if where == "shipped":
        yield where
        return
    if run["curriculum"]:
        yield "curriculum"
    if not run.get("normalise", True):
        yield "own keys"
    if run.get("mode", "all") != "all":
        yield str(run["mode"])
    if iterations := run["model"].get("iterations"):
        yield f"{iterations} iterations"
    yield f"seed {run['seed']} ({where})"
