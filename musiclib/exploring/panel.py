"""The panel: a form to compose with, and below it the last takes to hear and compare."""

import os
import time
from collections import deque
from html import escape
from threading import Event, Lock, Thread
from typing import Any

import ipywidgets as widgets

from musiclib.base.errors import InputError
from musiclib.base.screen import in_notebook
from musiclib.exploring.cadences import CADENCES
from musiclib.exploring.fields import Fields
from musiclib.exploring.form import wish_of
from musiclib.exploring.style import STYLE
from musiclib.exploring.trained import trained
from musiclib.exploring.warm import warm

TAKES = 5  # that stay


class Stopped(Exception):
    """Someone pressed Stop."""


def panel(live: bool | None = None) -> Any:
    """The form where a front end shows widgets, else four composed pieces side by side.

    `live` says which, where it is not to be found out. The form makes ready what composing needs
    while it is looked at.
    """
    if _is_live() if live is None else live:
        board = Panel()
        board.make_ready()
        return board.box
    from musiclib.exploring.static import composed_grid

    return composed_grid()


def _is_live() -> bool:
    """Whether someone sees widgets: what papermill, nbconvert and nbval run shows none."""
    return in_notebook() and not os.environ.get("MUSICLIB_LOG")


class Panel:
    """The form, its buttons, what it says, and the takes; `box` shows all of it."""

    def __init__(self) -> None:
        self.fields = Fields(trained(), list(CADENCES))
        self.button = widgets.Button(description="Compose", button_style="primary", icon="music")
        self.stop = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.bar = widgets.IntProgress(layout=widgets.Layout(width="160px", display="none"))
        self.said = widgets.HTML()
        self.output = widgets.Output()
        self.takes: deque[tuple[str, str]] = deque(maxlen=TAKES)
        self.composing, self.stopping = Lock(), Event()
        self.button.on_click(self.compose)
        self.stop.on_click(lambda _button: self.stopping.set())
        actions = widgets.HBox([self.button, self.stop, self.bar, self.said])
        actions.layout.flex_flow, actions.layout.align_items = "row wrap", "center"
        self.box = widgets.VBox([widgets.HTML(STYLE), self.fields.box(), actions, self.output])
        self.box.add_class("musiclib-panel")

    def make_ready(self) -> None:
        """Load and compile in the background, until someone composes, which does it too."""
        Thread(target=warm, args=(self.say, self.composing.locked), daemon=True).start()

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show one sentence beside the buttons; screen readers tell it."""
        role, kind = ("alert", "musiclib-wrong") if wrong else ("status", "musiclib-said")
        self.said.value = f'<span role="{role}" class="{kind}">{escape(text)}</span>'

    def compose(self, _button: Any = None) -> Thread | None:
        """Compose what the form says, in a thread, so that Stop is heard; None if one composes."""
        if not self.composing.acquire(blocking=False):
            return None
        worker = Thread(target=self._compose, daemon=True)
        worker.start()
        return worker

    def _compose(self) -> None:
        self._busy(True)
        try:
            self._take(time.monotonic())
        except Stopped:
            self.say("stopped")
        except (InputError, OSError, MemoryError) as error:
            self.say(str(error) or type(error).__name__, wrong=True)
        except Exception as error:  # a fault of ours: it is told, and the form stays of use
            self.say(f"composing failed: {type(error).__name__}: {error}", wrong=True)
        finally:
            self._busy(False)
            self.composing.release()

    def _take(self, began: float) -> None:
        from musiclib.exploring import shipped
        from musiclib.exploring.take import take  # here, with what needs torch: the form is shown
        from musiclib.exploring.wish import compose_wish

        self.say("composing")
        piece = compose_wish(wish_of(self.fields.values()), progress=self._progress)
        composed = time.monotonic()
        self.say("judging, and playing it on the piano")
        title = f"{self.fields.network.label}, seed {piece.wish.seed}"
        self.takes.append((title, take(piece, shipped.chorales(), title)))
        self._show()
        self.say(
            f"composed in {composed - began:.1f} s, shown after {time.monotonic() - began:.1f} s"
        )

    def _progress(self, done: int, total: int) -> None:
        if self.stopping.is_set():
            raise Stopped
        self.bar.max, self.bar.value = total, done

    def _busy(self, busy: bool) -> None:
        self.stopping.clear()
        self.button.disabled, self.stop.disabled = busy, not busy
        self.bar.value, self.bar.layout.display = 0, None if busy else "none"

    def _show(self) -> None:
        from musiclib.exploring.take import earlier

        *before, (_, last) = self.takes
        shown = [last, *(earlier(title, html) for title, html in reversed(before))]
        self.output.outputs = tuple(_html(text) for text in shown)


def _html(text: str) -> dict[str, Any]:
    data = {"text/html": text, "text/plain": "a take"}
    return {"output_type": "display_data", "data": data, "metadata": {}}
