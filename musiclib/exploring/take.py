"""A take: what was composed, as HTML to hear, to look at, to keep and to compare."""

from html import escape
from pathlib import Path

from musiclib.corpus.sets import Corpus
from musiclib.exploring.judged import judged, nearest
from musiclib.exploring.wish import Composed
from musiclib.listening.encoding import MEDIA_TYPES, encoded, kind_of
from musiclib.listening.player import Player, address_of, file_name, head
from musiclib.listening.sound import sound
from musiclib.metrics.plagiarism import Nearest


def player(composed: Composed, title: str = "") -> Player:
    """A player of what was composed."""
    return Player(
        composed.states,
        title or composed.title,
        tempo=composed.tempo,
        bar=composed.wish.bar,
        key=composed.key,
        note=", ".join(asked(composed)),
    )


def asked(composed: Composed) -> list[str]:
    """What was wished other than usual, in words."""
    wish, usual = composed.wish, type(composed.wish)()
    names = ("primer", "ending", "key", "temperature", "conservativity", "density", "mend")
    told = {name: getattr(wish, name) for name in names}
    return [f"{name} {_short(told[name])}" for name in names if told[name] != getattr(usual, name)]


def _short(value: object) -> object:
    """A file by its name alone; where it lies is of no use to who listens."""
    return Path(value).name if isinstance(value, str) else value


def named(composed: Composed, network: str) -> str:
    """A take among others: its network, seed and bars, and what was asked of it."""
    return ", ".join([network, composed.told, *asked(composed)])


def heard(composed: Composed, title: str = "") -> str:
    """What was composed as HTML, to hear and to look at, its files in links."""
    music = encoded(sound(composed.states, composed.tempo))
    address = address_of(music, MEDIA_TYPES[kind_of(music)])
    keep = f"<p>To keep: {link(title or composed.title, kind_of(music), address)}</p>"
    given = f"<p>Given: {escape(composed.given)}</p>" * bool(composed.given)
    return head() + player(composed, title).html(address) + given + keep


def beside(composed: Composed, corpus: Corpus) -> str:
    """How it stands beside a corpus as HTML: its metrics, and the nearest bar in words."""
    table = judged(composed.states, corpus).to_html(index=False, border=0)
    return f"{table}\n<p>{escape(near(nearest(composed.states, corpus)))}</p>"


def near(found: Nearest | None) -> str:
    """The nearest bar in words; bars are counted from 1."""
    if found is None:
        return "No bar of it has a note in common with the corpus."
    moved = f", moved by {found.interval:+d} semitones" if found.interval else ""
    return (
        f"Nearest bar: its bar {found.bar + 1} has {found.share:.0%} of the notes in common with"
        f" bar {found.training_bar + 1} of {found.training_piece}{moved}."
    )


def link(name: str, kind: str, address: str) -> str:
    """A link that keeps a sound as a file; the MIDI file is the player's to keep."""
    return f'<a download="{file_name(name)}.{kind}" href="{address}">the sound, {kind.upper()}</a>'


def earlier(title: str, html: str) -> str:
    """A take that others came after: folded, with its title to open it."""
    return f"<details><summary>{escape(title)}</summary>\n{html}\n</details>"
