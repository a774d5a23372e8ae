"""Learning curves: means over bins, held-out losses after the levels, the last tenth."""

from types import SimpleNamespace

import pandas as pd
import pytest
from conftest import SHARED

from musiclib.models import BiaxialConfig
from musiclib.paper.curves import last, learning_curves, published_batch
from musiclib.paper.profiles import PUBLISHED_SIZE
from musiclib.paper.published import LOGS, logged, published

THEIRS = SHARED.parent / "paper" / "published-losses.csv"


def run(levels, main, held_out):
    """A run with losses on a level, on the main corpus, and on held-out music by iteration."""
    stages = ["easy"] * len(levels) + ["main"] * len(main)
    within = [*range(1, len(levels) + 1), *range(1, len(main) + 1)]
    return SimpleNamespace(
        losses=pd.DataFrame({"stage": stages, "iteration": within, "loss": [*levels, *main]}),
        held_out=pd.DataFrame(held_out, columns=["iteration", "loss"]),
        verdict=SimpleNamespace(learned=True),
        record={"stages": {"easy": len(levels), "main": len(main)}},
    )


@pytest.fixture
def curves():
    runs = {
        ("plain", 0): run([], [1, 3, 5, 7, 9], [(2, 4.0), (5, 2.0)]),
        ("curriculum", 0): run([50, 60], [2, 4, 6, 8, 10], [(2, 9.0), (4, 3.0), (7, 1.0)]),
    }
    return learning_curves(runs, bin_size=2, unit=2, scale=10)


def at_and_loss(curves, kind, part):
    rows = curves[(curves["curriculum"] == kind) & (curves["set"] == part)]
    return rows[["at", "loss"]].to_numpy().tolist()


def test_training_losses_are_means_over_bins_of_the_main_corpus_alone(curves):
    assert at_and_loss(curves, "plain", "training") == [[1, 20], [2, 60], [2.5, 90]]
    assert at_and_loss(curves, "curriculum", "training") == [[1, 30], [2, 70], [2.5, 100]]


def test_a_last_mean_of_few_losses_is_left_out_where_asked():
    plain = {("plain", 0): run([], [1, 3, 5, 7, 9], [(5, 2.0)])}
    curves = learning_curves(plain, bin_size=2, whole=True)
    assert at_and_loss(curves, "plain", "training") == [[2, 2], [4, 6]]
    curves = learning_curves(plain, bin_size=8, whole=True)
    assert at_and_loss(curves, "plain", "training") == [[5, 5]]


def test_held_out_losses_count_from_where_the_main_corpus_begins(curves):
    assert at_and_loss(curves, "plain", "held-out") == [[1, 40], [2.5, 20]]
    assert at_and_loss(curves, "curriculum", "held-out") == [[0, 90], [1, 30], [2.5, 10]]


def test_last_is_the_mean_of_each_seed_over_the_end_of_the_curve(curves):
    assert last(curves, "plain", "training") == [90]
    assert last(curves, "plain", "training", share=0.5) == [75]


def test_a_smaller_batch_is_brought_to_the_published_size():
    assert published_batch(BiaxialConfig()) == 1
    assert published_batch(BiaxialConfig(batch=5, segment=32)) == pytest.approx(1270 / 155)


def test_a_kind_with_fewer_iterations_has_a_last_tenth_of_its_own():
    losses = [4.0] * 18 + [2.0, 1.0]
    runs = {
        ("plain", 0): run([], losses, [(20, 3.0)]),
        ("equal budget", 0): run([9.0] * 10, losses[10:], [(20, 2.0)]),
    }
    curves = learning_curves(runs, bin_size=1)
    assert last(curves, "plain", "training") == [pytest.approx((4 + 2 + 1) / 3)]
    assert last(curves, "equal budget", "training") == [pytest.approx((2 + 1) / 2)]  # from 9 on
    assert last(curves, "equal budget", "held-out") == [2]


@pytest.mark.skipif(not THEIRS.exists(), reason="the authors' losses are not in ../shared/paper")
def test_the_authors_logs_are_as_they_wrote_them():
    theirs = pd.read_csv(THEIRS).query("run in @LOGS").rename(columns={"iteration": "at"})
    pd.testing.assert_frame_equal(logged(), theirs.reset_index(drop=True))


def test_the_authors_logs_are_of_published_length_and_say_what_is_not_known():
    logs = published()["logs"]
    assert {"source", "unknown", *LOGS} == logs.keys()
    for _, rows in logged().groupby("run"):
        assert rows["at"].is_monotonic_increasing and rows["at"].iloc[0] == 0
        assert 0.9 * PUBLISHED_SIZE.iterations < rows["at"].max() < PUBLISHED_SIZE.iterations
        assert rows["loss"].between(500, 60_000).all()
