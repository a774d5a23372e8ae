"""A take: what was composed, as HTML to hear, to look at, to keep and to compare."""

import base64
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from musiclib.listening.player import Player
from musiclib.listening.sound import encoded, kind_of, sound

MIDI = "audio/midi"


def take(composed: Any, sets: Any, number: int) -> str:
    """A `Composed` as HTML: its title, a player, its files, how it is judged beside a corpus.

    `number` counts takes, for the names of the files.
    """
    from musiclib.exploring.judged import judged, nearest

    judgement = judged(composed.states, sets)
    return "\n".join(
        [
            '<section class="musiclib-take">',
            Player(
                composed.states,
                composed.title,
                tempo=composed.tempo,
                bar=composed.wish.bar,
                key=composed.key,
            ).html(),
            f"<p>{files(composed, number)}</p>",
            f'<p class="musiclib-near">{escape(str(nearest(composed.states, sets)))}</p>',
            judgement.to_html(index=False, border=0, classes="musiclib-judged"),
            "</section>",
        ]
    )


def files(composed: Any, number: int) -> str:
    """Links to keep the MIDI and the sound; the files are in the links."""
    name = f"take-{number}-seed-{composed.wish.seed}"
    music = encoded(sound(composed.states, composed.tempo))
    kind = kind_of(music)
    return " · ".join(
        [
            link(f"{name}.mid", "MIDI", MIDI, midi(composed)),
            link(f"{name}.{kind}", kind.upper(), f"audio/{kind}", music),
        ]
    )


def midi(composed: Any) -> bytes:
    """The MIDI file of what was composed."""
    with TemporaryDirectory() as folder:
        composed.write(path := Path(folder) / "piece.mid")
        return path.read_bytes()


def link(name: str, text: str, kind: str, content: bytes) -> str:
    """A link that saves a file, which it holds itself."""
    data = base64.b64encode(content).decode()
    return f'<a download="{escape(name)}" href="data:{kind};base64,{data}">{escape(text)}</a>'


def earlier(title: str, html: str) -> str:
    """A take that others came after: folded, with its title to open it."""
    return f"<details><summary>{escape(title)}</summary>\n{html}\n</details>"
