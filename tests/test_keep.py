"""What is kept of runs: small folders from which all that was found is made anew."""

import json

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from strategies import random_states, write_scales

from musiclib.base.errors import InputError
from musiclib.corpus.sets import states_of
from musiclib.metrics.pca import project
from musiclib.models.checkpoints import load_weights
from musiclib.music.bars import bars, density
from musiclib.music.cadences import endings
from musiclib.paper.between_samples import struck_between
from musiclib.paper.clouds import drawn
from musiclib.paper.curves import published_batch
from musiclib.paper.experiments import Job
from musiclib.paper.keep import keep
from musiclib.paper.kept import (
    composed_file,
    how,
    kept_runs,
    of_model,
    overlaps_of,
    panels_of,
    read_composed,
    scores_of,
    write_composed,
)
from musiclib.paper.kept_numbers import UNFINISHED, numbers_of_kept
from musiclib.paper.study import Study
from musiclib.training.train import train_run

WHOLE = Job("biaxial", "plain", 0), Job("lstm", "plain", 0), Job("rbm", "plain", 0)
PART = Job("biaxial", "curriculum", 0)
ABOUT = "scales"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    place = tmp_path_factory.mktemp("keep")
    write_scales(place / "music", keys=1)
    study = Study("smoke", str(place / "music"), 1, runs=place / "runs")
    for model, kind, _ in WHOLE:
        study.train(model, (kind,))
    train_run(study.config(*PART), study.corpus, study.runs, seconds=0)
    keep(study, [*WHOLE, PART, Job("lstm", "bernoulli", 0)], ABOUT, place / "results")
    return study


@pytest.fixture(scope="module")
def kept(study):
    return kept_runs("smoke", study.runs.parent / "results")


def test_what_is_trained_is_kept_as_far_as_it_is_and_nothing_else(kept, study):
    assert kept.keys() == {job.name for job in (*WHOLE, PART)}
    assert [run.finished for run in kept.values()] == [name != PART.name for name in kept]
    assert how(kept[PART.name])["iterations"].startswith("1 of ")
    record = kept["lstm-plain-0"].record
    assert record["corpus"] == study.corpus.checksum and record["music"]["about"] == ABOUT
    config = study.config("lstm", "plain", 0).describe()
    assert record["config"] == json.loads(json.dumps(config))
    main = states_of(study.music.main)
    assert record["music"]["density"] == pytest.approx(density(main))


def test_kept_scores_are_those_of_the_study(kept, study):
    for model in ("lstm", "biaxial"):
        at = getattr(study.profile, model).checkpoints
        ours = scores_of(kept, model).query("curriculum == 'plain'")
        theirs = study.scores(model, at, ("plain",))
        columns = [column for column in theirs if column in ours]
        assert {"isl", "bits", "density", "checkpoint", "learned"} <= {*columns}
        pd.testing.assert_frame_equal(
            ours[columns].reset_index(drop=True), theirs[columns], rtol=1e-5, check_dtype=False
        )


def test_kept_losses_are_those_of_the_run_by_epoch_where_these_are_counted(kept, study):
    whole, epoch = study.run("biaxial", "plain", 0), study.run("lstm", "plain", 0)
    np.testing.assert_allclose(kept["biaxial-plain-0"].losses["loss"], whole.losses["loss"], 1e-5)
    size, losses = epoch.record["iterations_an_epoch"], epoch.losses["loss"].to_numpy()
    np.testing.assert_allclose(
        kept["lstm-plain-0"].losses["loss"], losses.reshape(-1, size).mean(axis=1), 1e-5
    )
    for name in ("biaxial-plain-0", "lstm-plain-0"):
        run = kept[name]
        verdict = study.run(*WHOLE[0] if "biaxial" in name else WHOLE[1]).verdict
        assert run.verdict.learned == verdict.learned


def test_all_that_was_composed_is_kept_and_a_few_pieces_to_hear(kept, study):
    run, at = kept["biaxial-plain-0"], study.profile.biaxial.checkpoints[-1]
    pieces = read_composed(composed_file(run.directory, at))
    composed = study.composed(study.run("biaxial", "plain", 0), at)
    assert len(pieces) == len(composed) == study.profile.pieces
    assert all((one == other).all() for one, other in zip(pieces, composed, strict=True))
    assert (run.directory / "samples" / f"{at}-1.mid").exists()


def test_pieces_of_any_lengths_come_back_as_they_were(tmp_path):
    pieces = [random_states(steps, steps, 0.2) for steps in (1, 16, 7)]
    write_composed(pieces, tmp_path / "x.npz")
    back = read_composed(tmp_path / "x.npz")
    assert all(np.array_equal(a, b) for a, b in zip(back, pieces, strict=True))


def test_figure_5_is_made_of_what_is_kept(kept, study):
    run, at = kept["biaxial-plain-0"], study.profile.figure_5[0]
    panel = panels_of(run, "own")[at]
    composed = study.composed(study.run("biaxial", "plain", 0), at)
    count = study.profile.pieces * study.profile.steps // 16
    training = drawn(states_of(study.music.main), count)
    truth = project(training, bars(composed))
    np.testing.assert_allclose(panel.generated, truth.generated, atol=0.02)
    assert 0 <= overlaps_of(run)[at].value <= 1 and overlaps_of(run).keys() > {0, at}


def test_weights_are_kept_of_what_heard_no_level(kept, study):
    model, described = load_weights(kept["biaxial-plain-0"].directory / "weights.safetensors")
    assert described["seed"] == 0
    whole = study.run("biaxial", "plain", 0).model()
    for one, other in zip(model.parameters(), whole.parameters(), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), atol=2e-3)
    assert not (kept[PART.name].directory / "weights.safetensors").exists()


def test_nothing_is_claimed_of_a_part(kept, study):
    numbers = numbers_of_kept(kept)
    kinds = {key[1] for key in numbers if key[0] == "biaxial"}
    assert "curriculum" not in kinds and "plain" in kinds
    assert all(key[1] != UNFINISHED + "plain" for key in numbers)
    key = "biaxial", "plain", "ISL", study.profile.biaxial.checkpoints[-1]
    scores = study.scores("biaxial", (key[-1],), ("plain",))
    expected = scores["isl"].tolist()
    assert numbers[key]["per_seed"] == pytest.approx(expected, nan_ok=True) or (
        numbers[key]["per_seed"] == [None] and np.isnan(expected).all()
    )
    assert numbers["windowed RBM", "inputs", "to each other"]["value"] > 0


def test_a_seed_that_is_not_there_has_no_value(kept, study, tmp_path):
    copy = tmp_path / "smoke" / "biaxial-plain-2"
    copy.mkdir(parents=True)
    for path in kept["biaxial-plain-0"].directory.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    record = json.loads((copy / "run.json").read_text())
    record["job"]["seed"] = 2
    (copy / "run.json").write_text(json.dumps(record))
    numbers = numbers_of_kept(kept_runs("smoke", tmp_path))
    per_seed = numbers["biaxial", "plain", "training loss"]["per_seed"]
    assert per_seed[:2] == [None, None] and per_seed[2] is not None
    assert [*of_model(kept_runs("smoke", tmp_path), "biaxial")] == [("plain", 2)]


def test_what_is_kept_again_takes_the_place_of_what_was_there(kept, study):
    before = kept["rbm-plain-0"].record
    [folder] = keep(study, [WHOLE[-1]], "other words", study.runs.parent / "results")
    assert folder == kept["rbm-plain-0"].directory
    assert kept["rbm-plain-0"].record["music"]["about"] == "other words"
    assert kept["rbm-plain-0"].record["config"] == before["config"]


def test_nothing_trained_is_said(study, tmp_path):
    with pytest.raises(InputError, match="nothing of it is trained"):
        keep(study, [Job("lstm", "bernoulli", 0)], ABOUT, tmp_path)


def test_a_kept_run_gives_way_only_to_one_that_is_as_far(study, kept):
    """Neither a beginning nor other music takes its place, and what trains now is not read."""
    results = study.runs.parent / "results"
    before = {path: path.read_bytes() for path in results.rglob("*.json")}
    other = Study("smoke", study.folder, 1, runs=study.runs.parent / "others")
    train_run(other.config(*WHOLE[-1]), other.corpus, other.runs, seconds=0)
    with pytest.raises(InputError, match=r"is at iteration 20, the run at 1"):
        keep(other, [WHOLE[-1]], ABOUT, results)
    with (
        FileLock(study.find(*WHOLE[-1]).directory / "lock"),
        pytest.raises(InputError, match="trains now"),
    ):
        keep(study, [WHOLE[-1]], ABOUT, results)
    record = json.loads((kept["rbm-plain-0"].directory / "run.json").read_text())
    (kept["rbm-plain-0"].directory / "run.json").write_text(json.dumps(record | {"corpus": "x"}))
    with pytest.raises(InputError, match="is of other music"):
        keep(study, [WHOLE[0]], ABOUT, results)
    for path, content in before.items():
        path.write_bytes(content)
    assert kept_runs("smoke", results).keys() == kept.keys()


def test_section_4_is_kept_of_finished_biaxial_networks(study, kept):
    found = kept["biaxial-plain-0"].record["section 4"]
    run = study.run("biaxial", "plain", 0)
    scale = published_batch(study.profile.biaxial)
    assert found["held-out loss"] == pytest.approx(scale * run.loss_on(study.music.held_out))
    at = study.profile.biaxial.checkpoints[-1]
    resolved, _ = endings(study.composed(run, at))
    assert found["ends on the tonic"] == pytest.approx(100 * resolved)
    assert "section 4" not in kept[PART.name].record
    numbers = numbers_of_kept(kept)
    assert numbers["section 4", "plain", "held-out loss"]["value"] == found["held-out loss"]
    assert not [key for key in numbers if key[:2] == ("section 4", "curriculum")]


def test_bars_that_the_lstm_cannot_play_are_counted():
    on, off = np.zeros((2, 16, 78, 2), np.uint8)
    on[4, 40], off[5, 40] = 1, 1  # struck at a sample, and between two
    off[6:9, 40, 0] = 1
    held = on.copy()
    held[5, 40, 0] = 1  # held, not struck
    table = np.stack([on, off, held]).reshape(3, -1)
    assert struck_between(table).tolist() == [False, True, False]
