"""The panel: a form to compose with, and below it the last takes to hear and compare."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from threading import Event, Lock, Thread
from typing import Any

import ipywidgets as widgets

from musiclib.base.errors import InputError
from musiclib.base.progress import waiting
from musiclib.base.screen import in_notebook, shown_on
from musiclib.exploring.cadences import CADENCES
from musiclib.exploring.fields import Fields
from musiclib.exploring.form import wish_of
from musiclib.exploring.style import STYLE
from musiclib.exploring.trained import trained
from musiclib.exploring.warm import steps

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
    """The form, its buttons, what it says, and the takes; `box` shows all of it.

    Work is done in threads, one at a time, so that Stop is heard. It is a `Screen`: what is waited
    for is shown beside the buttons.
    """

    def __init__(self, takes: int = TAKES) -> None:
        self.fields = Fields(trained(), list(CADENCES))
        self.button = widgets.Button(description="Compose", button_style="primary", icon="music")
        self.halt = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.bar = widgets.FloatProgress(max=1, layout=widgets.Layout(width="160px"))
        self.said = widgets.HTML()
        self.newest, self.beside, self.before = (widgets.Output() for _ in range(3))
        self.takes: deque[tuple[str, str]] = deque(maxlen=takes)
        self.busy, self.asked, self.stopping = Lock(), Event(), Event()
        self.button.on_click(lambda _button: self.compose())
        self.halt.on_click(lambda _button: self.stopping.set())
        actions = widgets.HBox([self.button, self.halt, self.bar, self.said])
        actions.layout.flex_flow, actions.layout.align_items = "row wrap", "center"
        shown = [self.fields.box(), actions, self.newest, self.beside, self.before]
        self.box = widgets.VBox([widgets.HTML(STYLE), *shown])
        self.box.add_class("musiclib-panel")
        self._composing(False)

    def make_ready(self) -> Thread:
        """Load and compile, step by step, until someone composes, which does it too."""
        return _begun(self._make_ready)

    def compose(self) -> Thread | None:
        """Compose what the form says; None where it composes already."""
        if self.asked.is_set():
            return None
        self.asked.set()
        self._composing(True)
        return _begun(self._compose)

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show one sentence beside the buttons; screen readers tell it."""
        role, kind = ("alert", "wrong") if wrong else ("status", "said")
        self.said.value = f'<span role="{role}" class="musiclib-{kind}">{escape(text)}</span>'

    def show(self, text: str, share: float | None) -> None:
        """Show what is waited for, as a `Screen` does."""
        self.bar.value = share or 0
        self.said.value = f'<span class="musiclib-said">{escape(text)}</span>'

    def end(self, text: str) -> None:
        """Nothing: what follows says more."""

    def _make_ready(self) -> None:
        with self.busy, shown_on(self):
            try:
                for doing in steps():
                    if self.asked.is_set():
                        return
                    self.say(f"getting ready: {doing}")
                self.say("ready")
            except Exception:  # composing meets it too, and tells it
                self.say("")

    def _compose(self) -> None:
        """Compose; the form is free again as soon as there is something to hear."""
        with self.busy, shown_on(self):
            took = None
            with self._telling():
                self.say("loading")
                took = self._take()
            self._composing(False)
            self.asked.clear()
            if took:
                with self._telling():
                    self._judge(*took)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell what goes wrong in one sentence: the form stays of use."""
        try:
            yield
        except Stopped:
            self.say("stopped")
        except (InputError, OSError, MemoryError) as error:
            self.say(str(error) or type(error).__name__, wrong=True)
        except Exception as error:  # a fault of ours
            self.say(f"composing failed: {type(error).__name__}: {error}", wrong=True)

    def _take(self) -> tuple[Any, str]:
        """Compose and show what can be heard: the `Composed`, and its title."""
        from musiclib.exploring import take  # here, with what needs torch: the form does not wait
        from musiclib.exploring.wish import compose_wish

        label = self.fields.network.label
        composed = compose_wish(wish_of(self.fields.values()), lambda *_done: self._heed())
        title = f"{label}, {composed.told}"
        heard = take.heard(composed, title)
        earlier = [*self.takes][: self.takes.maxlen - 1]
        self.takes.appendleft((take.named(composed, label), heard))
        self.before.outputs = tuple(_html(take.earlier(*one)) for one in earlier)
        self.newest.outputs, self.beside.outputs = (_html(heard),), ()
        return composed, title

    def _judge(self, composed: Any, title: str) -> None:
        """Show how the newest take stands beside the chorales."""
        from musiclib.exploring import take
        from musiclib.exploring.shipped import chorales

        with waiting("judging"):
            beside = take.beside(composed, chorales())
        name, heard = self.takes[0]
        self.takes[0] = (name, heard + beside)
        self.beside.outputs = (_html(beside),)
        self.say(f"{title}: below")

    def _heed(self) -> None:
        if self.stopping.is_set():
            raise Stopped

    def _composing(self, under_way: bool) -> None:
        self.stopping.clear()
        self.button.disabled, self.halt.disabled = under_way, not under_way
        self.bar.value, self.bar.layout.display = 0, None if under_way else "none"


def _begun(work: Any) -> Thread:
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def _html(text: str) -> dict[str, Any]:
    data = {"text/html": text, "text/plain": "a take"}
    return {"output_type": "display_data", "data": data, "metadata": {}}
