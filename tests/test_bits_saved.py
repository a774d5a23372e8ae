"""Bits saved per note: by hand, what it must not hang on, and the order it must put music in."""

from itertools import pairwise
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_pieces import held_out_and_others
from strategies import hand_states, random_states, scale_piece

from musiclib.base.errors import InputError
from musiclib.metrics.bits_saved import bits_saved_of_pieces, saved
from musiclib.metrics.controls import BELOW_REAL, FROM_BEST_TO_WORST, controls
from musiclib.music.bars import piece_bars

FLOOR = 1e-4


def bits_saved(generated, held_out, reference=None):
    """Per note, of tables of bars; the reference is the held-out one unless it is given."""
    frequencies = (held_out if reference is None else reference).mean(axis=0)
    return saved(generated, held_out, frequencies).sum() / held_out.sum()


def random_bits(shape, seed, chance=0.5):
    return (np.random.default_rng(seed).random(shape) < chance).astype(np.uint8)


def hand_bits(chances, reference, held_out):
    """Bits that one bar's chances save a note over those of a reference, cell by cell."""
    bits = notes = 0
    for bar in held_out:
        for cell, chance, often in zip(bar, chances, reference, strict=True):
            ours, theirs = ((1 - FLOOR) * p + FLOOR / 2 for p in (chance, often))
            bits += log2(ours / theirs) if cell else log2((1 - ours) / (1 - theirs))
            notes += int(cell)
    return bits / notes


@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_one_generated_bar_saves_what_its_own_notes_save(seed, silent, given_reference):
    generated = random_bits((1, 30), seed) * (not silent)
    held_out = np.vstack([random_bits((8, 30), seed + 1, 0.3), generated, np.eye(30)[:1]])
    held_out = held_out.astype(np.uint8)
    reference = random_bits((20, 30), seed + 2, 0.3) if given_reference else None
    often = (held_out if reference is None else reference).mean(axis=0)
    # The fit keeps a millionth away from 0 and 1, far less than the floor.
    expected = hand_bits(generated[0], often, held_out)
    assert bits_saved(generated, held_out, reference) == pytest.approx(expected, rel=2e-3)


def test_silence_costs_a_finite_number_of_bits_as_reckoned_by_hand():
    held_out = random_bits((40, 200), 0, 0.05)
    value = bits_saved(np.zeros((9, 200), np.uint8), held_out)
    assert value == pytest.approx(hand_bits(np.zeros(200), held_out.mean(axis=0), held_out))
    assert -15 < value < -5


def test_independent_cells_save_nothing():
    chance = np.random.default_rng(0).uniform(0.05, 0.5, 40)
    generated, held_out = (random_bits((4000, 40), seed, chance) for seed in (1, 2))
    assert abs(bits_saved(generated, held_out)) < 0.02


def test_two_kinds_of_bars_save_all_that_their_notes_say_of_each_other():
    """Forty cells as likely as not: in a kind each costs the entropy of 0.1, and the kind a bit."""
    kinds = np.random.default_rng(0).permutation(np.repeat([[1, 0], [0, 1]], 1000, axis=0))
    sample = np.repeat(kinds, 20, axis=1).astype(np.uint8) ^ random_bits((2000, 40), 1, 0.1)
    entropy = -0.1 * log2(0.1) - 0.9 * log2(0.9)
    expected = (40 - 40 * entropy - 1) / 20
    assert bits_saved(sample[:1000], sample[1000:]) == pytest.approx(expected, rel=0.05)


@pytest.fixture(scope="module")
def pieces():
    """Generated and held-out pieces, tunes over chords with notes of their own."""
    music = [np.maximum(scale_piece(60 + i % 5, 160, i), random_states(160, i, 0.02))
             for i in range(30)]  # fmt: skip
    return music[:20], music[20:]


@pytest.fixture
def tables(pieces, monkeypatch):
    """Their bars, in a sample of four parts."""
    monkeypatch.setattr("musiclib.metrics.bernoulli_mixture.PART", 60)
    return [piece_bars(side) for side in pieces]


def doubled(table):
    return np.vstack([table, table])


def repeated_and_shuffled(table):
    return np.random.default_rng(0).permutation(np.repeat(table, 3, axis=0))


@pytest.mark.parametrize("change", [doubled, repeated_and_shuffled, np.flipud])
def test_neither_size_nor_order_of_a_sample_changes_its_value(tables, change):
    generated, held_out = tables
    expected = bits_saved(generated, held_out)
    assert abs(expected) > 0.01
    assert bits_saved(change(generated), held_out) == pytest.approx(expected, rel=1e-6)
    assert bits_saved(generated, change(held_out)) == pytest.approx(expected, rel=1e-6)


def test_the_names_of_the_pitches_do_not_matter(tables):
    expected = bits_saved(*tables)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(78)
        renamed = [t.reshape(-1, 16, 78, 2)[:, :, order].reshape(t.shape) for t in tables]
        assert bits_saved(*renamed) == pytest.approx(expected, rel=1e-6)


def test_cells_that_nobody_plays_do_not_matter(tables):
    generated, held_out = tables
    reference = tables[0][::2]
    expected = bits_saved(*tables, reference)
    wider = [
        np.insert(table, [0, 7, 7, 2000, 2496], 0, axis=1)
        for table in (generated, held_out, reference)
    ]
    assert bits_saved(*wider) == pytest.approx(expected, rel=1e-6)


def test_a_reference_is_counted_by_how_often_it_plays_and_not_by_its_size(tables):
    generated, held_out = tables
    own, other = bits_saved(generated, held_out), bits_saved(generated, held_out, generated)
    assert other == pytest.approx(bits_saved(generated, held_out, doubled(generated)))
    assert other > own  # notes expected from elsewhere describe the held-out ones worse


def rows(count, cells, value=0):
    return np.full((count, cells), value, np.uint8)


@pytest.mark.parametrize(
    ("generated", "held_out", "message"),
    [
        (rows(0, 5), rows(3, 5, 1), "generated"),
        (rows(3, 5), rows(0, 5), "held-out"),
        (rows(3, 5, 2), rows(3, 5, 1), "generated .* 2"),
        (rows(3, 5), rows(3, 5) - 0.5, "held-out .* -0.5"),
        (rows(3, 5) + np.nan, rows(3, 5), "generated .* nan"),
        (rows(3, 5), rows(3, 4, 1), "5 cells.* 4"),
    ],
)
def test_what_cannot_be_scored_is_refused(generated, held_out, message):
    with pytest.raises(InputError, match=message):
        saved(generated, held_out, np.zeros(held_out.shape[1]))


def test_frequencies_of_other_cells_are_refused():
    with pytest.raises(InputError, match="4 reference cells, 5 held-out"):
        saved(rows(3, 5), rows(3, 5, 1), np.ones(4))


def test_held_out_pieces_without_a_note_or_a_bar_are_refused():
    music, silence, short = scale_piece(), hand_states(64), scale_piece(steps=12)
    for held_out in ([silence], [short], []):
        with pytest.raises(InputError, match="held-out"):
            bits_saved_of_pieces([music], held_out)
    with pytest.raises(InputError, match="generated"):
        bits_saved_of_pieces([short], [music])


def test_pieces_save_what_their_bars_save(pieces):
    generated, held_out = pieces
    found = bits_saved_of_pieces(generated, held_out)
    tables = [piece_bars(side) for side in pieces]
    assert found.value == pytest.approx(bits_saved(*tables), rel=1e-9)
    assert found.n == tables[1].sum()
    assert found.low < found.value < found.high


def test_twice_the_same_pieces_are_worth_no_more(pieces):
    generated, held_out = pieces
    expected = bits_saved_of_pieces(generated, held_out)
    again = bits_saved_of_pieces([*generated, *generated[::-1]], held_out)
    assert again.value == pytest.approx(expected.value, rel=1e-6)
    assert again[1:3] == pytest.approx(expected[1:3], rel=1e-6)


def test_one_held_out_piece_has_no_interval(pieces):
    generated, held_out = pieces
    found = bits_saved_of_pieces(generated, held_out[:1])
    assert (found.low, found.high) == (None, None)
    assert np.isfinite(found.value)


def test_short_pieces_change_nothing_and_silent_ones_count(pieces):
    generated, held_out = pieces
    found = bits_saved_of_pieces(generated, held_out)
    short = [*held_out, scale_piece(steps=15), hand_states(0)]
    assert bits_saved_of_pieces(generated, short) == found
    silent = bits_saved_of_pieces(generated, [hand_states(32), *held_out])
    tables = [piece_bars(side) for side in (generated, [hand_states(32), *held_out])]
    assert silent.value == pytest.approx(bits_saved(*tables), rel=1e-9)
    assert silent.low <= silent.value <= silent.high


FAR_APART = [
    ("real", "independent notes"),
    ("independent notes", "90 % deleted"),
    ("90 % deleted", "silence"),
    ("real", "20 bars repeated"),
]


@pytest.mark.shared
def test_worse_piano_music_saves_less(piano_midi):
    held_out, others = held_out_and_others(piano_midi)
    found = {
        name: bits_saved_of_pieces(music, held_out) for name, music in controls(others, 0).items()
    }
    values = [found[name].value for name in FROM_BEST_TO_WORST]
    assert len(values) == 7
    assert all(better > worse for better, worse in pairwise(values)), found
    assert found["real"].value > max(found[name].value for name in BELOW_REAL)
    for better, worse in FAR_APART:
        assert found[better].low > found[worse].high, (better, worse)


def test_worse_chorales_save_less(chorales):
    held_out, others = chorales[::3], chorales[1::3] + chorales[2::3]
    found = {
        name: bits_saved_of_pieces(music, held_out).value
        for name, music in controls(others, 0).items()
    }
    real, shifted, more_shifted, independent, half, most, silence = (
        found[name] for name in FROM_BEST_TO_WORST
    )
    assert real > shifted > more_shifted > independent
    assert real > half > most > silence
    assert real > max(found[name] for name in BELOW_REAL)
