"""The benchmark's table, composed music by its likelihood, and forms of training side by side."""

from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from strategies import random_states

from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import RollBiaxialConfig, build, form_of
from musiclib.models.likelihood import frame_log_likelihoods
from musiclib.music.representations import roll_of
from musiclib.paper import figures, likelihood_table
from musiclib.paper.benchmark import run_config
from musiclib.paper.benchmark_kept import configuration
from musiclib.paper.forms import CHANGES, best_loss, curves, reached
from musiclib.paper.likelihood_judge import agreement, in_frames, log_likelihood
from musiclib.paper.likelihood_table import best, published_lines, table, trials_beside
from musiclib.paper.profiles import SMOKE


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def row(
    seed,
    validation,
    test=np.nan,
    name="MuseData",
    change="",
    network="biaxial RNN",
    recipe=None,
    run=None,
):
    today = configuration(run_config(network, name, 0).model)
    return {
        "configuration": recipe or today,
        **{"network": network, "set": name, "change": change, "seed": seed},
        "run": run or f"{network}-{name}-{change}-{seed}",
        **{"validation": validation, "test": test},
    }


ROWS = pd.DataFrame(
    [
        row(0, -5.0, -5.5),
        row(1, -4.0, -6.5),
        row(2, -4.5),
        row(0, -1.0, change="trial: no warm-up"),
        row(0, -1.0, -1.0, recipe="0123456789abcdef", run="before"),  # of an earlier recipe
        row(0, -9.0, -9.25, network="LSTM", name="Nottingham"),
    ]
)


def test_a_row_counts_tested_runs_of_the_recipe_and_validation_chooses_the_best():
    runs = likelihood_table.tested(ROWS, "biaxial RNN", "MuseData")
    assert runs["seed"].tolist() == [0, 1]
    assert best(runs)["test"] == -6.5  # the worse of both on test pieces
    assert not len(likelihood_table.tested(ROWS, "LSTM", "MuseData"))


def test_of_a_seed_that_was_trained_twice_the_last_run_speaks():
    rows = pd.DataFrame([row(0, -5.0, -5.5), row(1, -4.0, -6.5), row(0, -3.0, -3.5)])
    assert likelihood_table.tested(rows, "biaxial RNN", "MuseData")["test"].tolist() == [-6.5, -3.5]


def test_how_certain_a_value_is_comes_from_its_pieces():
    """Of two seeds: each piece's mean, resampled; a run with other weights has no say."""
    rows = pd.DataFrame([row(s, -5.0, -5.0) | {"digest": f"d{s}"} for s in (0, 1)])
    names = rows["run"].tolist()
    frames, nats = [10, 30], np.array([[-40.0, -130.0], [-60.0, -170.0]])
    pieces = pd.DataFrame(
        [
            {"run": run, "digest": digest, "piece": i, "frames": frames[i], "nats": nats[seed, i]}
            for seed, run in enumerate(names)
            for i in (0, 1)
            for digest in (f"d{seed}", "older")
        ]
    )
    [found] = likelihood_table.over_pieces(rows, pieces).to_dict("records")
    assert (found["network"], found["set"], found["pieces"]) == ("biaxial RNN", "MuseData", 2)
    assert found["seeds"] == 2
    assert found["test"] == pytest.approx(-5)  # (50 + 150) / 40
    assert (found["low"], found["high"]) == pytest.approx((-5, -5))  # of both pieces
    pieces.loc[(pieces["piece"] == 0) & (pieces["digest"] != "older"), "nats"] = -80.0
    [found] = likelihood_table.over_pieces(rows, pieces).to_dict("records")
    assert (found["low"], found["high"]) == pytest.approx((-8, -5)) and found["test"] == -5.75
    assert found["within"] == "RNN-RBM, RNN-NADE, Hessian-free"


def test_recipes_that_were_changed_have_a_line_each():
    older = [row(s, -7.0, -7.0 - s, recipe="0" * 16, run=f"oldest {s}") for s in (0, 1)]
    text = table(pd.concat([ROWS, pd.DataFrame(older)]))
    lines = [line for line in text.splitlines() if "earlier recipe" in line]
    assert len(lines) == 2 and "−1.00" in lines[0] and "−7.50 ± 0.71" in lines[1]


def test_the_sentence_says_which_recipe_speaks():
    said = likelihood_table.in_a_sentence
    assert said(ROWS).startswith("MuseData −6.00 (Johnson −3.90): nats per test frame; ours means")
    assert said(ROWS[ROWS["run"] == "before"]).startswith("MuseData −1.00 (earlier recipe; one s")
    assert said(ROWS[:0]).startswith("nothing is measured yet")


def test_a_trial_stands_beside_the_recipe_of_its_seed_and_length():
    made = [
        (0, -5.0, "", 2000),
        (1, -4.0, "", 2000),
        (0, -6.0, "trial: recipe", 1000),
        (0, -9.0, "trial: earlier recipe", 1000),
        (0, -5.5, "trial: no mean", 1000),
        (0, -5.1, "trial: no mean for long", 2000),
        (1, -4.3, "trial: no mean for long", 2000),
        (0, -8.0, "trial: earlier recipe: wide", 1000),
        (0, -3.0, "trial: no mean for ever", 4000),
        (0, -5.0, "trial: recipe", 2000),
        (2, -7.0, "trial: no mean for long", 2000),
    ]
    rows = [row(*each[:2], change=each[2]) | {"iterations": each[3]} for each in made]
    found = trials_beside(pd.DataFrame(rows)).set_index("change")
    found = found[(found.index != "recipe") | (found["iterations"] == 1000)]
    assert found["of"].to_dict() == dict.fromkeys(found.index, "recipe") | {
        "wide": "earlier recipe"
    }
    values = found[["seeds", "pairs", "beside", "spread"]].astype(float)
    nan = np.nan
    expected = {
        "recipe": (1, 1, 0, nan),
        "earlier recipe": (1, 1, -3, nan),
        "no mean": (1, 1, 0.5, nan),
        "no mean for long": (3, 2, -0.2, np.std([-0.1, -0.3], ddof=1)),
        "wide": (1, 1, 1, nan),
        "no mean for ever": (1, 0, nan, nan),
    }
    assert list(expected) == found.index.tolist()
    np.testing.assert_allclose(values, list(expected.values()))
    assert found.loc["no mean for long", "validation"] == pytest.approx(-16.4 / 3)


def test_ours_stand_below_what_others_have_published():
    lines = str(table(ROWS)).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == [
        "model",
        "status",
        "JSB chorales",
        "MuseData",
        "Nottingham",
        "Piano-midi.de",
    ]
    by_name = {tuple(row[:2]): row[2:] for row in cells[2:]}
    assert by_name["LSTM (Bai et al. 2018)", "read"] == ["−8.45", "", "−3.29", ""]
    mean = by_name["biaxial RNN", "ours, mean ± deviation over seeds"]
    assert mean == ["", "**−6.00 ± 0.71** (validation −4.50 ± 0.71; 2 seeds)", "", ""]
    chosen = by_name["biaxial RNN", "ours, the seed that is best on validation"]
    assert chosen == ["", "−6.50 (validation −4.00)", "", ""]
    before = by_name["biaxial RNN", "ours, an earlier recipe, mean ± deviation over seeds"]
    assert before == ["", "**−1.00** (validation −1.00; 1 seed)", "", ""]
    assert by_name["LSTM", "ours, the seed that is best on validation"][2].startswith("−9.25")


def test_published_lines_name_every_value_once():
    lines = published_lines()
    assert not lines.duplicated(["set", "model"]).any() and (lines["value"] < 0).all()


def test_a_corpus_in_frames_holds_every_other_sixteenth():
    states = random_states(21, 0, 0.2)
    corpus = in_frames(Corpus({"main": [Piece("a", states, np.zeros((3, 88), np.uint8))]}))
    roll = corpus.main[0].roll
    assert roll.shape == (10, 88) and np.array_equal(roll[:, 3:81], states[:20:2, :, 0])
    assert np.array_equal(corpus.main[0].states, states)


def test_the_judge_takes_all_frames_alike():
    model = build(RollBiaxialConfig(time_sizes=(4, 3), note_sizes=(3, 2)))
    pieces = [random_states(steps, steps, 0.2) for steps in (10, 40)]
    every = np.concatenate(frame_log_likelihoods(model, [roll_of(piece) for piece in pieces]))
    judge = SimpleNamespace(model=lambda: model)
    assert len(every) == 25 and log_likelihood(judge, pieces) == pytest.approx(every.mean())


def test_agreement_is_that_of_ranks_and_of_each_seed():
    judged = pd.DataFrame(
        {
            "model": "LSTM",
            "seed": [0] * 4 + [1] * 4,
            "nats": [1.0, 2, 3, 4] * 2,
            "bits": [10.0, 20, 30, 400, 4, 3, 2, 1],
            "isl": [1.0, 3, 2, 4] * 2,
            "density": [4.0, 3, 2, 1] * 2,
            "checkpoint": [1, 1, 2, 2] * 2,
        }
    )
    rho = agreement(judged, "seed").set_index(["seed", "pair"])["rho"]
    assert rho[0, "nats and bits"] == pytest.approx(1) and rho[1, "nats and bits"] == pytest.approx(
        -1
    )
    assert rho[0, "nats and isl"] == pytest.approx(0.8)
    assert rho[0, "nats and density"] == pytest.approx(-1)
    within = agreement(judged, "checkpoint").set_index(["checkpoint", "pair"])["rho"]
    assert within[1, "nats and isl"] == pytest.approx(1) and within[2, "nats and density"] < 0


def test_agreement_given_density_is_that_of_what_density_leaves_of_ranks():
    rng = np.random.default_rng(0)
    judged = pd.DataFrame({name: rng.random(40) for name in ("bits", "isl", "density")})
    judged["nats"] = judged["isl"] - 2 * judged["density"]
    ranks = judged.rank()
    left = {
        name: ranks[name]
        - np.polyval(np.polyfit(ranks["density"], ranks[name], 1), ranks["density"])
        for name in ("nats", "isl")
    }
    found = agreement(judged.assign(model="a", seed=0), "seed").set_index("pair")["given density"]
    assert found["nats and isl"] == pytest.approx(np.corrcoef(left["nats"], left["isl"])[0, 1])
    assert np.isnan(found["nats and density"])


def trained(losses):
    """What of a run the curves need."""
    held_out = pd.DataFrame({"iteration": [2, 4, 6, 8], "loss": losses})
    return SimpleNamespace(held_out=held_out, verdict=SimpleNamespace(learned=True))


def test_when_a_loss_is_reached_and_in_how_many_minutes():
    modern, plain = trained([9.0, 5, 6, 4]), trained([9.0, 8, 7, 6])
    assert reached(modern, best_loss(plain)) == 3.5  # 9 at 2, 5 at 4
    assert reached(modern, 9.0) == 2 and reached(modern, 5.0) == 4 and reached(modern, 4.5) == 7.5
    assert np.isnan(reached(plain, best_loss(modern)))
    made = curves({("modern", 0): modern, ("plain", 0): plain}, {"modern": 30, "plain": 60}, 2)
    assert made["minutes"].tolist() == [1, 2, 3, 4, 2, 4, 6, 8]
    assert made["loss"].tolist() == [18, 10, 12, 8, 18, 16, 14, 12]


@pytest.mark.parametrize("model", ["biaxial", "lstm"])
def test_every_means_of_the_modern_form_is_tried_by_itself(model):
    ours = SMOKE.config(model)
    form = form_of(ours, "modern")
    modern = vars(replace(ours, **form))
    for changes in CHANGES[model].values():
        assert all(value != modern[name] for name, value in changes.items())
    every = {name for changes in CHANGES[model].values() for name in changes}
    assert form.keys() - every <= {"loss"}  # of every sample


def test_the_pictures_show_what_is_in_their_tables():
    runs = {("modern", 0): trained([9.0, 5, 6, 4]), ("plain", 0): trained([9.0, 8, 7, 6])}
    made = curves(runs, {"modern": 1.0, "plain": 2.0})
    bar = made[made["form"] == "our form"].tail(1)[["form", "loss"]]
    left, right = figures.forms(made, "nats", bar).axes
    assert left.get_xlabel() == "iteration" and right.get_xlabel() == "minutes"
    assert {tuple(line.get_ydata()) for line in left.lines} >= {(9, 5, 6, 4), (9, 8, 7, 6), (6, 6)}
    curve = pd.DataFrame(
        {"set": ["a", "a", "b", "b"], "network": "LSTM", "seed": 0, "iteration": [1, 2] * 2}
    ).assign(nats=[-9.0, -8, -7, -6])
    theirs = pd.DataFrame({"set": list("aab"), "model": ["x", "y", "y"], "value": -5.0})
    first, second = figures.benchmark_curves(curve, theirs, -12).axes
    assert len(first.lines) == 3 and len(second.lines) == 2 and first.get_ylim() == (-12, 0)
    x, y, again = (line.get_linestyle() for line in (*first.lines[1:], second.lines[1]))
    assert x != y == again  # as the legend has it
    judged = pd.DataFrame({"model": ["x", "y"], "nats": [-1.0, -2], "bits": [0, 1], "isl": [2, 3]})
    for axes in figures.judged_music(judged, {"nats": -3.0}).axes:
        assert len(axes.collections) == 2 and axes.lines[0].get_xdata()[0] == -3
