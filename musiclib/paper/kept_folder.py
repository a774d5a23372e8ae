"""What is written of a run that is kept: see `kept` for what is in its folder."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from musiclib.base.writing import replacing_folder, write_json, write_text
from musiclib.corpus.levels import MAIN
from musiclib.corpus.sets import states_of
from musiclib.metrics.pca import Projection
from musiclib.models import Network, model_of
from musiclib.models.checkpoints import save_weights
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.paper.clouds import Clouds, clouds, distance
from musiclib.paper.experiments import Job
from musiclib.paper.kept import PANELS, SCORES, composed_file, iterations_done, write_composed
from musiclib.paper.kept_beside import about_music, predicted, section_4
from musiclib.paper.one_tune import one_tune
from musiclib.paper.study import Study
from musiclib.training.recorded import PART_RECORD
from musiclib.training.runs import Run
from musiclib.training.train import music_of
from musiclib.training.whole import PART

SAMPLES = 3  # pieces at each stop that are kept as MIDI files
SMALL = 3_000_000  # weights; larger networks are not kept
REAL = 0  # the place of real music among the stops that are judged

Judged = Mapping[int, Mapping[str, float]]  # by stop, what `judge` says


class Found:
    """A run that is trained, or a part of it, with the stops at which it is judged."""

    def __init__(self, job: Job, run: Run) -> None:
        self.job, self.run = job, run
        self.model = run.config.model
        self.composes = issubclass(model_of(self.model), Network)
        self.in_epochs = model_of(self.model).counts_epochs
        self.stops = self._stops()

    @property
    def on_main(self) -> int:
        """Iterations done on the main corpus."""
        stages = self.run.record["stages"]
        return iterations_done(self.run) - sum(n for name, n in stages.items() if name != MAIN)

    def _stops(self) -> dict[int, int | str]:
        """Labels of weights by checkpoint; a part's end is one, too, where iterations count."""
        found: dict[int, int | str] = {
            at: at for at in self.model.checkpoints if self.run.weights(at).exists()
        }
        goes_on = self.on_main > max(found, default=0) and not self.in_epochs
        if not self.run.finished and goes_on and self.run.weights(PART).exists():
            found[self.on_main] = PART
        return found


def write_kept(study: Study, found: Found, judged: Judged, about: str, folder: Path) -> None:
    """Write a run's folder in one piece, in the place of an older one; `about` is its music."""
    run = found.run
    composed = {at: study.composed(run, at) for at in found.stops} if found.composes else {}
    with replacing_folder(folder) as aside:
        _write_csv(_losses(found), aside / "losses.csv")
        _write_csv(run.held_out, aside / "held-out.csv")
        for at, pieces in composed.items():
            write_composed(pieces, composed_file(aside, at))
        _copy_samples(study, found, aside / "samples")
        _write_csv(_scores(study, found, judged), aside / SCORES)
        if found.job.model == "biaxial" and composed:
            _write_panels(study, found, composed, aside)
        _copy_weights(found, aside)
        music = about_music(study, run, judged.get(REAL, {}), about)
        of_files = ("files", "digest")  # which are not kept
        own = {name: value for name, value in run.record.items() if name not in of_files}
        record = own | {"job": found.job._asdict(), "music": music}
        if found.job.model == "biaxial" and run.finished:
            record["section 4"] = section_4(study, run, max(found.stops))
        write_json(aside / ("run.json" if run.finished else PART_RECORD), record)


def _losses(found: Found) -> pd.DataFrame:
    """Training losses: of each iteration, or the means of epochs where these are counted."""
    losses = found.run.losses
    if not found.in_epochs:
        return losses
    size = found.run.record["iterations_an_epoch"]
    ends = (losses["iteration"] - 1) // size * size + size
    ends = ends.clip(upper=losses.groupby("stage")["iteration"].transform("max"))
    means = losses.assign(iteration=ends).groupby(["stage", "iteration"], sort=False)["loss"]
    return means.mean().reset_index()


def _scores(study: Study, found: Found, judged: Judged) -> pd.DataFrame:
    """A row a stop: how what was composed there is judged, or how alike a machine's outputs are."""
    if found.job.model == "rbm":
        return one_tune(study, found.run, list(found.stops))
    rows = [{"checkpoint": at} | judged[at] for at in found.stops if at in judged]
    table = pd.DataFrame(rows, columns=None if rows else ["checkpoint"])
    if found.in_epochs:
        heard = music_of(found.run.config, study.corpus)
        table["predicted"] = [predicted(found.run, at, heard) for at in found.stops.values()]
    return table


def _write_panels(
    study: Study, found: Found, composed: dict[int, list[np.ndarray]], folder: Path
) -> None:
    """Figure 5: the points of all panels, half precision, and what is said of them."""
    count = study.profile.pieces * study.profile.steps // STEPS_PER_BAR
    main = states_of(music_of(found.run.config, study.corpus).main)
    made = clouds(main, composed, count, found.job.seed)
    np.savez_compressed(folder / f"{PANELS}.npz", **_points(made))
    rows = [
        {
            "panel": at,
            "distance": distance(made.own[at]) if at in made.own else np.nan,
            **made.overlaps[at]._asdict(),
        }
        for at in made.shared
    ]
    _write_csv(pd.DataFrame(rows), folder / f"{PANELS}.csv")


def _points(made: Clouds) -> dict[str, np.ndarray]:
    """By "own 1000 training" and the like: points (n, 2), and the variance that they explain."""
    parts = Projection._fields
    return {
        f"{basis} {at} {part}": getattr(panel, part).astype(np.float16)
        for basis in ("own", "shared")
        for at, panel in getattr(made, basis).items()
        for part in parts
    }


def _copy_samples(study: Study, found: Found, folder: Path) -> None:
    for at in found.stops if found.composes else ():
        for number in range(1, SAMPLES + 1):
            piece = study.place(found.run, at) / f"{number}.mid"
            if piece.exists():
                folder.mkdir(exist_ok=True)
                (folder / f"{at}-{number}.mid").write_bytes(piece.read_bytes())


def _copy_weights(found: Found, folder: Path) -> None:
    """The final weights, in half precision, of small networks that heard no level.

    The levels' pieces may come without a licence to pass on what was learned of them.
    """
    if not found.composes or found.run.config.curriculum or not found.run.finished:
        return
    model = found.run.model()
    if sum(p.numel() for p in model.parameters()) <= SMALL:
        save_weights(model.half(), folder / "weights.safetensors", found.run.config.describe())


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    write_text(path, table.to_csv(index=False, float_format="%.6g"))
