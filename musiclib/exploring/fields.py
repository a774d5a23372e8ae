"""The widgets of the panel's form, and which of them are shown when."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ipywidgets as widgets

from musiclib.base.seeds import MOST_SEED
from musiclib.exploring.form import (
    CONSERVATIVITIES,
    DENSITIES,
    ENDING,
    FORWARD,
    KEYS,
    OWN,
    PRIMERS,
    networks,
    rbms,
)
from musiclib.exploring.trained import Trained

NAMES = {"description_width": "104px"}
ACROSS = "repeat(auto-fit, minmax(min(100%, max(300px, 40%)), 1fr))"  # two columns, or one
BARS, SEED, MOST_BARS = 8, 0, 512


class Fields:
    """The fields of the form by name, grouped as they are read; `values` is what stands in them."""

    def __init__(self, every: list[Trained], cadences: list[str]) -> None:
        self.every = every
        self.uploads = TemporaryDirectory(prefix="musiclib-")
        self.network = _choice("network", {})
        self.weights = _choice("checkpoint", {})
        self.mend = _choice("RBM mends", rbms(every))
        self.direction = _choice("composed", {way: way for way in (FORWARD, ENDING)})
        self.cadence = _choice("ending", {name: name for name in cadences} | {"own MIDI file": OWN})
        self.primer = _choice("primer", PRIMERS)
        self.file = widgets.Text(
            description="its path", placeholder="piece.mid", style=NAMES, layout=_wide()
        )
        self.upload = widgets.FileUpload(
            accept=".mid,.midi", description="upload it", layout=_wide("112px")
        )
        self.key = _choice("key", KEYS)
        self.bars = _count("bars", BARS, 1, MOST_BARS)
        self.seed = _count("seed", SEED, 0, MOST_SEED)
        self.next = widgets.Button(
            description="next", tooltip="the next seed", layout=widgets.Layout(width="64px")
        )
        self.temperature = _temperature()
        self.conservativity = _slider("conservativity", CONSERVATIVITIES)
        self.density = _slider("notes at once", DENSITIES)
        self._follow()

    def _follow(self) -> None:
        """Let fields follow those that they depend on."""
        self.direction.observe(self._directed, "value")
        self.network.observe(self._offer_checkpoints, "value")
        self.primer.observe(self._show, "value")
        self.cadence.observe(self._show, "value")
        self.upload.observe(self._keep_upload, "value")
        self.next.on_click(self._next)
        self._directed()

    def _directed(self, _change: Any = None) -> None:
        _offer(self.network, networks(self.every, self.direction.value))
        self._show()

    def _offer_checkpoints(self, _change: Any = None) -> None:
        files = self.network.value.files if self.network.value else {}
        _offer(self.weights, files)
        self.weights.disabled = len(files) < 2

    def _show(self, _change: Any = None) -> None:
        ending = self.direction.value == ENDING
        own = (self.cadence if ending else self.primer).value == OWN
        shown = {self.cadence: ending, self.primer: not ending, self.file: own, self.upload: own}
        for field, is_shown in shown.items():
            field.layout.display = None if is_shown else "none"

    def _keep_upload(self, _change: Any = None) -> None:
        for upload in self.upload.value:
            path = Path(self.uploads.name) / Path(upload["name"]).name
            path.write_bytes(upload["content"])
            self.file.value = str(path)

    def _next(self, _button: Any) -> None:
        self.seed.value = min(self.seed.value + 1, MOST_SEED)

    def values(self) -> dict[str, Any]:
        """What stands in the fields, as `form.wish_of` reads it."""
        names = ("weights", "direction", "cadence", "primer", "file", "key", "bars", "temperature")
        return {
            n: getattr(self, n).value for n in (*names, "conservativity", "density", "seed")
        } | {"mend": self.mend.value}

    def box(self) -> widgets.Box:
        """The fields side by side in groups, one below the other on narrow screens."""
        seed = widgets.HBox([self.seed, self.next], layout=widgets.Layout(overflow="hidden"))
        self.seed.layout.flex = "1 1 auto"
        groups = (
            ("Network", self.network, self.weights, self.mend),
            ("Music", self.direction, self.cadence, self.primer, self.upload, self.file, self.key),
            ("Length and seed", self.bars, seed),
            ("Chance", self.temperature, self.conservativity, self.density),
        )
        layout = widgets.Layout(display="grid", grid_template_columns=ACROSS, grid_gap="4px 28px")
        return widgets.Box([_group(*group) for group in groups], layout=layout)


def _wide(left: str = "0") -> widgets.Layout:
    """As wide as there is room: one for each field, which may hide by it."""
    return widgets.Layout(width="auto", margin=f"2px 2px 2px {left}")


def _group(title: str, *fields: widgets.Widget) -> widgets.VBox:
    return widgets.VBox([widgets.HTML(f"<h4>{title}</h4>"), *fields])


def _choice(name: str, options: dict[str, Any]) -> widgets.Dropdown:
    return widgets.Dropdown(options=options, description=name, style=NAMES, layout=_wide())


def _offer(field: widgets.Dropdown, options: dict[str, Any]) -> None:
    """Offer other options, the first one chosen, which a widget that had none leaves to us."""
    field.options = options
    if options and field.index is None:
        field.index = 0


def _count(name: str, value: int, low: int, high: int) -> widgets.BoundedIntText:
    values = {"value": value, "min": low, "max": high}
    return widgets.BoundedIntText(**values, description=name, style=NAMES, layout=_wide())


def _temperature() -> widgets.FloatSlider:
    values = {"value": 1.0, "min": 0.5, "max": 2.0, "step": 0.05}
    return widgets.FloatSlider(**values, description="temperature", style=NAMES, layout=_wide())


def _slider(name: str, options: dict[str, Any]) -> widgets.SelectionSlider:
    return widgets.SelectionSlider(
        options=list(options.items()), description=name, style=NAMES, layout=_wide()
    )
