"""The sentences on published size, and the rows of the experiments, from runs made by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from musiclib.paper import experiment_rows
from musiclib.paper.experiments import EXPERIMENTS
from musiclib.paper.kept import corpora_of, how, kept_runs, label
from musiclib.paper.kept_findings import findings
from musiclib.paper.kept_numbers import UNFINISHED, numbers_of_kept
from musiclib.paper.kept_tables import table_1
from musiclib.paper.published import logged

EPOCH = 10
ISL = {10: -500.0, 30: -400.0, 70: -300.0}


def write(folder, job, stages, losses, held_out, scores, **record):
    place = folder / "paper" / "-".join(map(str, job))
    place.mkdir(parents=True)
    pd.DataFrame({"stage": "main", **losses}).to_csv(place / "losses.csv", index=False)
    pd.DataFrame(held_out, columns=["iteration", "loss"]).to_csv(
        place / "held-out.csv", index=False
    )
    scores.to_csv(place / "scores.csv", index=False)
    about = {"about": "music", "density": 2.5, "keys per sample of held-out music": 3.0}
    about["bits saved by excerpts of main"] = 0.25
    whole = {
        "job": dict(zip(("model", "kind", "seed"), job, strict=True)),
        "stages": stages,
        "corpus": "abc",
        "without_learning": {"one constant rate": 9.0},
        "device": "x86_64",
        "precision": "fp32",
        "threads": [1],
        "seconds": 7200.0,
        "music": about,
        **record,
    }
    (place / ("part.json" if "iterations" in record else "run.json")).write_text(json.dumps(whole))


def scored(isl):
    rows = [
        {"checkpoint": at, "isl": value, "held_out_bars": 20, "dropped_share": 90.0, "bits": -1.0}
        | {"bits_low": -2, "bits_high": 0, "density": at / 10, "predicted": 2.0}
        for at, value in isl.items()
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def kept(tmp_path):
    lstm = {"iteration": np.arange(1, 71) * EPOCH, "loss": np.linspace(9, 5, 70)}
    held_out = [(100, 8.0), (200, 6.5), (700, 7.5)]
    write(tmp_path, ("lstm", "plain", 0), {"main": 700}, lstm, held_out, scored(ISL),
          iterations_an_epoch=EPOCH)  # fmt: skip
    at = np.arange(1, 301)
    biaxial = {"iteration": at, "loss": np.where(at <= 250, 8000.0, 6000.0)}
    write(tmp_path, ("biaxial", "plain", 0), {"main": 10_000}, biaxial, [(300, 5.0)],
          scored({300: -600.0}), iterations=300, iterations_an_epoch=None)  # fmt: skip
    return kept_runs("paper", tmp_path)


def test_findings_say_what_there_is_and_where_it_stands(kept):
    runs, table, length, biaxial = findings(kept)
    assert "1 of 45" in runs and "biaxial-plain-0 stands at iteration 300 of 10,000" in runs
    assert "ours −500, −400, −300, theirs −425, −250, −55" in table and "90 %" in table
    assert "1.0, 3.0, 7.0" in table
    assert "lowest at epoch 20, 6.50" in length and "7.50 at the end" in length
    log = logged().query("run == 'normalised'").set_index("at")["loss"]
    assert (
        f"At iteration 300 its loss is 6,000 nats per batch, in the authors' log {log[300]:,.0f}"
        in (biaxial)
    )
    falls = next(
        i for i in range(251, 301) if (8000 * (25 - (i - 250)) + 6000 * (i - 250)) / 25 <= log[100]
    )
    assert biaxial.endswith(f"{log[100]:,.0f}, ours is at {falls}.")


def test_findings_leave_out_what_is_not_there(kept):
    alone = {"biaxial-plain-0": kept["biaxial-plain-0"]}
    assert len(findings(alone)) == 2
    assert "0 of 45" in findings(alone)[0]


def test_every_experiment_has_a_result_or_says_why_not(kept):
    numbers = numbers_of_kept(kept)
    rows = experiment_rows.rows(numbers, ["lstm-plain-0"], kept)
    assert [row[0] for row in rows] == [e.asks for e in EXPERIMENTS.values()]
    for row, experiment in zip(rows, EXPERIMENTS.values(), strict=True):
        assert len(row) == len(experiment_rows.HEADER) and row[2]
        assert (row[3] == "needs none") == (not experiment.kinds) == (not row[1])
        if "1 of 1 seed" not in row[4]:
            assert "not trained" in row[4] or "needs no network" in row[4]
    by_name = dict(zip(EXPERIMENTS, rows, strict=True))
    assert "epoch 10 below epoch 30: 1 of 1 seed" in by_name["training, LSTM"][4]
    assert by_name["training, LSTM"][1:3] == ["lstm: plain", "ISL, bits saved, density"]
    part = by_name["training, biaxial RNN"]
    assert part[3] == "0 of 3" and part[4].startswith("biaxial-plain-0 not trained to the end")


def test_a_part_has_numbers_of_its_own_alone(kept):
    numbers = numbers_of_kept(kept)
    assert numbers["biaxial", UNFINISHED + "plain", "ISL", 300]["value"] == -600
    assert not [key for key in numbers if key[:2] == ("biaxial", "plain")]
    assert numbers["lstm", "plain", "ISL", 70]["published"] == -55.1
    assert numbers["lstm", "plain", "training loss"]["value"] == pytest.approx(
        np.linspace(9, 5, 70)[62:].mean()
    )


def test_table_1_has_the_published_values_beside_ours(kept):
    text, scores = table_1(kept)
    assert "| without curriculum | 30 | −400.0 | −249.9 | 90.0 | −1.00 | 3.00 |" in text
    assert "| real music |  |  |  |  | 0.25 | 2.50 |" in text and len(scores) == 3


def test_what_stands_under_the_figures(kept):
    assert label(kept) == "published size, music, 1 seed, fp32, x86_64"
    assert corpora_of(kept) == {"abc": "music"}
    row = how(kept["biaxial-plain-0"])
    assert row["iterations"] == "300 of 10,000" and row["hours"] == 2.0
    assert row["seconds per iteration"] == 24.0
