"""Where each step lies in its bar, by the time signatures of a MIDI file.

A bar of 3/4 or 6/8 has 12 steps, of 4/4 16, of 5/4 20. Bar lines are counted in ticks from each
time signature on, which begins a bar, as in notation programs; the step that holds a bar line is
its bar's first. So bars of no whole number of sixteenths, as of 5/32, are now longer, now shorter.
"""

import numpy as np

from musiclib.music.midi_events import KIND, METRE_CHANGE, PLACE, TICK, VALUE, Midi
from musiclib.music.note_states import STEPS_PER_BEAT, step_at

LARGEST_POWER = 6  # of two, the denominator: a 64th
UNITS = 2**LARGEST_POWER  # per tick, so that every bar is a whole number of them
LONGEST_BAR = 255 * 16  # steps: a numerator is a byte, and a whole note the longest unit
COMMON_TIME = (0, METRE_CHANGE, 4, 2)  # until a file says otherwise


def positions(midi: Midi, steps: int) -> np.ndarray:
    """The position in its bar of each of `steps` steps, uint16 of shape (steps,), 0 at bar lines.

    4/4 holds until the first time signature. One with numerator 0 or a denominator over 64 says
    nothing: the metre before it goes on.
    """
    size = midi.ticks_per_beat // STEPS_PER_BEAT
    starts, bars = _metres(midi)
    step = np.arange(steps)
    last = (step * size + size // 2) * UNITS - 1  # before the next step begins
    metre = np.maximum(np.searchsorted(starts, last, side="right") - 1, 0)
    line = starts[metre] + (last - starts[metre]) // bars[metre] * bars[metre]
    return (step - step_at(line // UNITS, size)).astype(np.uint16)


def _metres(midi: Midi) -> tuple[np.ndarray, np.ndarray]:
    """Where each known metre begins and how long its bars are, in 64ths of a tick."""
    rows = midi.events[midi.events[:, KIND] == METRE_CHANGE]
    known = rows[(rows[:, VALUE] > 0) & (rows[:, PLACE] <= LARGEST_POWER)]
    if not len(known) or known[0, TICK] > 0:
        known = np.concatenate([[COMMON_TIME], known])
    bars = known[:, VALUE] * 4 * midi.ticks_per_beat * UNITS >> known[:, PLACE]
    return known[:, TICK] * UNITS, bars


def metre_at(midi: Midi, step: int) -> tuple[int, int] | None:
    """The time signature that holds at a step, numerator and denominator; None if none is named."""
    rows = midi.events[midi.events[:, KIND] == METRE_CHANGE]
    known = rows[(rows[:, VALUE] > 0) & (rows[:, PLACE] <= LARGEST_POWER)]
    before = known[step_at(known[:, TICK], midi.ticks_per_beat // STEPS_PER_BEAT) <= step]
    return (int(before[-1, VALUE]), 2 ** int(before[-1, PLACE])) if len(before) else None


def bar_starts(positions: np.ndarray) -> np.ndarray:
    """The steps at which bars begin, int64 of shape (bars,)."""
    return np.flatnonzero(np.asarray(positions) == 0)


def bar_lengths(positions: np.ndarray) -> np.ndarray:
    """Steps of each bar, int64 of shape (bars,); what is before the first bar line is one, too."""
    lines = np.union1d([0, len(positions)], bar_starts(positions))
    return np.diff(lines.astype(np.int64))


def misplaced(positions: np.ndarray) -> int | None:
    """The first step whose position is not one that `positions` gives; None if all of them are.

    Each is 0, or one more than that before; the first may be within a bar.
    """
    known = np.asarray(positions)
    wrong = (known != 0) & (known != np.concatenate([known[:1], known[:-1] + 1]))
    wrong |= known >= LONGEST_BAR
    return int(wrong.argmax()) if wrong.any() else None


def whole_bars(positions: np.ndarray) -> int:
    """Steps up to the end of the last whole bar: a last one shorter than that before is none."""
    lengths = bar_lengths(positions)
    incomplete = len(lengths) > 1 and lengths[-1] < lengths[-2]
    return len(positions) - int(lengths[-1]) * incomplete


def backwards(positions: np.ndarray) -> np.ndarray:
    """The positions of a piece of whole bars that is played backwards, uint16 of shape (T,)."""
    lengths = bar_lengths(positions)[::-1]
    first = np.cumsum(lengths) - lengths
    return (np.arange(len(positions)) - np.repeat(first, lengths)).astype(np.uint16)
