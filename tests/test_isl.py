"""ISL: against the published estimate itself, statsmodels' KDEMultivariate."""

from math import exp, log
from statistics import pstdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_pieces import held_out_and_others
from statsmodels.nonparametric.kernel_density import KDEMultivariate
from strategies import random_states

from musiclib.base.errors import InputError
from musiclib.metrics.isl import bandwidth, isl, isl_of_pieces, log_densities

UNDERFLOW = -700  # where a product of 2,496 kernels leaves the range of float64


def published_estimate(generated):
    """With the bars taken twice, as published."""
    cells = generated.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return KDEMultivariate(np.vstack([generated, generated]), var_type="u" * cells, rng=0)


def published_log_densities(generated, held_out):
    estimate = published_estimate(generated)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log([estimate.pdf(bar) for bar in held_out])


@st.composite
def bars_to_compare(draw):
    """Generated and held-out bars with some cells always 0 and some always 1."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    cells = draw(st.integers(12, 40))
    count = draw(st.integers(cells // 2 + 1, 60))
    constant = draw(st.sampled_from([0.0, 0.1, 0.5]))
    chance = rng.random(cells)
    fixed = rng.random(cells) < constant
    chance[fixed] = rng.integers(0, 2, fixed.sum())
    generated = (rng.random((count, cells)) < chance).astype(np.uint8)
    other = np.where(rng.random(cells) < 0.03, 1 - chance, chance)
    return generated, (rng.random((9, cells)) < other).astype(np.uint8)


@settings(max_examples=40)
@given(bars_to_compare())
def test_statsmodels_agrees_bar_by_bar(tables):
    generated, held_out = tables
    expected = published_log_densities(generated, held_out)
    np.testing.assert_allclose(log_densities(generated, held_out), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(bandwidth(generated), published_estimate(generated).bw, rtol=1e-12)
    score = isl(generated, held_out)
    assert score.dropped == np.isnan(expected).sum()
    assert (score.generated_bars, score.held_out_bars) == (len(generated), 9)
    if score.dropped < 9:
        assert score.isl == pytest.approx(np.nanmean(expected), rel=1e-9)
    else:
        assert score.isl is None


def test_a_held_out_note_that_is_never_generated_drops_the_bar():
    generated = np.array([[0, 0, 1], [0, 1, 1], [0, 0, 1]], np.uint8)
    held_out = np.array([[0, 1, 1], [1, 1, 1], [0, 0, 0]], np.uint8)
    np.testing.assert_array_equal(np.isnan(log_densities(generated, held_out)), [False, True, True])
    assert isl(generated, held_out).dropped == 2
    assert isl(generated, held_out[1:]).isl is None


def test_statsmodels_agrees_on_chorales(chorales):
    """2,496 cells: as many bars as statsmodels wants, a transposed chorale among them."""
    generated = [states for states in chorales[:-2] if len(states) >= 128]
    held_out = [chorales[-1], np.roll(chorales[-2], 1, axis=1)[:48]]
    table, judged = hand_bars(generated), hand_bars(held_out)
    assert 2 * len(table) > 2496
    expected = published_log_densities(table, judged)
    computed = log_densities(table, judged)
    np.testing.assert_array_equal(np.isnan(computed), np.isnan(expected))
    reached = expected > UNDERFLOW
    assert reached.sum() >= 2 and np.isnan(expected).any()
    np.testing.assert_allclose(computed[reached], expected[reached], rtol=1e-9)


def hand_bars(pieces):
    stream = [step for piece in pieces for step in piece]
    whole = range(0, len(stream) - 15, 16)
    return np.array([np.concatenate(stream[start : start + 16]).ravel() for start in whole])


def test_pieces_are_laid_end_to_end_and_the_first_held_out_one_counts_twice():
    generated = [random_states(steps, seed, 0.4) for seed, steps in enumerate((100, 23, 60))]
    held_out = [generated[0][5:45], random_states(10, 9, 0.1), generated[2][:30]]
    expected = isl(hand_bars(generated), hand_bars([held_out[0], *held_out]))
    assert isl_of_pieces(generated, held_out) == expected
    assert expected.held_out_bars == (40 + 40 + 10 + 30) // 16
    assert expected.generated_bars == 183 // 16


def test_silence_scores_best_of_all_by_dropping_what_it_fails_at():
    """Known of the published metric: the fewer notes, the higher the value."""
    rng = np.random.default_rng(0)
    real = (rng.random((80, 30)) < 0.3).astype(np.uint8)
    held_out = np.vstack([(rng.random((20, 30)) < 0.3), np.zeros((1, 30))]).astype(np.uint8)
    honest, silent = isl(real, held_out), isl(np.zeros_like(real), held_out)
    assert (honest.dropped, silent.dropped) == (0, 20)
    assert silent.isl == 0 > honest.isl


def rows(count, cells, value=0):
    return np.full((count, cells), value, np.uint8)


@pytest.mark.parametrize(
    ("generated", "held_out", "message"),
    [
        (rows(0, 5), rows(3, 5), "generated"),
        (rows(3, 5), rows(0, 5), "held-out"),
        (rows(3, 5, 2), rows(3, 5), "generated .* 2"),
        (rows(3, 5), rows(3, 5) - 0.5, "held-out .* -0.5"),
        (rows(3, 5), rows(3, 4), "5 cells.* 4"),
        (rows(3, 5)[0], rows(3, 5), "generated"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_the_value(generated, held_out, message):
    with pytest.raises(InputError, match=message):
        isl(generated, held_out)
    with pytest.raises(InputError):
        isl_of_pieces([], [])


def hand_log_densities(generated, held_out):
    """Aitchison and Aitken's kernel cell by cell, log-sum-exp by hand; NaN for its 0/0."""
    n, cells = generated.shape
    spread = [pstdev(map(int, column)) for column in generated.T]
    h = [1.06 * s * (2 * n) ** (-1 / (4 + cells)) for s in spread]
    values = []
    for bar in held_out:
        logs = [hand_log_kernel(row, bar, h) for row in generated]
        values.append(np.nan if None in logs else hand_log_sum_exp(logs) - log(n))
    return values


def hand_log_kernel(row, bar, h):
    total = 0.0
    for one, other, width in zip(row, bar, h, strict=True):
        if one != other and width == 0:
            return None
        total += log(1 - width) if one == other else log(width)
    return total


def hand_log_sum_exp(logs):
    most = max(logs)
    return most + log(sum(exp(value - most) for value in logs))


def tables_with_constant_cells():
    """17 generated and 11 held-out bars; a cell always 0, one always 1; some to be dropped."""
    rng = np.random.default_rng(1)
    chance = np.array([0, 1, *rng.uniform(0.2, 0.8, 10)])
    generated, held_out = ((rng.random((n, 12)) < chance).astype(np.uint8) for n in (17, 11))
    held_out[[2, 7], 0] = 1
    held_out[9, 1] = 0
    return generated, held_out


@pytest.fixture(params=[0, 2], ids=["dense", "sparse"])
def product_of_matrices(request, monkeypatch):
    """Both ways to multiply bits, whatever share of them is set."""
    monkeypatch.setattr("musiclib.metrics.isl.SPARSE", request.param)


@pytest.mark.parametrize(("held_out_rows", "generated_rows"), [(3, 5), (5, 3), (1, 1), (11, 17)])
@pytest.mark.usefixtures("product_of_matrices")
def test_blocks_of_any_size_give_the_kernels_written_out(
    held_out_rows, generated_rows, monkeypatch
):
    monkeypatch.setattr("musiclib.metrics.isl.HELD_OUT_BLOCK", held_out_rows)
    monkeypatch.setattr("musiclib.metrics.isl.GENERATED_BLOCK", generated_rows)
    generated, held_out = tables_with_constant_cells()
    expected = hand_log_densities(generated, held_out)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(expected)), [2, 7, 9])
    np.testing.assert_allclose(log_densities(generated, held_out), expected, rtol=1e-11)


@pytest.mark.parametrize("row", [0, 4, 6])
def test_a_value_that_is_no_bit_is_found_in_any_block(row, monkeypatch):
    monkeypatch.setattr("musiclib.metrics.isl.GENERATED_BLOCK", 3)
    wrong = rows(7, 5)
    wrong[row, 2] = 7
    for tables in ((wrong, rows(7, 5)), (rows(7, 5), wrong)):
        with pytest.raises(InputError, match="not 7"):
            isl(*tables)


@pytest.mark.usefixtures("product_of_matrices")
def test_densities_too_small_for_a_float_stay_finite_and_right():
    rng = np.random.default_rng(2)
    generated, held_out = (rng.integers(0, 2, (n, 2496), np.uint8) for n in (6, 3))
    generated[0], generated[1] = 0, 1  # no cell is the same in all
    values = log_densities(generated, held_out)
    assert (values < -745).all() and (np.exp(values) == 0).all()
    np.testing.assert_allclose(values, hand_log_densities(generated, held_out), rtol=1e-11)


def test_one_generated_bar_is_certain_of_itself_and_drops_all_others():
    bar = np.array([[0, 1, 1, 0]], np.uint8)
    assert isl(bar, bar) == (0.0, 1, 1, 0)
    assert isl(bar, 1 - bar) == (None, 1, 1, 1)
    assert isl(bar, np.vstack([bar, 1 - bar, bar])) == (0.0, 1, 3, 1)


@given(st.integers(0, 2**32), st.integers(1, 3), st.booleans(), st.booleans())
def test_a_score_is_a_number_or_none_and_never_nan(seed, count, silent, nothing_held_out):
    rng = np.random.default_rng(seed)
    generated, held_out = (rng.integers(0, 2, (n, 6), np.uint8) for n in (count, 4))
    score = isl(generated * (not silent), held_out * (not nothing_held_out))
    assert (score.isl is None) == (score.dropped == 4)
    assert score.isl is None or np.isfinite(score.isl)


@pytest.mark.usefixtures("product_of_matrices")
@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32, np.float64])
def test_bits_may_come_as_numbers_of_any_type(dtype):
    generated, held_out = tables_with_constant_cells()
    expected = log_densities(generated, held_out)
    np.testing.assert_array_equal(
        log_densities(generated.astype(dtype), held_out.astype(dtype)), expected
    )


@pytest.mark.shared
def test_statsmodels_agrees_on_real_piano_music(piano_midi):
    held_out, others = held_out_and_others(piano_midi)
    generated, all_held_out = hand_bars(others), hand_bars(held_out)
    chosen = np.random.default_rng(0).choice(len(all_held_out), 250, replace=False)
    judged = all_held_out[chosen]
    computed = log_densities(generated, judged)
    foreign = judged[:, ~generated.any(axis=0)].any(axis=1)  # has a note that is never generated
    np.testing.assert_array_equal(np.isnan(computed), foreign)
    # A row costs statsmodels a sixth of a second: some to be dropped, and some not.
    some = np.concatenate([np.flatnonzero(foreign)[:4], np.flatnonzero(~foreign)[:8]])
    expected = published_log_densities(generated, judged[some])
    assert len(generated) == 2000 and len(some) == 12
    np.testing.assert_array_equal(np.isnan(expected), foreign[some])
    reached = expected > UNDERFLOW
    assert reached.sum() >= 2
    np.testing.assert_allclose(computed[some][reached], expected[reached], rtol=1e-9)
    assert (computed[some][expected <= UNDERFLOW] < UNDERFLOW + 1).all()
