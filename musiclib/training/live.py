"""A picture of the losses of runs while they train, in a notebook that somebody looks at.

Drawn by the process that waits for the runs, from their `curve.csv`, so that training knows nothing
of it; it takes at most a hundredth of the time that passes.
"""

import io
import sys
from collections.abc import Callable, Sequence
from typing import Any

from musiclib.base import progress
from musiclib.base.screen import Notebook, people
from musiclib.models import name_of
from musiclib.training.curve import Curve, curve_of
from musiclib.training.runs import Run, RunConfig

EVERY = 2.0  # seconds between two pictures, at least
TIMES_ITS_COST = 100
FEW = 6  # runs that all have a colour; of more runs those have one that train
COLOURS = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161")
DASHES = ("-", "--", "-.", ":")  # of the seeds
GREY = "0.45"
PREPARING = "preparing the music"


class Live:
    """The losses of runs that train now: call `look` now and then, `end` when they are trained."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs, self.screen = runs, people()
        self.curves: dict[Run, Curve] = {}
        self.picture: Any = None  # what shows it, once it is shown
        self.drawn, self.cost = progress.clock(), 0.0

    def look(self) -> str:
        """Draw anew if it is time; the last losses of the runs that train, in words."""
        return self._unless_it_fails(self._look) or ""

    def end(self) -> None:
        """Draw the runs as they are at the end, if they were drawn before."""
        if self.picture is not None:
            self._unless_it_fails(self._draw)

    def _look(self) -> str:
        if self.screen is None:
            return ""
        self._read()
        now = progress.clock()
        due = now - self.drawn >= max(EVERY, TIMES_ITS_COST * self.cost)
        if isinstance(self.screen, Notebook) and due and self._worth_it():
            self._draw()
        losses = [f"{c.training['loss'].iloc[-1]:.4g}" for c in self._training().values()]
        return f"loss {', '.join(losses)}" if losses else PREPARING

    def _read(self) -> None:
        for run in self.runs:
            if not (run in self.curves and self.curves[run].finished):
                self.curves[run] = curve_of(run)

    def _training(self) -> dict[Run, Curve]:
        return {r: c for r, c in self.curves.items() if len(c.training) and not c.finished}

    def _worth_it(self) -> bool:
        return any(len(curve.training) > 1 for curve in self.curves.values())

    def _draw(self) -> None:
        from IPython.display import Image, display

        self._read()
        began = progress.clock()
        content = Image(drawn(self.curves), format="png", width=800, alt="loss of the runs")
        if self.picture is None:
            self.picture = display(content, display_id=True)
        else:
            self.picture.update(content)
            self.cost = progress.clock() - began  # the first time it is that of imports
        self.drawn = progress.clock()

    def _unless_it_fails(self, function: Callable) -> Any:
        """A picture that cannot be drawn is said to be so, once, and training goes on."""
        try:
            return function()
        except Exception as error:
            self.screen, self.picture = None, None
            print(f"the losses are not shown: {type(error).__name__}: {error}", file=sys.stderr)
            return None


def drawn(curves: dict[Run, Curve]) -> bytes:
    """The curves as a PNG: a line a run, marks of held-out loss, the loss without learning."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), dpi=150)
    axes = figure.add_axes((0.09, 0.14, 0.62, 0.82))
    axes.set(xlabel="iteration", ylabel="loss")
    axes.spines[["top", "right"]].set_visible(False)
    shown = {run: curve for run, curve in curves.items() if len(curve.training)}
    looks = _looks(list(shown))
    for run, curve in shown.items():
        quiet = len(shown) > FEW and curve.finished
        look = {"color": GREY, "alpha": 0.4} if quiet else looks[run] | {"label": name(run.config)}
        axes.plot(*curve.training.to_numpy(float).T, lw=1.2, **look)
        axes.plot(*curve.held_out.to_numpy(float).T, "o", ms=5, color=look["color"], mec="white")
    axes.plot([], [], "o", ms=4, color=GREY, label="held-out music")
    for bar in {c.without_learning for c in shown.values()} - {None}:
        axes.axhline(bar, color=GREY, ls=(0, (1, 1)), lw=1)
        axes.plot([], [], color=GREY, ls=(0, (1, 1)), label="without learning")
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(
        handles.values(),
        handles,
        loc="center left",
        bbox_to_anchor=(0.72, 0.5),
        frameon=False,
        fontsize=8,
    )
    figure.savefig(png := io.BytesIO(), format="png")
    return png.getvalue()


def _looks(runs: list[Run]) -> dict[Run, dict[str, Any]]:
    """A colour for each kind of run, a dash for each seed, which has a colour, too, of one kind."""
    kinds = list(dict.fromkeys(name(run.config, seed=False) for run in runs))
    seeds = sorted({run.config.seed for run in runs})
    looks = {}
    for run in runs:
        seed = seeds.index(run.config.seed)
        colour = kinds.index(name(run.config, seed=False)) if len(kinds) > 1 else seed
        looks[run] = {"color": COLOURS[colour % len(COLOURS)], "ls": DASHES[seed % len(DASHES)]}
    return looks


def name(config: RunConfig, *, seed: bool = True) -> str:
    """What a run is called in a legend: model, what is special of it, and seed."""
    parts = [
        name_of(config.model),
        "with curriculum" * config.curriculum,
        "equal budget" * config.equal_budget,
        "own keys" * (not config.normalise),
        "backwards" * config.reverse,
        config.mode * (config.mode != "all"),
        f"as much as {config.as_much_as}" * (config.as_much_as != "all"),
        f"seed {config.seed}" * seed,
    ]
    return ", ".join(filter(None, parts))
