"""The sentences on published size, and the rows of the experiments, from runs made by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from musiclib.base.errors import InputError
from musiclib.paper import claims, experiment_rows, figures
from musiclib.paper.claims import CLAIMS, OPEN, judged
from musiclib.paper.comparisons import COMPARISONS
from musiclib.paper.curves import learning_curves
from musiclib.paper.experiments import EXPERIMENTS
from musiclib.paper.kept import corpora_of, how, kept_runs, label, of_model
from musiclib.paper.kept_findings import findings
from musiclib.paper.kept_numbers import UNFINISHED, numbers_of_kept
from musiclib.paper.kept_tables import table_1
from musiclib.paper.published import logged
from musiclib.paper.variants import KINDS, VARIANTS

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
    about["% of held-out bars struck between samples"] = 80.0
    about |= {"profile": {"pieces": 25, "steps": 1280}, "pieces": {"main": 7}}
    about["bits saved by excerpts of main"] = 0.25
    whole = {
        "job": dict(zip(("model", "kind", "seed"), job, strict=True)),
        "stages": stages,
        "corpus": "abc",
        "without_learning": {"one constant rate": 9.0},
        "device": "x86_64",
        "precision": "fp32",
        "threads": [1],
        "config": {"held_out_batches": 8},
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
    assert "1 of 51" in runs and "biaxial-plain-0 stands at iteration 300 of 10,000" in runs
    assert "ours −500, −400, −300, theirs −425, −250, −55" in table and "90 %" in table
    assert "1.0, 3.0, 7.0" in table
    assert "lowest at epoch 20, 6.50" in length and "7.50 at the end" in length
    assert "by heart" in length and "80 % strike notes between its samples" in table
    log = logged().query("run == 'normalised'").set_index("at")["loss"]
    assert (
        f"At iteration 300 its loss is 6,000 nats per batch, in the authors' log {log[300]:,.0f}"
        in (biaxial)
    )
    falls = next(
        i for i in range(251, 301) if (8000 * (25 - (i - 250)) + 6000 * (i - 250)) / 25 <= log[100]
    )
    assert biaxial.endswith(f"it comes down to {log[100]:,.0f}, theirs at 100, at {falls}.")


def test_findings_leave_out_what_is_not_there(kept):
    alone = {"biaxial-plain-0": kept["biaxial-plain-0"]}
    assert len(findings(alone)) == 2
    assert "0 of 51" in findings(alone)[0]


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


def copy_of(kept, folder, name, seed):
    """A kept run under another seed."""
    job = (*name, seed)
    place = folder / "paper" / "-".join(map(str, job)).replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    source = kept["lstm-plain-0"].directory
    for path in source.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    record = json.loads((source / "run.json").read_text())
    record["job"] = dict(zip(("model", "kind", "seed"), job, strict=True))
    (place / "run.json").write_text(json.dumps(record))


def test_seeds_that_one_side_lacks_are_left_out_and_no_verdict_rests_on_one(kept, tmp_path):
    """One seed with curriculum beside three without: one pair, as far as can be compared."""
    for seed in range(3):
        copy_of(kept, tmp_path, ("lstm", "plain"), seed)
    copy_of(kept, tmp_path, ("lstm", "curriculum"), 0)
    numbers = numbers_of_kept(kept_runs("paper", tmp_path))
    lengths = {len(value["per_seed"]) for key, value in numbers.items() if key[0] == "lstm"}
    assert lengths == {3}
    lower = COMPARISONS["lstm training loss"]
    assert np.isfinite(lower.differences(numbers)).tolist() == [True, False, False]
    found = judged(next(claim for claim in CLAIMS if claim.name == "faster"), numbers)
    assert found.verdict == OPEN
    copy_of(kept, tmp_path, ("lstm", "curriculum"), 1)
    assert claims.table(numbers_of_kept(kept_runs("paper", tmp_path)))


def test_kept_runs_of_any_kind_are_drawn_and_told_of(kept, tmp_path):
    for kind in VARIANTS:
        copy_of(kept, tmp_path, ("lstm", kind), 0)
    every = kept_runs("paper", tmp_path)
    text, _ = table_1(every)
    assert "| Bernoulli loss | 70 |" in text and text.index("without") < text.index("with c")
    lstm = of_model(every, "lstm", KINDS)
    assert {kind for kind, _ in lstm} == {*KINDS}
    figures.learning_curves(learning_curves(lstm, bin_size=1), "epoch", "loss")
    assert claims.table(numbers_of_kept(every)) and findings(every)


def test_nothing_kept_is_said_so():
    assert (
        numbers_of_kept({}) == {} and len(findings({})) == 1 and "None is kept" in findings({})[0]
    )
    assert table_1({})[0].count("\n") == 2 and "nothing is kept" in label({})
    rows = experiment_rows.rows({}, [])
    assert all("not trained" in row[4] or "needs no network" in row[4] for row in rows)


def test_the_command_of_a_row_names_the_runs_that_it_lacks(kept):
    rows = dict(zip(EXPERIMENTS, experiment_rows.rows({}, ["lstm-plain-0"]), strict=True))
    assert "`musiclib runs lstm-bernoulli-0 --profile paper" in rows["loss, LSTM"][4]
    both = rows["both networks"][4]
    assert "biaxial-plain-0 biaxial-curriculum-0 --profile paper" in both


def test_a_damaged_record_or_table_is_named(kept):
    (kept["lstm-plain-0"].directory / "scores.csv").unlink()
    with pytest.raises(InputError, match=r"scores\.csv"):
        numbers_of_kept(kept)
    (kept["lstm-plain-0"].directory / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json: no record"):
        kept_runs("paper", kept["lstm-plain-0"].directory.parents[1])
