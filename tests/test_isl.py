"""ISL: against the published estimate itself, statsmodels' KDEMultivariate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.nonparametric.kernel_density import KDEMultivariate
from strategies import random_states

from musiclib.errors import InputError
from musiclib.isl import bandwidth, isl, isl_of_pieces, log_densities

UNDERFLOW = -700  # where a product of 2,496 kernels leaves the range of float64


def published_estimate(generated):
    """With the measures taken twice, as published."""
    cells = generated.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return KDEMultivariate(np.vstack([generated, generated]), var_type="u" * cells, rng=0)


def published_log_densities(generated, held_out):
    estimate = published_estimate(generated)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log([estimate.pdf(measure) for measure in held_out])


@st.composite
def measures_to_compare(draw):
    """Generated and held-out measures with some cells always 0 and some always 1."""
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
@given(measures_to_compare())
def test_statsmodels_agrees_measure_by_measure(tables):
    generated, held_out = tables
    expected = published_log_densities(generated, held_out)
    np.testing.assert_allclose(log_densities(generated, held_out), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(bandwidth(generated), published_estimate(generated).bw, rtol=1e-12)
    score = isl(generated, held_out)
    assert score.dropped == np.isnan(expected).sum()
    assert (score.generated_measures, score.held_out_measures) == (len(generated), 9)
    if score.dropped < 9:
        assert score.isl == pytest.approx(np.nanmean(expected), rel=1e-9)
    else:
        assert score.isl is None


def test_a_held_out_note_that_is_never_generated_drops_the_measure():
    generated = np.array([[0, 0, 1], [0, 1, 1], [0, 0, 1]], np.uint8)
    held_out = np.array([[0, 1, 1], [1, 1, 1], [0, 0, 0]], np.uint8)
    np.testing.assert_array_equal(np.isnan(log_densities(generated, held_out)), [False, True, True])
    assert isl(generated, held_out).dropped == 2
    assert isl(generated, held_out[1:]).isl is None


def test_statsmodels_agrees_on_chorales(chorales):
    """2,496 cells: as many measures as statsmodels wants, a transposed chorale among them."""
    generated = [states for states in chorales[:-2] if len(states) >= 128]
    held_out = [chorales[-1], np.roll(chorales[-2], 1, axis=1)[:48]]
    table, judged = hand_measures(generated), hand_measures(held_out)
    assert 2 * len(table) > 2496
    expected = published_log_densities(table, judged)
    computed = log_densities(table, judged)
    np.testing.assert_array_equal(np.isnan(computed), np.isnan(expected))
    reached = expected > UNDERFLOW
    assert reached.sum() >= 2 and np.isnan(expected).any()
    np.testing.assert_allclose(computed[reached], expected[reached], rtol=1e-9)


def hand_measures(pieces):
    stream = [step for piece in pieces for step in piece]
    whole = range(0, len(stream) - 15, 16)
    return np.array([np.concatenate(stream[start : start + 16]).ravel() for start in whole])


def test_pieces_are_laid_end_to_end_and_the_first_held_out_one_counts_twice():
    generated = [random_states(steps, seed, 0.4) for seed, steps in enumerate((100, 23, 60))]
    held_out = [generated[0][5:45], random_states(10, 9, 0.1), generated[2][:30]]
    expected = isl(hand_measures(generated), hand_measures([held_out[0], *held_out]))
    assert isl_of_pieces(generated, held_out) == expected
    assert expected.held_out_measures == (40 + 40 + 10 + 30) // 16
    assert expected.generated_measures == 183 // 16


def test_silence_scores_best_of_all_by_dropping_what_it_fails_at():
    """Known of the published measure: the fewer notes, the higher the value."""
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
