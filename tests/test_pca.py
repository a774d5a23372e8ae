"""PCA of bars against numpy's singular values, and the overlap of clouds of known shape."""

import numpy as np
import pytest

from musiclib.metrics.pca import overlap, project, project_together


def bits(count, seed):
    """Bars of 30 cells in two groups, 20 and 10, that are played together or not at all."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(rng.random((count, 2)) < [0.5, 0.4], [20, 10], axis=1)
    return (rng.random((count, 30)) < np.where(groups, 0.95, 0.05)).astype(np.uint8)


def test_panels_share_the_components_that_singular_values_give():
    training, panels = bits(80, 0), {5: bits(60, 1), 9: bits(70, 2)}
    found = project_together(training, panels)
    whole = np.vstack([training, panels[5], panels[9]]).astype(float)
    centred = whole - whole.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    points = np.vstack([found[5].training, found[5].generated, found[9].generated])
    # each component's sign is free
    np.testing.assert_allclose(np.abs(points), np.abs(centred @ directions[:2].T), atol=1e-3)
    np.testing.assert_array_equal(found[5].training, found[9].training)
    shares = values[:2] ** 2 / (values**2).sum()
    np.testing.assert_allclose(found[9].explained, shares, rtol=1e-4)


def test_a_panel_alone_is_the_published_projection():
    training, generated = bits(50, 0), bits(50, 1)
    centred = np.vstack([training, generated]) - np.vstack([training, generated]).mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    found = project(training, generated)
    points = np.vstack([found.training, found.generated])
    np.testing.assert_allclose(np.abs(points), np.abs(centred @ directions[:2].T), atol=1e-3)
    np.testing.assert_allclose(found.explained, values[:2] ** 2 / (values**2).sum(), rtol=1e-4)


def cloud(pieces, seed, left=0.0):
    """Pieces of points spread evenly over a unit square whose left edge is given."""
    rng = np.random.default_rng(seed)
    return [rng.random((200, 2)) + np.array([left, 0]) for _ in range(pieces)]


@pytest.mark.parametrize(("left", "shared"), [(0.0, 1.0), (0.5, 0.5), (2.0, 0.0)])
def test_squares_overlap_by_the_area_they_share(left, shared):
    found = overlap(cloud(30, 0), cloud(30, 1, left))
    assert found.value == pytest.approx(shared, abs=0.08)
    assert found.low <= found.value <= found.high


def test_a_cloud_overlaps_itself_wholly_and_one_piece_has_no_interval():
    points = cloud(1, 0)
    assert overlap(points, points)[:3] == (pytest.approx(1), None, None)


def test_pieces_that_differ_more_make_the_interval_wider():
    alike = overlap(cloud(8, 0), cloud(8, 1, 0.3))
    rng = np.random.default_rng(0)
    scattered = [part + np.array([rng.normal(0, 0.5), 0]) for part in cloud(8, 1, 0.3)]
    unlike = overlap(cloud(8, 0), scattered)
    assert unlike.high - unlike.low > 2 * (alike.high - alike.low)
