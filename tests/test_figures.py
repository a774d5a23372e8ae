"""What figures show: their data as given, what was run under them; files repeat to the byte."""

import re
from html import unescape
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from nbformat import v4
from strategies import hand_states, note_list, random_states, scale_piece

from musiclib.metrics.pca import Projection
from musiclib.models import BiaxialConfig, build
from musiclib.models.rbm import RBM, RBMConfig
from musiclib.paper import figures
from musiclib.paper.figures.style import RANGE
from musiclib.paper.layers import FEATURE_PARTS, biaxial_layers, rbm_layers
from musiclib.paper.published import logged
from musiclib.paper.real_and_composed import REAL, apart, compared, made_of
from musiclib.paper.site.pages import page
from musiclib.paper.site.sources import Sources


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


def test_the_authors_logs_are_grey_lines_beside_the_losses_of_training_alone(curves):
    plainer = figures.learning_curves(curves, "iteration", "nats")
    assert plainer.axes[0].get_yscale() == "linear"
    theirs = logged()
    figure = figures.learning_curves(curves, "iteration", "nats", theirs)
    training, held_out = figure.axes
    drawn = {line.get_label(): line for line in training.get_lines()}
    for run, rows in theirs.groupby("run"):
        line = drawn[f"authors' log, {run}"]
        np.testing.assert_array_equal(line.get_xydata(), rows[["at", "loss"]])
        red, green, blue = to_rgb(line.get_color())
        assert red == green == blue and line.get_linewidth() < 1
    looks = {(line.get_linestyle(), line.get_marker()) for line in drawn.values()}
    assert len(looks) >= 4  # ours and theirs are told apart in grey, too
    assert len(held_out.get_lines()) == len(training.get_lines()) - 2
    assert {axes.get_yscale() for axes in figure.axes} == {"log"}
    assert names(figure)[2:4] == ["authors' log, normalised", "authors' log, not normalised"]


def test_the_run_without_curriculum_is_the_solid_line_whichever_was_trained_first(curves):
    turned = figures.learning_curves(curves[::-1], "epoch", "nats").axes[0]
    assert names(turned.figure)[:2] == ["without curriculum", "with curriculum"]
    styles = {line.get_label(): line.get_linestyle() for line in turned.get_lines()}
    assert (styles["without curriculum"], styles["with curriculum"]) == ("-", "--")


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


def test_the_drawn_machine_has_the_numbers_of_its_model():
    window = hand_states(16, (60, 3, 2))
    for hidden, counts in (
        (10, ("10 hidden", "24,960 w")),
        (1500, ("1,500 hidden", "3,744,000 w")),
    ):
        model = RBM(RBMConfig(hidden=hidden))
        figure = figures.rbm(model, window)
        told = texts(figure)
        assert all(count in told for count in counts) and f"2,496 + {hidden:,} biases" in told
        assert "2,496 visible units: 16 steps × 78 notes × 2 bits" in told
        parts = rbm_layers(model)["weights"]
        assert parts.sum() == sum(p.numel() for p in model.parameters())
        units = figure.axes[0].collections[1].get_offsets()
        assert len(units) == min(hidden, 24)


def test_hidden_units_are_as_dark_as_they_are_likely_to_be_on():
    model = RBM(RBMConfig(hidden=3))
    model.hidden_bias.data = torch.tensor([-20.0, 0.0, 20.0])
    model.weights.data.zero_()
    figure = figures.rbm(model, hand_states(16))
    figure.canvas.draw()
    dark = 1 - figure.axes[0].collections[1].get_facecolor()[:, 0]
    np.testing.assert_allclose(dark, [0, 0.5, 1], atol=0.01)


def texts(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize(
    ("how", "units"),
    [
        ({}, [300, 300, 100, 50, 2]),
        ({"time_sizes": (7, 5, 3), "note_sizes": (11,), "dropout": 0.25}, [7, 5, 3, 11, 2]),
        (
            {"time_sizes": (9,), "note_sizes": (4, 6), "cell": "linear", "start": "normal"},
            [9, 4, 6, 2],
        ),
    ],
)
def test_the_drawn_network_has_the_numbers_of_its_model(how, units):
    model = build(BiaxialConfig(**how))
    layers = biaxial_layers(model)
    parameters = list(model.parameters())
    assert layers["weights"].sum() == sum(p.numel() for p in parameters)
    assert layers["trained"].sum() == sum(p.numel() for p in parameters if p.requires_grad)
    assert layers["units"].tolist() == units
    assert sum(FEATURE_PARTS.values()) == layers["inputs"].iloc[0] == 80
    figure = figures.biaxial(model)
    words = texts(figure).splitlines()
    for unit in {80, *units}:  # once in each of nine places
        assert words.count(str(unit)) == 9 * [80, *units].count(unit)
    for inputs, units_of, weights in layers[["inputs", "units", "weights"]].to_numpy():
        assert any(line.endswith(f": {inputs} → {units_of}") for line in words)
        assert f"{weights:,}" in words
    assert f"{sum(p.numel() for p in parameters):,}" in words
    assert f"{model.config.cell} cell, dropout {model.config.dropout:g}" in words


def test_boxes_and_words_of_the_drawn_network_do_not_overlap():
    figure = figures.biaxial(build(BiaxialConfig()))
    figure.canvas.draw()
    boxes = [p.get_window_extent() for p in figure.axes[0].patches if isinstance(p, Rectangle)]
    assert len(boxes) == 9 * 6
    assert not [1 for a, b in combinations(boxes, 2) if a.overlaps(b)]
    rows = [text.get_window_extent() for text in figure.axes[1].texts if text.get_text()]
    assert not [1 for a, b in combinations(rows, 2) if a.overlaps(b)]
    assert all(row.x0 >= 0 and row.x1 <= figure.bbox.x1 for row in rows)


def collection(axes, label):
    return next(each for each in axes.collections if each.get_label() == label)


def corners(axes, label):
    """Left, right and middle height of the boxes of a collection."""
    vertices = [path.vertices for path in collection(axes, label).get_paths()]
    return [(v[:, 0].min(), v[:, 0].max(), v[:4, 1].mean()) for v in vertices]


def grey(colour):
    """How light a colour prints in grey, 0 to 100 (CIE L*)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(colour)
    )
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 116 * light ** (1 / 3) - 16 if light > 0.008856 else 903.3 * light


def test_struck_and_held_are_told_apart_in_grey_and_from_paper():
    axes = figures.rolls({"a": hand_states(40, (60, 0, 4))}).axes[0]
    struck, held = (
        grey(collection(axes, label).get_facecolor()[0][:3]) for label in ("struck", "held")
    )
    assert held - struck > 40 and 100 - held > 20


def test_notes_are_drawn_where_they_are_struck_and_as_long_as_they_are_held():
    states = random_states(120, seed=3)
    axes = figures.rolls({"a": states}).axes[0]
    notes = note_list(states)
    held, struck = corners(axes, "held"), corners(axes, "struck")
    assert [(round(a), round(b), round(y) - 24) for a, b, y in held] == notes
    assert [(round(a), round(b)) for a, b, _ in struck] == [(a, a + 1) for a, _, _ in notes]
    again = [(a, b) for (a, b, p), (c, _, q) in combinations(held, 2) if p == q and b >= c >= a]
    assert not again  # notes that follow each other are told apart


def test_bars_are_drawn_and_numbered_where_they_are():
    states, positions = hand_states(50, (60, 0, 50)), (np.arange(50) - 6) % 12
    axes = figures.rolls({"a": states}, positions={"a": positions}).axes[0]
    lines = [path.vertices[0, 0] for path in collection(axes, "bar lines").get_paths()]
    assert lines == [6, 18, 30, 42]  # after a pickup of six steps
    assert axes.get_xticks().tolist() == [6, 18, 30, 42]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3", "4"]
    axes = figures.rolls({"a": states}).axes[0]
    lines = [path.vertices[0, 0] for path in collection(axes, "bar lines").get_paths()]
    assert lines == [0, 16, 32, 48]


def test_octaves_are_named_and_the_key_is_told_in_words():
    axes = figures.rolls({"tune": scale_piece(67)}).axes[0]
    named = dict(
        zip(axes.get_yticks(), (t.get_text() for t in axes.get_yticklabels()), strict=True)
    )
    assert named[60] == "C4" and named[72] == "C5"
    assert "tune · G major" in axes.get_title("left")


@pytest.mark.parametrize(
    ("states", "key"),
    [
        (hand_states(0), "silent"),
        (hand_states(33), "silent"),
        (hand_states(5, (101, 4, 1)), "unsure"),
    ],
)
def test_pieces_of_no_or_one_note_are_drawn(states, key, tmp_path):
    figure = figures.rolls({"$x_{1$ \udcff.mid": states, "other": hand_states(20, (30, 0, 9))})
    figure.savefig(tmp_path / "roll.pdf")
    title = figure.axes[0].get_title("left")
    assert title.startswith("$x_{1$") and title.endswith(key)
    assert len(corners(figure.axes[0], "held")) == states[..., 1].sum()
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_a_long_piece_goes_on_in_lines_and_its_file_stays_small(tmp_path):
    states = scale_piece(60, 2000)
    figure = figures.rolls({"long": states})
    assert 2 <= len(figure.axes) <= 8
    assert np.ptp([np.ptp(axes.get_xlim()) for axes in figure.axes]) == 0  # one scale
    starts = [corners(axes, "struck") for axes in figure.axes]
    assert len({box[0] for line in starts for box in line}) == len(
        {n[0] for n in note_list(states)}
    )
    figure.savefig(tmp_path / "roll.pdf", metadata={"CreationDate": None})
    assert (tmp_path / "roll.pdf").stat().st_size < 200_000


@pytest.mark.parametrize("draw", ["rolls", "biaxial", "rbm", "real_and_composed"])
def test_words_are_large_enough_on_a_screen_of_390_pixels(draw):
    figure = {
        "rolls": lambda: figures.rolls({"a": scale_piece(60, 300)}),
        "biaxial": lambda: figures.biaxial(build(BiaxialConfig())),
        "rbm": lambda: figures.rbm(RBM(RBMConfig(hidden=30)), hand_states(16, (60, 0, 4))),
        "real_and_composed": lambda: figures.real_and_composed(*beside()),
    }[draw]()
    figure.set_dpi(390 / figure.get_figwidth())
    figure.canvas.draw()
    words = [text for text in figure.findobj(Text) if text.get_text().strip()]
    pixels = [text.get_fontsize() / 72 * figure.dpi for text in words if text.get_visible()]
    assert len(pixels) > 10 and min(pixels) >= 8


def beside():
    music = {REAL: scale_piece(60), "LSTM": random_states(160, 0), "mended (x)": hand_states(64)}
    made = made_of({name: [states] for name, states in music.items()})
    return compared(music, made), apart(made)


def test_composed_music_is_drawn_below_real_music_and_beside_its_shares():
    table, distances = beside()
    figure = figures.real_and_composed(table, distances)
    titles = [axes.get_title("left") for axes in figure.axes[:3]]
    assert titles[0].startswith("real music · C major") and titles[2] == "mended (x) · silent"
    assert [len(corners(axes, "held")) for axes in figure.axes[1:3]] == [
        len(note_list(random_states(160, 0)[:64])), 0
    ]  # fmt: skip
    panels = figure.axes[3:]
    assert len(panels) == 5 * 2
    for axes in panels:
        real, composed = axes.patches
        assert real.get_fill() and not composed.get_fill() and composed.get_linestyle() != "-"
        differ = np.abs(real.get_data().values - composed.get_data().values).sum() / 200
        (text,) = (text.get_text() for text in axes.texts)
        if composed.get_data().values.sum():
            assert text == f"apart {differ:.2f}"


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
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# 04 · a title"), cell])
    html = page(notebook, "04-figure-3", Sources("smoke", tmp_path))
    (image,) = re.findall("<img [^>]*>", html)
    assert words in unescape(image) and 'src="data:image/png;base64,' in image
    again = figures.picture(figures.learning_curves(curves, "epoch", "nats"), words)
    assert (
        again.data == figures.picture(figures.learning_curves(curves, "epoch", "nats"), words).data
    )
