"""Positions in true bars: by hand, by a loop over bar lines, and by pretty_midi on real pieces."""

import csv
from fractions import Fraction
from itertools import pairwise

import mido
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pretty_rolls import parsed_by_pretty_midi
from test_note_states import HEADER, metre, off, on, saved, with_ticks

from musiclib.music.bar_grid import backwards, bar_lengths, bar_starts, positions, whole_bars
from musiclib.music.midi_events import METRE_CHANGE, Midi, parse, read_midi
from musiclib.music.note_states import note_states, read_note_states, step_at, steps_read


def midi_of(*metres, resolution=480):
    """A file of (tick, numerator, denominator) alone."""
    rows = [(tick, METRE_CHANGE, top, below.bit_length() - 1) for tick, top, below in metres]
    return Midi(resolution, np.array(rows, np.int64).reshape(-1, 4), 0)


def lengths(midi, steps):
    return bar_lengths(positions(midi, steps)).tolist()


BARS = {
    (4, 4): 16,
    (2, 2): 16,
    (2, 4): 8,
    (3, 4): 12,
    (6, 8): 12,
    (5, 4): 20,
    (3, 8): 6,
    (9, 8): 18,
}
BARS |= {(12, 8): 24, (7, 16): 7, (4, 2): 32, (1, 1): 16, (32, 32): 16, (3, 64): 1, (1, 32): 1}


@pytest.mark.parametrize("signature", BARS)
def test_a_bar_has_as_many_steps_as_sixteenths(signature):
    found = positions(midi_of((0, *signature)), 100)
    assert found.dtype == np.uint16 and found.shape == (100,)
    assert found.tolist() == [step % BARS[signature] for step in range(100)]


def test_without_a_time_signature_and_before_the_first_one_it_is_4_4():
    assert lengths(midi_of(), 40) == [16, 16, 8]
    assert lengths(midi_of((24 * 120, 3, 4)), 48) == [16, 8, 12, 12]


def test_a_time_signature_begins_a_bar_where_it_stands():
    """An upbeat as a bar of 1/4, then 4/4; 3/4 in the middle of a bar; and 3/4 once more."""
    changes = (0, 1, 4), (4 * 120, 4, 4), (30 * 120, 3, 4), (50 * 120, 3, 4)
    assert lengths(midi_of(*changes), 60) == [4, 16, 10, 12, 8, 10]


def test_at_one_tick_the_last_time_signature_holds():
    assert lengths(midi_of((0, 4, 4), (0, 3, 4), (24 * 120, 2, 4), (24 * 120, 5, 4)), 44) == [
        12,
        12,
        20,
    ]


def test_bars_of_two_and_a_half_steps_are_now_longer_now_shorter():
    """5/32: bar lines at 2.5, 5, 7.5, ... steps; a line in the middle falls to the later step."""
    assert lengths(midi_of((0, 5, 32)), 10) == [3, 2, 3, 2]


@pytest.mark.parametrize(("tick", "step"), [(59, 0), (60, 1), (179, 1), (180, 2)])
def test_a_bar_line_falls_to_the_step_that_a_note_there_falls_to(tmp_path, tick, step):
    path = saved(tmp_path / "a.mid", [metre(0, 4), metre(tick, 4)], [on(tick), off(960)])
    midi = read_midi(path)
    struck = np.flatnonzero(note_states(midi)[..., 1].any(axis=1))
    assert struck.tolist() == [step]
    assert bar_starts(positions(midi, 8)).tolist() == sorted({0, step})


def by_bar_lines(midi, steps):
    """Bar line after bar line, in exact fractions of a tick: the steps that hold one."""
    size = midi.ticks_per_beat // 4
    changes = [(tick, top, 2**power) for tick, _, top, power in midi.events.tolist()]
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0, 4, 4))
    held = set()
    for (tick, top, below), (end, *_) in zip(changes, [*changes[1:], (10**9,)], strict=True):
        line = Fraction(tick)
        while line < end and (step := (line - size // 2) // size + 1) < steps:
            held.add(int(step))
            line += Fraction(top * 4 * midi.ticks_per_beat, below)
    return held


signatures = st.tuples(st.integers(0, 4000), st.integers(1, 13), st.sampled_from([1, 2, 4, 8, 32]))


@given(st.lists(signatures, max_size=6).map(sorted), st.sampled_from([5, 96, 220, 480, 1022]))
@example([(0, 255, 1)], 480)
def test_a_loop_over_bar_lines_agrees_and_positions_count_up_within_a_bar(changes, resolution):
    midi = midi_of(*changes, resolution=resolution)
    found = positions(midi, 300).tolist()
    assert {step for step in range(300) if found[step] == 0} == by_bar_lines(midi, 300)
    for before, after in pairwise(found):
        assert after in (0, before + 1)


@given(st.lists(st.tuples(st.sampled_from(list(BARS)), st.integers(1, 4)), min_size=1, max_size=5))
def test_all_bars_of_a_metre_have_its_length(parts):
    """Metres that change at bar lines, some bars each."""
    changes, expected, tick = [], [], 0
    for signature, bars in parts:
        if signature not in ((3, 64), (1, 32)):  # shorter than a step
            changes.append((tick, *signature))
            expected += [BARS[signature]] * bars
            tick += BARS[signature] * bars * 120
    if expected:
        assert lengths(midi_of(*changes), sum(expected)) == expected


def with_metre(numerator, power):
    """A file of one note, eight beats on, in 3/4 and then what is given."""
    events = b"\x00\xff\x58\x04\x03\x02\x18\x08" + b"\x00\xff\x58\x04%c%c\x18\x08"
    events = events % (numerator, power) + b"\x00\x90\x3c\x40\x83\x00\x80\x3c\x40"
    return HEADER + b"\x00\x30MTrk" + len(events).to_bytes(4, "big") + events


@pytest.mark.parametrize(("numerator", "power"), [(0, 2), (0, 0), (4, 255), (2, 7), (255, 100)])
def test_a_time_signature_that_cannot_be_is_passed_over_but_stops_reading_as_published(
    numerator, power
):
    midi = parse(with_metre(numerator, power))
    assert lengths(midi, 33) == [12, 12, 9]
    assert len(note_states(midi)) == 1 and len(note_states(midi, "all")) == 33
    assert lengths(parse(with_metre(4, 6)), 33) == [1] * 33


def downbeats_by_pretty_midi(path):
    """The steps of its downbeats, and the step in which its last note ends.

    Tempos are left out: they only blur what its downbeats, in seconds, are in ticks.
    """
    midi = mido.MidiFile(path)
    for track in midi.tracks:
        kept = [(tick, event) for tick, event in with_ticks(track) if event.type != "set_tempo"]
        before = [0, *(tick for tick, _ in kept)]
        track[:] = [e.copy(time=t - b) for (t, e), b in zip(kept, before[:-1], strict=True)]
    parsed = parsed_by_pretty_midi(midi)
    times = [*parsed.get_downbeats(), parsed.get_end_time()]
    ticks = np.array([parsed.time_to_tick(time) for time in times])
    *downbeats, end = step_at(ticks, midi.ticks_per_beat // 4).tolist()
    return sorted({step for step in downbeats if step < end}), end


@pytest.mark.shared
def test_pretty_midi_has_the_same_bar_lines_on_real_pieces(piano_midi):
    for path in sorted(piano_midi.glob("*/*.mid"))[::14]:
        expected, end = downbeats_by_pretty_midi(path)
        assert bar_starts(positions(read_midi(path), end)).tolist() == expected, path.name


@pytest.mark.shared
def test_the_published_rule_costs_163_of_337_real_pieces_and_more_than_half_of_the_music(
    piano_midi,
):
    with (piano_midi / "manifest.csv").open(newline="", encoding="utf-8") as table:
        published = {row["path"]: int(row["orig_steps"]) for row in csv.DictReader(table)}
    short, read, there = 0, 0, 0
    for name, steps in published.items():
        midi = read_midi(piano_midi / name)
        assert steps_read(midi) == steps, name
        short += steps < 128
        read += steps
        there += steps_read(midi, "all")
    assert (short, read, there) == (163, 265_868, 589_612)


@given(st.integers(0, 40), st.integers(0, 60), st.sampled_from([3, 4, 5]))
def test_steps_are_counted_without_reading_them(scratch, first, more, numerator):
    events = [on(0), metre(first * 60, numerator), off(more * 60)]
    path = saved(scratch / "counted.mid", events)
    for rule in ("paper", "all"):
        assert steps_read(read_midi(path), rule) == len(read_note_states(path, rule))


def grid(*bars):
    return np.concatenate([np.arange(bar, dtype=np.uint16) for bar in bars])


@pytest.mark.parametrize(
    ("bars", "whole"),
    [
        ((12, 12), 24),
        ((12, 12, 5), 24),
        ((16, 12), 16),
        ((12, 16), 28),
        ((4, 16, 16), 36),
        ((7,), 7),
    ],
)
def test_a_last_bar_that_is_shorter_than_the_one_before_is_incomplete(bars, whole):
    assert whole_bars(grid(*bars)) == whole


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_backwards_the_bars_come_in_reverse_order(bars):
    turned = backwards(grid(*bars))
    assert turned.dtype == np.uint16
    np.testing.assert_array_equal(turned, grid(*bars[::-1]))
    np.testing.assert_array_equal(backwards(turned), grid(*bars))


def test_what_is_before_the_first_bar_line_is_a_bar_too():
    cut = grid(12, 12, 12)[5:]
    assert bar_lengths(cut).tolist() == [7, 12, 12]
    np.testing.assert_array_equal(backwards(cut), grid(12, 12, 7))
