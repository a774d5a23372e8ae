"""Keys: estimated from durations, and pieces moved to C major or A minor and back."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21.analysis import discrete
from strategies import hand_states, legal_states

from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import Corpus, Piece
from musiclib.music.keys import (
    PROFILES,
    Key,
    estimate_key,
    key_of,
    normalise_key,
    opening_steps,
    pitch_class_steps,
    with_opening,
)
from musiclib.music.note_states import read_note_states

TRIADS = {  # I IV V I; in minor the dominant is major
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)),
}
MODES = ("major", "minor")
WAYS = ("opening", "paper")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 11)}


def cadence(tonic, mode):
    chords = enumerate(TRIADS[mode])
    return hand_states(16, *((48 + tonic + n, 4 * i, 4) for i, chord in chords for n in chord))


def scale(tonic, mode):
    """Up the scale to the octave, over the tonic's triad."""
    up = [(60 + tonic + n, i, 1) for i, n in enumerate(SCALES[mode])]
    triad = [(48 + tonic + n, 0, 8) for n in TRIADS[mode][0]]
    return hand_states(8, *up, (72 + tonic, 7, 1), *triad)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("music", [cadence, scale])
@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_cadences_and_scales_is_found(music, tonic, mode, how):
    key = estimate_key(music(tonic, mode), how)
    assert (key.tonic, key.mode) == (tonic, mode)
    assert 0.7 < key.correlation <= 1
    assert 0 < key.confidence <= 1


@pytest.mark.parametrize(
    ("how", "theirs"),
    [("opening", discrete.BellmanBudge()), ("paper", discrete.KrumhanslSchmuckler())],
)
def test_the_profiles_are_those_that_music21_has(how, theirs):
    for mode in MODES:
        assert list(PROFILES[how][mode]) == theirs.getWeights(mode)


def one_by_one(weights, how):
    """All 24 keys, the best first, each correlation by itself."""
    keys = [
        (mode, tonic, float(np.corrcoef(np.roll(PROFILES[how][mode], tonic), weights)[0, 1]))
        for mode in MODES
        for tonic in range(12)
    ]
    best = max(keys, key=lambda key: key[2])
    return [best, *sorted((key for key in keys if key != best), key=lambda key: -key[2])]


@pytest.mark.parametrize("how", WAYS)
@given(weights=st.lists(st.integers(0, 9), min_size=12, max_size=12).map(np.array))
def test_a_key_is_what_24_correlations_one_by_one_say(weights, how):
    """Ties, too, which small whole numbers make: trained runs rest on them."""
    if np.ptp(weights) == 0:
        return
    (mode, tonic, fit), (_, _, following), *_ = one_by_one(weights, how)
    key = key_of(weights, how)
    assert (key.tonic, key.mode) == (tonic, mode)
    assert key.correlation == pytest.approx(fit, abs=1e-12)
    assert key.confidence == pytest.approx((fit - following) / (1 - following), abs=1e-9)
    assert 0 <= key.confidence <= 1


def test_the_keys_of_whole_chorales_are_those_of_24_correlations_one_by_one(chorales):
    for states in filter(np.any, chorales):
        mode, tonic, _ = one_by_one(pitch_class_steps(states), "paper")[0]
        assert estimate_key(states, "paper")[:2] == (tonic, mode)


def test_a_tie_is_broken_as_by_24_correlations_one_by_one():
    weights = np.array([16, 8, 36, 0, 24, 20, 4, 8, 10, 34, 2, 18])  # two bars of a chorale
    (mode, tonic, fit), (_, _, following), *_ = one_by_one(weights, "paper")
    assert fit - following < 1e-12
    assert key_of(weights, "paper")[:2] == (tonic, mode)
    assert key_of(weights, "paper").confidence < 1e-12


def in_two_keys(silent=0):
    """Eight bars of C major and twelve of G major, after so many steps of silence."""
    chords = [(48 + n, at) for at in range(0, 128, 16) for n in (0, 4, 7)]
    chords += [(48 + n, at) for at in range(128, 320, 16) for n in (7, 11, 14, 18)]
    return hand_states(silent + 320, *((pitch, silent + at, 16) for pitch, at in chords))


@pytest.mark.parametrize("silent", [0, 200])
def test_a_piece_is_in_the_key_that_it_opens_in(silent):
    states = in_two_keys(silent)
    assert estimate_key(states)[:2] == (0, "major")
    assert estimate_key(states, "paper")[:2] == (7, "major")
    assert opening_steps(states).tolist() == [128, 0, 0, 0, 128, 0, 0, 128, 0, 0, 0, 0]
    assert estimate_key(states) == key_of(
        with_opening(pitch_class_steps(states), opening_steps(states))
    )


def test_the_opening_weighs_as_much_as_the_whole():
    whole, opening = np.eye(12)[0] * 30 + np.eye(12)[2] * 10, np.eye(12)[2] * 5
    assert with_opening(whole, opening).tolist() == [0.75, 0, 1.25] + 9 * [0]
    assert not with_opening(np.zeros(12), np.zeros(12)).any()


def test_music_is_prepared_for_training_by_the_way_of_all_trained_runs():
    states = in_two_keys()
    piece = Piece("two keys", states, np.zeros((40, 88), np.uint8))
    corpus = Corpus({"main": [piece], "held-out": []})
    kept = prepare(corpus, normalise=True).main[0].states
    interval = estimate_key(states, "paper").interval
    assert interval == 5 != estimate_key(states).interval
    np.testing.assert_array_equal(kept, normalise_key(states, Key(7, "major", 1.0)).states)


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_normalising_lands_in_c_major_or_a_minor_by_the_shorter_way(tonic, mode):
    normalised = normalise_key(cadence(tonic, mode))
    key = estimate_key(normalised.states)
    assert (key.tonic, key.mode) == {"major": (0, "major"), "minor": (9, "minor")}[mode]
    assert -6 <= normalised.interval <= 5


@pytest.mark.parametrize(("how", "least"), [("opening", 0.8), ("paper", 0.7)])
def test_most_chorales_are_in_the_key_of_their_signature(chorales, sharps, how, least):
    """The others are a fifth away: where they are dorian, or dwell on the dominant."""
    fifths_away = []
    for states, signature in zip(chorales, sharps, strict=True):
        if len(states) >= 128:
            key = estimate_key(states, how)
            major_tonic = key.tonic + 3 * (key.mode == "minor")
            fifths_away.append((7 * major_tonic - signature + 6) % 12 - 6)
    assert len(fifths_away) > 80
    assert np.mean(np.equal(fifths_away, 0)) > least
    assert np.mean(np.abs(fifths_away) <= 1) > 0.95


def test_durations_are_counted_by_pitch_class():
    states = hand_states(10, (24, 0, 3), (60, 1, 4), (61, 9, 1), (101, 0, 2))
    assert pitch_class_steps(states).tolist() == [7, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]


def test_silence_has_no_key_and_stays_where_it_is():
    assert estimate_key(hand_states(20)) == Key(0, "major", 0.0)
    assert normalise_key(hand_states(20)).interval == 0


@given(legal_states(), st.integers(0, 11), st.sampled_from(["major", "minor"]))
def test_undoing_gives_the_piece_back_to_the_last_note(states, tonic, mode):
    """Even where notes fell off the edge."""
    normalised = normalise_key(states, Key(tonic, mode, 1.0))
    np.testing.assert_array_equal(normalised.undo(), states)
    assert normalised.states.shape == states.shape


@given(legal_states(low=6, high=72), st.integers(0, 11), st.sampled_from(["major", "minor"]))
def test_normalising_moves_every_note_by_the_interval(states, tonic, mode):
    normalised = normalise_key(states, Key(tonic, mode, 1.0))
    steps, notes, bits = np.nonzero(states)
    moved = np.zeros_like(states)
    moved[steps, notes + normalised.interval, bits] = 1
    np.testing.assert_array_equal(normalised.states, moved)
    assert (tonic + normalised.interval) % 12 == {"major": 0, "minor": 9}[mode]


NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def estimates(folder):
    """Estimates beside the key that each file writes first: (tonic, mode)."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            first = row["key_signatures"].split()[0]
            tonic = NATURAL[first[0]] + first.count("#") - first.count("b")
            written = tonic % 12, "minor" if first.endswith("m") else "major"
            yield estimate_key(read_note_states(folder / row["path"], "all")), written


def signature(tonic, mode):
    return (tonic + 3 * (mode == "minor")) % 12


@pytest.mark.shared
def test_tunes_of_nottingham_are_in_their_written_keys_and_the_sure_ones_more_often(piano_midi):
    """All 1,034, also those that write several keys: the first one counts."""
    keys, written = zip(*estimates(piano_midi.parent / "nottingham"), strict=True)
    right = np.array([key[:2] == truth for key, truth in zip(keys, written, strict=True)])
    signed = [signature(*k[:2]) == signature(*t) for k, t in zip(keys, written, strict=True)]
    assert len(keys) == 1034
    assert right.mean() > 0.93
    assert np.mean(signed) > 0.95
    order = np.argsort([key.confidence for key in keys], kind="stable")
    quarters = [right[part].mean() for part in np.array_split(order, 4)]
    assert quarters == sorted(quarters)
    assert quarters[0] < 0.9 and quarters[-1] > 0.98


@pytest.mark.shared
def test_nine_piano_pieces_in_ten_are_in_their_written_signature(piano_midi):
    signed = [signature(*k[:2]) == signature(*truth) for k, truth in estimates(piano_midi)]
    assert len(signed) == 337
    assert np.mean(signed) > 0.9
