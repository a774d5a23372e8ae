"""Piano rolls: 88 keys heard every 0.3 s, tempo changes followed."""

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pretty_rolls import pretty_roll
from test_note_states import off, on, saved, with_ticks

from musiclib.base.errors import InputError
from musiclib.music.note_states import read_note_states
from musiclib.music.piano_roll import read_piano_roll, write_piano_roll


def tempo(tick, microseconds):
    return mido.MetaMessage("set_tempo", tempo=microseconds, time=tick)


def hand_roll(rows, *notes):
    roll = np.zeros((rows, 88), np.uint8)
    for pitch, first, length in notes:
        roll[first : first + length, pitch - 21] = 1
    return roll


def test_samples_follow_a_tempo_change(tmp_path):
    """A beat lasts 0.6 s, then 0.3 s: two samples a beat, then one."""
    changes = [tempo(0, 600_000), tempo(480, 300_000)]
    notes = [on(0, 60), off(480, 60), on(0, 72), off(960, 72), on(480, 21), off(480, 21)]
    roll = read_piano_roll(saved(tmp_path / "a.mid", changes, notes))
    np.testing.assert_array_equal(roll, hand_roll(6, (60, 0, 2), (72, 2, 2), (21, 5, 1)))


def test_a_key_counts_where_it_sounds_at_the_sample_itself(tmp_path):
    """At 0.5 s a beat of 480 ticks the samples are at ticks 0, 288, 576, ..."""
    notes = [on(1, 60), off(286, 60), on(0, 61), off(289, 61), on(0, 62), off(1, 62)]
    roll = read_piano_roll(saved(tmp_path / "a.mid", notes))
    np.testing.assert_array_equal(roll, hand_roll(3, (61, 1, 1), (62, 2, 1)))


def test_drums_and_pitches_off_the_keyboard_are_left_out(tmp_path):
    drum = [on(0, 60).copy(channel=9), off(480, 60).copy(channel=9)]
    notes = [on(0, 20), off(480, 20), on(0, 109), off(480, 109), on(0, 108), off(240, 108)]
    roll = read_piano_roll(saved(tmp_path / "a.mid", drum, notes))
    np.testing.assert_array_equal(roll, hand_roll(5, (108, 4, 1)))


@st.composite
def tunes(draw):
    """Notes one after another, with changes of tempo between the notes."""
    tune = []
    for _ in range(draw(st.integers(1, 8))):
        tune.append(tempo(draw(st.integers(0, 300)), draw(st.integers(100_000, 2_000_000))))
        pitch = draw(st.integers(21, 108))
        tune += [on(draw(st.integers(0, 900)), pitch), off(draw(st.integers(1, 900)), pitch)]
    return tune


@given(tunes())
def test_a_reader_of_each_sample_agrees(scratch, tune):
    roll = read_piano_roll(saved(scratch / "tune.mid", tune))
    seconds, started = 0.0, {}
    expected, sure = np.zeros_like(roll), np.ones(len(roll), bool)
    samples = 0.3 * np.arange(len(roll))
    microseconds = 500_000
    for event in tune:
        seconds += event.time * microseconds / 480 / 1e6
        sure &= abs(samples - seconds) > 1e-4  # on the edge rounding decides
        if event.type == "set_tempo":
            microseconds = event.tempo
        elif event.type == "note_on":
            started[event.note] = seconds
        else:
            heard = (samples >= started[event.note]) & (samples < seconds)
            expected[heard, event.note - 21] = 1
    assert len(roll) == pytest.approx(seconds / 0.3, abs=1.001)
    np.testing.assert_array_equal(roll[sure], expected[sure])


@st.composite
def crowds(draw):
    """Tracks in which notes of few pitches and channels overlap, repeat and end at any tick."""
    delta = st.sampled_from([0, 0, 1, 240, 288, 480])
    pitch, channel = st.sampled_from([20, 21, 60, 61]), st.sampled_from([0, 1, 9])
    event = st.one_of(
        st.builds(lambda d, p, c, v: on(d, p, v).copy(channel=c), delta, pitch, channel,
                  st.sampled_from([64, 64, 0])),
        st.builds(lambda d, p, c: off(d, p).copy(channel=c), delta, pitch, channel),
        st.builds(tempo, delta, st.sampled_from([300_000, 500_000, 725_000])),
    )  # fmt: skip
    return draw(st.lists(st.lists(event, max_size=16), min_size=1, max_size=3))


@given(crowds())
def test_pretty_midi_agrees_however_notes_overlap(scratch, tracks):
    path = saved(scratch / "crowd.mid", *tracks)
    np.testing.assert_array_equal(read_piano_roll(path), pretty_roll(path))


@pytest.mark.shared
def test_pretty_midi_agrees_on_real_pieces(piano_midi):
    for path in sorted(piano_midi.glob("*/*.mid"))[::28]:
        np.testing.assert_array_equal(read_piano_roll(path), pretty_roll(path), path.name)


@st.composite
def rolls(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (draw(st.integers(1, 30)), 88)
    return (rng.random(shape) < draw(st.sampled_from([0.01, 0.2, 0.9]))).astype(np.uint8)


@given(rolls())
def test_what_is_written_reads_back(scratch, roll):
    write_piano_roll(roll, scratch / "roll.mid")
    np.testing.assert_array_equal(read_piano_roll(scratch / "roll.mid"), roll)


@given(rolls())
def test_a_row_is_two_sixteenths_of_note_states(scratch, roll):
    write_piano_roll(roll, scratch / "roll.mid")
    states = read_note_states(scratch / "roll.mid")
    np.testing.assert_array_equal(states[..., 0], roll[:, 3:81].repeat(2, axis=0))


def test_a_key_that_stays_down_is_struck_once(tmp_path):
    write_piano_roll(hand_roll(9, (60, 1, 4), (60, 6, 2)), tmp_path / "a.mid")
    events = with_ticks(mido.MidiFile(tmp_path / "a.mid").tracks[0])
    assert [tick // 110 for tick, e in events if e.type == "note_on"] == [1, 6]


def test_an_empty_roll_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.mid"):
        write_piano_roll(hand_roll(0), tmp_path / "a.mid")
