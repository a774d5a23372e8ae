"""What of a file a piece is given, and what is left out of it, in a sentence."""

from typing import NamedTuple

from musiclib.music.bar_grid import metre_at
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.left_out import PITCHES, counted
from musiclib.music.midi_events import KIND, ON, Midi
from musiclib.music.note_states import notes_struck
from musiclib.music.seconds import note_events


class Span(NamedTuple):
    """The steps first to end - 1 of a file of so many; what is outside of it is silence."""

    first: int
    end: int
    steps: int


def taken(name: str, midi: Midi, span: Span, bar: int, *, ends: bool) -> str:
    """A file's music that a piece begins or ends with: which steps, in what metre, what is lost."""
    told = [_steps(span, bar, ends=ends), _metre(midi, max(span.first, 0), bar), lost(midi)]
    return f"{name}: " + "; ".join(filter(None, told))


def _steps(span: Span, bar: int, *, ends: bool) -> str:
    first, end = max(span.first, 0), min(span.end, span.steps)
    bars = counted(-(-(span.end - span.first) // bar), "bar")
    number, of = first // bar + 1, -(-span.steps // bar)
    which = f"its last {bars} ends" if ends else f"its bar {number:,} of {of:,} begins"
    which = which.replace("bars ends", "bars end")
    rest = span.steps - (end - first)
    of_all = f"steps {first + 1:,} to {end:,} of {span.steps:,}"
    others = f", the other {rest:,} are not used" if rest > 1 else ", the other is not used" * rest
    return f"{which} the piece ({of_all}{others})"


def _metre(midi: Midi, step: int, bar: int) -> str:
    metre = metre_at(midi, step)
    if metre is None:
        return ""
    own = metre[0] * 4 * 4 / metre[1]
    named = f"it is in {metre[0]}/{metre[1]}"
    if own == bar:
        return named
    told = f"{named}, with bars of {own:g} steps, and heard in bars of {bar}"
    if own % 1:
        return told
    trained = " and weights trained with --metre all" * (own != STEPS_PER_BAR)
    return f"{told}: for its own give --bar {own:g}{trained}"


def lost(midi: Midi, begins: str = "") -> str:
    """The notes of all of the file that are not heard; nothing if they all are."""
    notes = note_events(midi)
    inside, outside = notes_struck(midi._replace(events=notes))
    drums = int((midi.events[:, KIND] == ON).sum()) - inside - outside
    left_out = [f"{drums:,} of drums"] * bool(drums)
    left_out += [f"{outside:,} outside the pitches {PITCHES}"] * bool(outside)
    total = counted(inside + outside + drums, "note")
    told = f"{begins}of its {total} {' and '.join(left_out)} are left out"
    return told * bool(left_out)
