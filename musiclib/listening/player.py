"""Players in pages and notebooks: a piece as a moving piano roll with its sound.

The roll is plain boxes of HTML: crisp at any scale and in print, stretched without bent corners,
drawn before or without a script. The script moves the cursor, lights notes up and seeks; without it
the browser's own controls play the sound. Sound, notes and MIDI stand in the page: nothing is
fetched, so that it works from a file, offline, in JupyterLab and in what nbconvert writes.

anywidget would need a kernel or the network and is blank in exported pages; html-midi-player reads
no local files and fetches its sounds; so this is a script of our own.
"""

import base64
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cache, cached_property
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np

from musiclib.base.errors import InputError
from musiclib.listening import roll
from musiclib.listening.sound import MEDIA_TYPES, encoded, kind_of, sound
from musiclib.music.note_states import MAX_STEPS, NOTES, STEPS_PER_BEAT, TEMPO, write_note_states
from musiclib.music.notes import notes_of

MAX_TEMPO = 0xFFFFFF  # microseconds per beat, in MIDI


@cache
def head() -> str:
    """The style and script of players, once for a page; twice do no harm."""
    style, script = (
        files(__package__).joinpath(f"player.{kind}").read_text("utf-8") for kind in ("css", "js")
    )
    return f"<style>{style}</style>\n<script>{script}</script>\n"


@dataclass(frozen=True, eq=False, repr=False)
class Player:
    """A piece to hear and watch, from note states (T, 78, 2).

    `tempo` is in microseconds per beat, `bar` in steps per bar; `title`, `key` and `note` are shown
    as they are. Raises InputError for other shapes, and for bars and tempos that are none.
    """

    states: np.ndarray
    title: str = ""
    _: KW_ONLY
    tempo: int = TEMPO
    bar: int = 16
    key: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        shape = np.shape(self.states)
        if len(shape) != 3 or not shape[0] or shape[1:] != (NOTES, 2):
            raise InputError(f"a player shows states of shape (T, {NOTES}, 2), T >= 1, not {shape}")
        for name, most in (("bar", MAX_STEPS), ("tempo", MAX_TEMPO)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or not 1 <= value <= most:
                raise InputError(f"{name} {value}: give a whole number from 1 to {most:,}")

    @cached_property
    def notes(self) -> np.ndarray:
        """The notes shown, int64 (n, 3): see `notes_of`."""
        return notes_of(self.states)

    @property
    def seconds(self) -> float:
        """How long the piece lasts, without the decay of its last notes."""
        return len(self.states) * self.step

    @property
    def step(self) -> float:
        """Seconds per step."""
        return self.tempo / 1e6 / STEPS_PER_BEAT

    @property
    def name(self) -> str:
        """The title, or what stands for it."""
        return self.title or "the piece"

    @property
    def facts(self) -> str:
        """Notes, bars, duration and key in words."""
        bars = -(-len(self.states) // self.bar)
        counted = [_count(len(self.notes), "note"), _count(bars, "bar"), clock(self.seconds)]
        return " · ".join([*counted, *filter(None, [self.key])])

    def html(self, audio_src: str | None = None) -> str:
        """The player for a page that has `head()`; its sound is embedded or, if told, a file."""
        source = audio_src or address_of(*_audio(self.states, self.tempo))
        label = _shown(f"Piano roll: {self.name}, {self.facts}")
        return (
            f'<figure class="mlp">{self._caption()}'
            f"{roll.boxes(self.notes, len(self.states), self.bar, label)}"
            f'<div class="mlp-controls">{self._controls(source)}{LEGEND}{self._download()}</div>'
            f'<script type="application/json">{self._data()}</script></figure>\n'
        )

    def __repr__(self) -> str:
        return f"Player of {self.name}: {self.facts}"

    def _repr_html_(self) -> str:
        return head() + self.html()

    def _caption(self) -> str:
        title = f"<strong>{_shown(self.title)}</strong>" if self.title else ""
        spans = "".join(f"<span>{_shown(text)}</span>" for text in (self.facts, self.note) if text)
        return f"<figcaption>{title}{spans}</figcaption>"

    def _controls(self, source: str) -> str:
        """The browser's own controls, and ours, which the script shows in their place."""
        return (
            f'<button type="button" class="mlp-play" aria-label="Play {_shown(self.name)}" hidden>'
            '</button><span class="mlp-time" hidden></span>'
            f'<audio controls preload="metadata" src="{escape(source)}"'
            f' aria-label="{_shown(self.name)}"></audio>'
        )

    def _data(self) -> str:
        """The notes as JSON: rows of onset, end (in steps) and pitch (0 is MIDI pitch 24)."""
        data = {"step": self.step, "steps": len(self.states), "bar": self.bar}
        return json.dumps(data | {"notes": self.notes.tolist()}, separators=(",", ":"))

    def _download(self) -> str:
        """A link to the MIDI file, which stands in the link itself."""
        address = address_of(_midi(self.states, self.tempo), "audio/midi")
        label = f"Download the MIDI file of {_shown(self.name)}"
        link = f'download="{file_name(self.title)}.mid" href="{address}" aria-label="{label}"'
        return f'<a class="mlp-midi" {link}>MIDI</a>'


@dataclass(frozen=True, eq=False)
class Grid:
    """Players side by side, below each other on small screens."""

    players: Sequence[Player]

    def html(self) -> str:
        """The players for a page that has `head()`."""
        return f'<div class="mlp-grid">{"".join(player.html() for player in self.players)}</div>'

    def _repr_html_(self) -> str:
        return head() + self.html()


def grid(players: Sequence[Player]) -> Grid:
    """Several players side by side, to show in a notebook."""
    return Grid(tuple(players))


LEGEND = (
    '<span class="mlp-legend" aria-hidden="true">'
    '<i class="mlp-struck"></i>struck <i class="mlp-held"></i>held</span>'
)


def clock(seconds: float) -> str:
    """Minutes and whole seconds: 1:05."""
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _shown(text: str) -> str:
    """Text as HTML; bytes of file names that are no UTF-8 as escapes."""
    return escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def _audio(states: np.ndarray, tempo: int) -> tuple[bytes, str]:
    """The sound of states in a compressed file, and its media type."""
    content = encoded(sound(states, tempo))
    return content, MEDIA_TYPES[kind_of(content)]


def _midi(states: np.ndarray, tempo: int) -> bytes:
    """The bytes of the MIDI file of states."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.mid"
        write_note_states(states, path, tempo)
        return path.read_bytes()


def file_name(title: str) -> str:
    """What a file with a title is called, without its suffix."""
    return re.sub(r"\W+", "-", title).strip("-").lower() or "piece"


def address_of(content: bytes, kind: str) -> str:
    """Content of a media type as a data URL, which holds it itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
