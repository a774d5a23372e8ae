"""What figures show: their data as given, what was run under them; files repeat to the byte."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from musiclib.metrics.pca import Projection
from musiclib.paper import figures
from musiclib.paper.figures.style import RANGE


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def lines(axes):
    return {line.get_label(): line.get_xydata() for line in axes.get_lines()}


@pytest.fixture
def curves():
    rows = [
        {"curriculum": kind, "set": part, "seed": seed, "at": at, "loss": loss + seed}
        for kind, loss in (("plain", 5.0), ("curriculum", 3.0))
        for part in ("training", "held-out")
        for seed in (0, 1)
        for at in (1, 2, 3)
    ]
    return pd.DataFrame(rows).assign(learned=True)


def test_learning_curves_draw_the_mean_of_seeds_and_name_line_and_band(curves):
    figure = figures.learning_curves(curves, "epoch", "nats per sample")
    training, held_out = figure.axes
    assert (training.get_title(), held_out.get_title()) == ("training music", "held-out music")
    drawn = lines(training)
    np.testing.assert_array_equal(drawn["without curriculum"], [[1, 5.5], [2, 5.5], [3, 5.5]])
    np.testing.assert_array_equal(drawn["with curriculum"][:, 1], [3.5] * 3)
    labels = [text.get_text() for text in training.get_legend().get_texts()]
    assert labels.count(RANGE) == 1
    styles = {line.get_linestyle() for line in training.get_lines()}
    assert len(styles) == 2  # told apart without colour


def test_one_seed_has_no_band(curves):
    one = figures.learning_curves(curves[curves["seed"] == 0], "epoch", "nats")
    assert not one.axes[0].collections


def test_isl_curves_put_the_published_ones_on_the_same_share_of_training():
    table = pd.DataFrame(
        {"curriculum": "plain", "seed": 0, "checkpoint": [60, 570], "isl": [-500.0, -400.0],
         "dropped_share": [50.0, 60.0], "bits": [-1.0, 0.2], "learned": True}
    )  # fmt: skip
    published = {"iterations": [1000, 9500], "isl": [-700.0, -427.0]}
    figure = figures.isl_curves(table, published, 600, [0.4, 0.5])
    drawn = lines(figure.axes[0])
    np.testing.assert_allclose(drawn["without curriculum"], [[10, -500], [95, -400]])
    theirs = next(xy for label, xy in drawn.items() if label.startswith("published"))
    np.testing.assert_allclose(theirs, [[10, -700], [95, -427]])
    assert "published" not in figure.axes[0].get_title()  # the numbers below it are ours


def test_clouds_of_one_row_share_their_axes_and_say_how_much_they_show():
    rng = np.random.default_rng(0)

    def points(scale):
        clouds = (scale * rng.normal(size=(5, 2)) for _ in range(2))
        return Projection(*clouds, np.array([0.05, 0.03]))

    panels = {1: points(1), 2: points(9)}
    figure = figures.projections(panels, panels, {1: "0.1", 2: "0.4"})
    above, below = figure.axes[:2], figure.axes[2:]
    assert above[0].get_xlim() != above[1].get_xlim()
    assert below[0].get_xlim() == below[1].get_xlim() and below[0].get_ylim() == below[1].get_ylim()
    assert all("(5 % of variance)" in axes.get_xlabel() for axes in figure.axes)
    assert "overlap 0.4" in below[1].get_title()
    assert "own components" in above[0].get_ylabel()


def test_trials_that_never_left_the_plateau_stand_at_the_limit():
    seeds = pd.DataFrame({"changed": "nothing", "seed": [0, 1], "left_at": [20.0, np.inf]})
    table = pd.concat([seeds.assign(form=form) for form in ("default", "published")])
    axes = figures.plateau(table, 120).axes[0]
    left, stayed = (cloud.get_offsets()[:, 0].tolist() for cloud in axes.collections)
    assert (left, stayed) == ([20.0], [120.0])


def test_a_figure_is_saved_with_its_data_the_same_bytes_each_time(curves, tmp_path):
    for name in ("once", "twice"):
        figure = figures.learning_curves(curves, "epoch", "nats")
        figures.save(figure, curves, tmp_path / name, "figure3a", "profile quick, 2 seeds")
        assert figure._supxlabel.get_text() == "profile quick, 2 seeds"
    for suffix in ("png", "pdf", "csv"):
        first, second = (tmp_path / n / f"figure3a.{suffix}" for n in ("once", "twice"))
        assert first.read_bytes() == second.read_bytes()
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "once" / "figure3a.csv"), curves, check_dtype=False
    )
