"""Plagiarism: against loops over every place and transposition, and planted copies."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hand_states, random_states, scale_piece

from musiclib.metrics.plagiarism import CopiedRun, longest_runs, nearest_bars

LOW, HIGH = 20, 30  # notes of the random music, so that few transpositions can match
INTERVALS = range(LOW - HIGH, HIGH - LOW + 1)


def bits(states):
    """What is set: (step, pitch, bit)."""
    return {tuple(place) for place in np.argwhere(states).tolist()}


def moved(places, interval):
    """What stays within the range of 78 pitches."""
    up = {(step, note + interval, bit) for step, note, bit in places}
    return {place for place in up if 0 <= place[1] < 78}


def cut(piece):
    return [bits(piece[start : start + 16]) for start in range(0, len(piece) - 15, 16)]


def in_common(ours, theirs, interval):
    """2 |both| / (|one| + |other|), with theirs moved up by `interval`."""
    size = len(ours) + len(theirs)
    return 2 * len(moved(ours, -interval) & theirs) / size if size else 0


def hand_nearest_share(piece, training):
    return max(
        in_common(ours, theirs, interval)
        for ours in cut(piece)
        for other in training.values()
        for theirs in cut(other)
        for interval in range(-6, 7)
    )


@given(st.integers(0, 2**32), st.sampled_from([(0, 9), (30, 40), (70, 78)]), st.booleans())
def test_the_nearest_bar_is_that_of_a_loop(seed, range_, few_at_a_time):
    """At the edges notes leave the range, and still count in the size."""
    low, high = range_
    pieces = [random_states(steps, seed + i, 0.2, low, high) for i, steps in enumerate((33, 40))]
    ours = dict(zip("ab", pieces, strict=True))
    training = {str(i): random_states(50, seed + 9 + i, 0.2, low, high) for i in range(2)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("musiclib.metrics.plagiarism.BLOCK", 2 if few_at_a_time else 4096)
        found = nearest_bars(ours, training)
    for name, piece in ours.items():
        nearest = found[name]
        assert nearest.share == pytest.approx(hand_nearest_share(piece, training), abs=1e-6)
        there = cut(training[nearest.training_piece])[nearest.training_bar]
        here = cut(piece)[nearest.bar]
        assert in_common(here, there, nearest.interval) == pytest.approx(nearest.share, abs=1e-6)


def hand_run(piece, training):
    """The longest run over all places and intervals, silence at its ends left out."""
    longest = 0
    for other, interval in product(training.values(), INTERVALS):
        theirs = np.roll(other, interval, axis=1)
        for first, step in product(range(0, len(piece) - 15, 16), range(len(other) - 15)):
            longest = max(longest, run_from(piece[first:], theirs[step:]))
    return longest


def run_from(ours, theirs):
    longest = 0
    for end in range(16, min(len(ours), len(theirs)) + 1, 16):
        bar = ours[end - 16 : end]
        if bar.tobytes() != theirs[end - 16 : end].tobytes():
            break
        longest = end // 16 if bar.any() else longest
        if not longest:
            break  # it begins with silence
    return longest


@st.composite
def copyists(draw):
    """Training pieces with rests, and a piece that strings together what it takes from them."""
    seed = draw(st.integers(0, 2**32))
    training = {
        name: random_states(72, seed + i, density, LOW, HIGH)
        for i, (name, density) in enumerate({"thick": 0.1, "thin": 0.01}.items())
    }
    training["thick"][20:44] = 0
    spans = [np.zeros((0, 78, 2), np.uint8)]
    for _ in range(draw(st.integers(1, 3))):
        source = training[draw(st.sampled_from(["thick", "thin"]))]
        first, count = draw(st.integers(0, 40)), draw(st.integers(1, 4))
        spans.append(np.roll(source[first:][: 16 * count], draw(st.integers(-5, 5)), axis=1))
        spans.append(random_states(16 * draw(st.integers(0, 1)), seed, 0.1, LOW, HIGH))
    piece = np.concatenate(spans)
    rest = 16 * draw(st.integers(0, 5))
    piece[rest : rest + 16] = 0  # where the original sounds
    return piece, training


@given(copyists())
def test_the_longest_run_is_that_of_a_loop(music):
    piece, training = music
    run = longest_runs({"new": piece}, training)["new"]
    assert run.bars == hand_run(piece, training)
    if run.bars:
        ours = piece[16 * run.bar :][: 16 * run.bars]
        theirs = training[run.training_piece][run.training_step :][: 16 * run.bars]
        np.testing.assert_array_equal(ours, np.roll(theirs, run.interval, axis=1))
        assert ours[:16].any() and ours[-16:].any()


def library():
    """Training pieces whose notes stay clear of the edges, none like another."""
    return {name: random_states(200, i, 0.1, 10, 68) for i, name in enumerate(("one", "two"))}


def other_music(steps):
    return random_states(steps, 99, 0.1, 10, 68)


@pytest.mark.parametrize("interval", [-6, 0, 5])
@pytest.mark.parametrize("step", [32, 37])
def test_a_planted_copy_is_found_with_its_place_and_interval(step, interval):
    training = library()
    copy = np.roll(training["two"][step : step + 64], interval, axis=1)
    piece = np.concatenate([other_music(48), copy, other_music(32)])
    generated = {"copy": piece, "own": other_music(160)}
    runs = longest_runs(generated, training)
    assert runs == {"copy": CopiedRun(4, 3, "two", step, interval), "own": CopiedRun(0)}
    nearest = nearest_bars(generated, training)
    assert nearest["own"].share < 0.5
    if step % 16 == 0:  # the nearest bar is looked for among whole ones alone
        assert nearest["copy"].share == 1
        assert nearest["copy"].bar - 3 == nearest["copy"].training_bar - step // 16
        assert nearest["copy"][2::2] == ("two", interval)


def test_a_rest_within_a_copy_counts_and_rests_around_it_do_not():
    training = library()
    for piece in training.values():
        piece[48:64] = 0  # from step 0 on the fourth bar is silent
    rest = hand_states(16)
    copied = np.roll(training["one"][16:96], 2, axis=1)  # two bars, the rest, two more
    piece = np.concatenate([rest, copied, rest, rest])
    assert longest_runs({"new": piece}, training)["new"] == CopiedRun(5, 1, "one", 16, 2)
    ends_in_rest = {"new": np.concatenate([training["one"][16:64], other_music(16)])}
    assert longest_runs(ends_in_rest, training)["new"] == CopiedRun(2, 0, "one", 16, 0)


def test_a_rest_where_the_original_sounds_breaks_a_run():
    piece = library()["one"][:80].copy()
    piece[32:48] = 0
    assert longest_runs({"new": piece}, library())["new"] == CopiedRun(2, 0, "one", 0, 0)


def test_a_copy_that_changes_its_interval_is_two_runs():
    training = library()
    first, second = training["one"][:48], np.roll(training["one"][48:80], 1, axis=1)
    piece = np.concatenate([first, second])
    assert longest_runs({"new": piece}, training)["new"] == CopiedRun(3, 0, "one", 0, 0)


def test_one_other_note_breaks_a_run():
    training = {"tune": scale_piece()}
    piece = training["tune"].copy()
    piece[70, 77] = 1  # in the fifth of ten bars
    assert longest_runs({"new": piece}, training)["new"].bars == 5


def test_silent_and_short_pieces_share_nothing():
    pieces = {"silent": hand_states(64), "short": scale_piece(steps=15), "empty": hand_states(0)}
    assert nearest_bars(pieces, library()) == dict.fromkeys(pieces)
    assert longest_runs(pieces, library()) == dict.fromkeys(pieces, CopiedRun(0))


def test_silent_and_short_training_pieces_are_harmless():
    pieces = {"new": np.concatenate([other_music(32), library()["one"][50:98]])}
    useless = {"silent": hand_states(64), "short": scale_piece(steps=15), "empty": hand_states(0)}
    more = useless | library() | {"last": hand_states(3)}
    assert longest_runs(pieces, more) == longest_runs(pieces, library())
    assert nearest_bars(pieces, more) == nearest_bars(pieces, library())
    assert nearest_bars(pieces, useless) == {"new": None}
    assert longest_runs(pieces, useless) == {"new": CopiedRun(0)}


def test_a_chorale_is_found_in_its_transposition(chorales):
    some = {str(i): states for i, states in enumerate(chorales) if len(states) >= 128}
    name, states = next(iter(some.items()))
    piece = np.roll(states[7:], -3, axis=1)
    run = longest_runs({"new": piece}, some)["new"]
    assert (run.bars, run.training_piece, run.interval) == (len(piece) // 16, name, -3)
