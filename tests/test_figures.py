"""What figures show: their data as given, what was run under them; files repeat to the byte."""

import re
from html import unescape

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from nbformat import v4

from musiclib.metrics.pca import Projection
from musiclib.paper import figures
from musiclib.paper.figures.style import RANGE
from musiclib.paper.notebooks import page


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


def names(figure):
    """What the legends of a figure say, in order."""
    legends = [*figure.legends, *filter(None, (axes.get_legend() for axes in figure.axes))]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def thin(axes):
    return [line for line in axes.get_lines() if line.get_linewidth() < 0.7]


def test_learning_curves_draw_the_mean_of_seeds_and_name_line_and_band(curves):
    figure = figures.learning_curves(curves, "epoch", "nats per sample")
    training, held_out = figure.axes
    assert (training.get_title(), held_out.get_title()) == ("training music", "held-out music")
    drawn = lines(training)
    np.testing.assert_array_equal(drawn["without curriculum"], [[1, 5.5], [2, 5.5], [3, 5.5]])
    np.testing.assert_array_equal(drawn["with curriculum"][:, 1], [3.5] * 3)
    assert names(figure) == ["without curriculum", "with curriculum", RANGE]
    styles = {line.get_linestyle() for line in training.get_lines()}
    assert len(styles) == 2  # told apart without colour


def test_every_seed_is_a_thin_line_in_the_colour_and_dashes_of_its_mean(curves):
    third = curves[curves["seed"] == 1].assign(seed=2, loss=lambda table: 10 * table["loss"])
    axes = figures.learning_curves(pd.concat([curves, third]), "epoch", "nats").axes[0]
    means = [line for line in axes.get_lines() if "curriculum" in str(line.get_label())]
    assert len(thin(axes)) == 6  # 3 seeds, 2 kinds
    for mean, heights in zip(means, ([5, 6, 60], [3, 4, 40]), strict=True):
        seeds = [line for line in thin(axes) if line.get_color() == mean.get_color()]
        assert [line.get_ydata()[0] for line in seeds] == heights
        assert {line.get_linestyle() for line in seeds} == {mean.get_linestyle()}


def test_the_legend_shows_the_range_of_seeds_in_no_colour_of_a_kind(curves):
    legend = figures.learning_curves(curves, "epoch", "nats").axes[0].get_legend()
    red, green, blue, _ = legend.legend_handles[names(legend.figure).index(RANGE)].get_facecolor()
    assert red == green == blue


def test_one_seed_has_neither_thin_lines_nor_a_band(curves):
    one = figures.learning_curves(curves[curves["seed"] == 0], "epoch", "nats")
    assert not one.axes[0].collections and not thin(one.axes[0])
    assert names(one) == ["without curriculum", "with curriculum"]


def test_a_mean_ends_where_a_seed_has_no_value():
    rows = [(seed, kept, -100.0) for seed in (0, 1, 2) for kept in (100, 10, 1)]
    table = pd.DataFrame(rows, columns=["seed", "kept", "isl"])
    table = table.assign(music="real", dropped_share=5.0, bits=0.5, learned=True)
    table.loc[(table["seed"] > 0) & (table["kept"] == 1), "isl"] = np.nan
    axes = figures.thinning(table).axes[0]
    kept, mean = lines(axes)["real music"].T
    assert kept[np.isfinite(mean)].tolist() == [10, 100]
    assert sum(np.isfinite(line.get_ydata()).sum() for line in thin(axes)) == 7


def test_a_legend_above_panels_names_each_line_once():
    rows = [(loss, seed, epoch) for loss in ("categorical", "bernoulli") for seed in (0, 1)
            for epoch in (1, 2)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["loss", "seed", "epoch"])
    table = table.assign(predicted=2.0, composed=3.0, learned=True)
    figure = figures.densities(table, {"predicted": 3.0, "composed": 3.0})
    assert names(figure) == ["categorical loss (paper)", "Bernoulli loss", "real music", RANGE]


def test_beginnings_are_means_over_stretches_of_samples():
    samples = np.arange(1, 101)
    ways = pd.concat(
        pd.DataFrame({"sample": samples, "keys": 3.0 + seed + samples % 2}).assign(
            way=way, seed=seed
        )
        for way in ("expected", "composed")
        for seed in (0, 1)
    )
    table = pd.concat(
        [ways.assign(form=f, learned=f == "default") for f in ("default", "published")]
    )
    default, published = figures.beginnings(table, 3.0).axes
    assert "did not learn" in published.get_title() and "learn" not in default.get_title()
    at, keys = lines(default)["expected"].T
    assert at[0] == 1 and keys[0] == 4.5 and len(at) < 30
    np.testing.assert_allclose(keys[-1], 4.0, atol=0.1)  # odd and even samples taken together


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


def test_trials_are_a_line_for_each_seed():
    rows = [(seed, at, 9.0 - seed * at) for seed in (0, 1) for at in (20, 40)]
    table = pd.DataFrame(rows, columns=["seed", "iteration", "loss"]).assign(changed="nothing")
    table = pd.concat([table.assign(form=form) for form in ("default", "published")])
    figure = figures.escapes(table, 10.0, 0.9)
    drawn = [list(line.get_ydata()) for line in figure.axes[0].get_lines()]
    assert [9.0, 9.0] in drawn and [-11.0, -31.0] in drawn
    assert names(figure).count("below: off the plateau") == 2  # a legend for each panel


def test_what_a_seed_gained_is_drawn_beside_the_mean():
    music = ("anywhere", "in range", "near", "clean")
    rows = [("votes", seed, name, seed / 10) for seed in (0, 1, 2) for name in music]
    figure = figures.restoration(pd.DataFrame(rows, columns=["way", "seed", "music", "gain"]))
    small = [cloud.get_offsets()[:, 0] for cloud in figure.axes[0].collections]
    assert sorted(np.concatenate(small).round(1).tolist()) == [0.0] * 4 + [0.1] * 4 + [0.2] * 4
    assert "wrong notes anywhere" in names(figure) and "clean music" in names(figure)


def test_networks_that_did_not_learn_are_open_squares_in_the_row_of_their_kind():
    table = pd.DataFrame({"kind": ["plain", "plain", "major"], "seed": [0, 1, 0]})
    table = table.assign(bits=[0.1, 0.2, 0.3], learned=[True, False, True])
    figure = figures.compared(table, {"bits": "bits saved per note"}, {"bits": 0.5})
    learned, not_learned = figure.axes[0].collections
    assert learned.get_offsets()[:, 0].tolist() == [0.1, 0.3]
    assert not_learned.get_offsets()[:, 0].tolist() == [0.2] and not len(
        not_learned.get_facecolor()
    )
    assert np.abs(learned.get_offsets()[:, 1] - [0, 1]).max() < 0.5
    assert names(figure) == ["one seed", "did not learn", "real music"]


def test_likeness_without_feedback_is_drawn_once():
    rows = [(noise, output, seed, at) for noise in ("same", "own") for output in ("newest", "whole")
            for seed in (0, 1) for at in (3, 30)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["noise", "output", "seed", "iteration"])
    table = table.assign(**{"to each other": 0.9, "to input": 0.1, "without feedback": 0.4})
    figure = figures.sameness(table, 0.1)
    told = names(figure)
    assert len(told) == len(set(told)) == 7
    drawn = [line.get_label() for line in figure.axes[1].get_lines()]
    assert drawn.count("without feedback, to input") == 1


def test_units_are_filled_where_the_window_has_a_note():
    window = np.zeros((16, 78, 2), int)
    window[3, 40] = 1
    figure = figures.machine((2496, 10), window, np.ones((6, 16, 78, 2)))
    layers = figure.axes[0]
    visible = layers.collections[1].get_facecolor()
    assert len(visible) == 24 and (visible[:, 0] == 0).sum() == 2  # one note: play and strike
    assert any("2,496 visible units" in text.get_text() for text in layers.texts)


def test_a_figure_is_saved_with_its_data_the_same_bytes_each_time(curves, tmp_path):
    for name in ("once", "twice"):
        figure = figures.learning_curves(curves, "epoch", "nats")
        figures.save(figure, curves, tmp_path / name, "figure3a", "profile quick, 2 seeds", "Loss.")
        assert figure._supxlabel.get_text() == "profile quick, 2 seeds"
    for suffix in ("png", "pdf", "csv"):
        first, second = (tmp_path / n / f"figure3a.{suffix}" for n in ("once", "twice"))
        assert first.read_bytes() == second.read_bytes()
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "once" / "figure3a.csv"), curves, check_dtype=False
    )


@pytest.mark.parametrize("label", ["corpus $x_{1$", "corpus \udcff\udcfe"])
def test_a_label_with_the_name_of_any_folder_is_drawn_as_it_is(curves, tmp_path, label):
    figure = figures.learning_curves(curves, "epoch", "nats")
    figures.save(figure, curves, tmp_path, "figure3a", label, "Loss.")
    assert figure._supxlabel.get_text() == label.replace("\udcff\udcfe", r"\udcff\udcfe")


def test_what_a_notebook_shows_has_its_words_and_asks_no_other_machine(curves, tmp_path):
    words = 'Loss against epochs: "plain" > 5 & falling.'
    figure = figures.learning_curves(curves, "epoch", "nats")
    shown = figures.save(figure, curves, tmp_path, "figure3a", "profile quick", words)
    assert not plt.get_fignums()  # closed, so that it is not shown twice
    cell = v4.new_code_cell(
        "", outputs=[v4.new_output("execute_result", DisplayFormatter().format(shown)[0])]
    )
    (image,) = re.findall("<img [^>]*>", page(v4.new_notebook(cells=[cell]), "04"))
    assert words in unescape(image) and 'src="data:image/png;base64,' in image
    again = figures.picture(figures.learning_curves(curves, "epoch", "nats"), words)
    assert (
        again.data == figures.picture(figures.learning_curves(curves, "epoch", "nats"), words).data
    )
