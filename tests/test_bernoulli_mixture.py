"""The Bernoulli mixture: against products written out, and what it must not hang on."""

from collections import Counter
from itertools import product
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musiclib.metrics.bernoulli_mixture import Mixture, different, fit, log_likelihood, parts

EVERY_MEASURE = np.array(list(product([0, 1], repeat=8)), np.uint8)
EIGHT = st.just(8)
NEVER = 5e-5  # the least chance that any cell has: half of a share of 1e-4


def random_bits(shape, seed, chance=0.5):
    return (np.random.default_rng(seed).random(shape) < chance).astype(np.uint8)


@st.composite
def mixtures(draw, cells=EIGHT):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    components = draw(st.integers(1, 4))
    shares = rng.dirichlet(np.ones(components))
    return Mixture(shares, rng.uniform(0.001, 0.999, (components, draw(cells))))


def hand_log_likelihood(mixture, bar):
    total = 0.0
    for share, chances in zip(mixture.shares, mixture.chances, strict=True):
        together = share
        for bit, chance in zip(bar, chances, strict=True):
            together *= chance if bit else 1 - chance
        total += together
    return log(total)


@given(mixtures(cells=st.integers(1, 10)), st.integers(0, 2**32))
def test_a_likelihood_is_the_products_over_cells_added_over_components(mixture, seed):
    bars = random_bits((5, mixture.chances.shape[1]), seed)
    expected = [hand_log_likelihood(mixture, bar) for bar in bars]
    np.testing.assert_allclose(mixture.log_likelihood(bars), expected, rtol=1e-10)


@given(mixtures())
def test_the_likelihoods_of_all_bars_add_up_to_one(mixture):
    assert np.exp(mixture.log_likelihood(EVERY_MEASURE)).sum() == pytest.approx(1)


@pytest.mark.parametrize("count", [1, 4, 30, 300])
def test_so_do_those_of_a_fitted_mixture(count):
    sample = random_bits((count, 8), count, chance=0.3)
    assert np.exp(log_likelihood(sample, EVERY_MEASURE)).sum() == pytest.approx(1)


def test_the_mean_over_parts_never_adds_up_to_more_than_one(monkeypatch):
    """A geometric mean of distributions stays below their arithmetic mean."""
    monkeypatch.setattr("musiclib.metrics.bernoulli_mixture.PART", 20)
    sample = random_bits((200, 8), 0, chance=0.3)
    assert len(parts(sample)) == 4
    total = np.exp(log_likelihood(sample, EVERY_MEASURE)).sum()
    assert 0.5 < total < 1


def test_two_components_are_found_again():
    chances = np.where(np.arange(30) < 15, 0.9, 0.1)
    truth = Mixture(np.array([0.7, 0.3]), np.stack([chances, 1 - chances]))
    sample, fresh = drawn_from(truth, 900, seed=1), drawn_from(truth, 2000, seed=2)
    likeliest = np.mean([hand_log_likelihood(truth, bar) for bar in fresh])
    alone = Mixture(np.ones(1), sample.mean(axis=0)[None])
    one_component = np.mean([hand_log_likelihood(alone, bar) for bar in fresh])
    reached = log_likelihood(sample, fresh).mean()
    assert one_component < likeliest - 5
    assert likeliest - 0.5 < reached < likeliest + 0.1


def drawn_from(mixture, count, seed):
    rng = np.random.default_rng(seed)
    component = rng.choice(len(mixture.shares), count, p=mixture.shares)
    chances = mixture.chances[component]
    return (rng.random(chances.shape) < chances).astype(np.uint8)


@st.composite
def tables(draw):
    """A few rows, some of them equal."""
    shape = draw(st.integers(1, 30)), draw(st.integers(1, 12))
    chance = draw(st.sampled_from([0.0, 0.1, 0.5]))
    return random_bits(shape, draw(st.integers(0, 2**32)), chance)


def weights_by_row(rows, weights):
    found = dict(zip(map(bytes, rows), weights.tolist(), strict=True))
    assert len(found) == len(rows)
    return found


@given(tables(), st.integers(1, 3), st.integers(0, 2**32))
def test_different_rows_carry_their_share_of_the_sample(table, times, seed):
    repeated = np.random.default_rng(seed).permutation(np.repeat(table, times, axis=0))
    expected = {row: n / len(table) for row, n in Counter(map(bytes, table)).items()}
    for sample in (table, repeated):
        assert weights_by_row(*different(sample)) == pytest.approx(expected)


@given(tables(), st.integers(0, 2**32))
def test_permuted_cells_permute_the_different_rows(table, seed):
    cells = np.random.default_rng(seed).permutation(table.shape[1])
    rows, weights = different(table)
    permuted = weights_by_row(*different(table[:, cells]))
    assert permuted == pytest.approx(weights_by_row(rows[:, cells], weights))


@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 2**32))
def test_the_order_is_the_same_where_no_two_cells_are_played_equally_often(cells, times, seed):
    rng = np.random.default_rng(seed)
    columns = [rng.permutation(np.arange(20) < count) for count in rng.permutation(cells) + 1]
    table = np.stack(columns, axis=1).astype(np.uint8)
    rows, weights = different(table)
    again = rng.permutation(cells)
    unplayed = np.zeros((20 * times, 3), np.uint8)
    other = np.hstack([np.tile(table, (times, 1))[:, again], unplayed])
    other_rows, other_weights = different(rng.permutation(other))
    np.testing.assert_array_equal(other_rows[:, :cells], rows[:, again])
    np.testing.assert_allclose(other_weights, weights)


def test_a_fit_to_permuted_cells_is_the_same_to_the_last_bit():
    truth = Mixture(np.full(3, 1 / 3), np.random.default_rng(3).random((3, 40)) ** 3)
    rows, weights = different(drawn_from(truth, 300, seed=4))
    order = np.random.default_rng(5).permutation(40)
    fitted, permuted = fit(rows, weights), fit(rows[:, order], weights)
    assert len(fitted.shares) > 1
    np.testing.assert_array_equal(permuted.shares, fitted.shares)
    np.testing.assert_array_equal(permuted.chances, fitted.chances[:, order])


@pytest.mark.parametrize("count", [*range(1, 31), 100])
def test_parts_are_small_and_few_and_leave_out_nothing_that_fits(count, monkeypatch):
    monkeypatch.setattr("musiclib.metrics.bernoulli_mixture.PART", 5)
    monkeypatch.setattr("musiclib.metrics.bernoulli_mixture.MOST_PARTS", 4)
    table = (np.arange(count)[:, None] >> np.arange(7) & 1).astype(np.uint8)  # all different
    found = parts(table)
    expected = [min(count, 5)] * min(4, -(-count // 5))
    assert [len(rows) for rows, _ in found] == expected
    assert all((weights == 1 / count).all() for _, weights in found)
    seen = {bytes(row) for rows, _ in found for row in rows}
    assert seen <= set(map(bytes, table))
    assert len(seen) == count or (count > 20 and len(seen) == 20)


def test_silence_expects_silence_and_gives_every_note_a_small_chance():
    silence = np.zeros((50, 6), np.uint8)
    heard = np.array([[0] * 6, [1] + [0] * 5, [1] * 6], np.uint8)
    silent, struck = log(1 - NEVER), log(NEVER)
    expected = [6 * silent, struck + 5 * silent, 6 * struck]
    np.testing.assert_allclose(log_likelihood(silence, heard), expected)


def test_one_bar_expects_itself():
    bar = np.array([[1, 0, 0, 1, 0]], np.uint8)
    right, wrong = log(1 - NEVER), log(NEVER)
    np.testing.assert_allclose(log_likelihood(bar, bar), 5 * right, atol=1e-5)
    np.testing.assert_allclose(log_likelihood(bar, 1 - bar), 5 * wrong, rtol=0.01)


def test_what_is_generated_more_often_is_likelier():
    one, other = np.array([[1, 1, 1, 0, 0, 0]]), np.array([[0, 0, 0, 1, 1, 1]])
    sample = np.repeat([one[0], other[0]], [9, 1], axis=0)
    likelihoods = log_likelihood(sample, np.vstack([one, other]))
    assert likelihoods[0] > likelihoods[1] + 1


def test_a_cell_that_nobody_plays_has_the_least_chance_in_every_component():
    sample = random_bits((200, 10), 3)
    sample[:, 4] = 0
    mixture = fit(*different(sample))
    np.testing.assert_allclose(mixture.chances[:, 4], NEVER)
    assert (np.delete(mixture.chances, 4, axis=1) > NEVER).all()
    assert mixture.shares.sum() == pytest.approx(1)
