"""Where people read of long work: a terminal, a notebook with a front end, or a log."""

import html
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any, Protocol

WIDTH = 24  # characters of a bar
NOT_SET = ("", "0", "false")
GREY = "font-size: 90%; opacity: 0.75"

_muted = False
_here = local()  # a screen of this thread's own


class Screen(Protocol):
    """Shows one line, and again in its place; `share` is what a bar shows, 0 to 1."""

    def show(self, text: str, share: float | None) -> None:
        """Show the line as it is now."""

    def end(self, text: str) -> None:
        """Leave the line as it was at last; nothing if the text is empty."""


def mute() -> None:
    """Say nothing in this process: it works for another one, which does."""
    global _muted
    _muted = True


@contextmanager
def shown_on(screen: Screen) -> Iterator[None]:
    """Show on a screen of its own what this thread waits for: in a form, say, that has begun it."""
    _here.screen = screen
    try:
        yield
    finally:
        del _here.screen


def people() -> Screen | None:
    """The screen of people who wait, or None where output goes to a log or this process is mute.

    MUSICLIB_LOG or CI in the environment make it a log: papermill and nbconvert have no reader.
    """
    if own := getattr(_here, "screen", None):
        return own
    if _muted or any(os.environ.get(n, "").lower() not in NOT_SET for n in ("MUSICLIB_LOG", "CI")):
        return None
    if in_notebook():
        return Notebook()
    return Terminal() if sys.stderr.isatty() else None


def muted() -> bool:
    """Whether this process says nothing."""
    return _muted


def in_notebook() -> bool:
    """Whether a kernel runs this for JupyterLab, Notebook, VS Code or Colab.

    nbclient, under papermill, nbconvert and nbval, runs the same kernel, but with nobody there.
    """
    if not {"ipykernel", "IPython"} <= set(sys.modules):
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and (
        "JPY_SESSION_NAME" in os.environ  # by jupyter_server, for a notebook that is open
        or "__vsc_ipynb_file__" in shell.user_ns
        or "google.colab" in sys.modules
    )


class Terminal:
    """The last line of a terminal, overwritten in place."""

    def show(self, text: str, share: float | None) -> None:
        """Show the line, cut to the terminal's width."""
        bar = "" if share is None else f"[{'#' * int(WIDTH * share):.<{WIDTH}}] "
        line = f"{bar}{text}"[: shutil.get_terminal_size().columns - 1]
        self._write(f"\r\x1b[K{line}")

    def end(self, text: str) -> None:
        """Leave a line without a bar."""
        self._write(f"\r\x1b[K{text}" + "\n" * bool(text))

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


class Notebook:
    """An output of the cell, updated in place: HTML, which also shows where widgets do not."""

    def __init__(self) -> None:
        self.handle: Any = None

    def show(self, text: str, share: float | None) -> None:
        """Show the line behind a bar, which moves to and fro where nothing is counted."""
        value = "" if share is None else f' value="{share:.4f}"'
        self._display(text, f'<progress max="1"{value}></progress> {html.escape(text)}')

    def end(self, text: str) -> None:
        """Leave the line in grey."""
        self._display(text, f'<span style="{GREY}">{html.escape(text)}</span>')

    def _display(self, text: str, marked_up: str) -> None:
        from IPython.display import display

        content = {"text/plain": text, "text/html": marked_up}
        if self.handle is None:
            self.handle = display(content, raw=True, display_id=True)
        else:
            self.handle.update(content, raw=True)
