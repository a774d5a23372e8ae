"""The study, on a small corpus: what is trained, composed, mended, judged and written down."""

import numpy as np
import pandas as pd
import pytest
from strategies import write_scales

from musiclib.base.errors import InputError
from musiclib.corpus.sets import states_of
from musiclib.metrics.bits_saved import bits_saved_of_pieces
from musiclib.metrics.isl import isl_of_pieces
from musiclib.music.bars import cell_frequencies, density, piece_bars
from musiclib.paper.results import number
from musiclib.paper.study import Study

KINDS, SEEDS, AT = ("plain", "own keys"), 2, 19


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A corpus of scales in several keys, each with a rhythm of its own, and a folder of runs."""
    place = tmp_path_factory.mktemp("study")
    write_scales(place / "music", keys=5)
    return place


@pytest.fixture(scope="module")
def study(folders):
    """With the biaxial RNN and the conditional RBM trained, and their pieces composed."""
    study = Study("smoke", str(folders / "music"), SEEDS, runs=folders / "runs")
    study.results, study.figures = folders / "results", folders / "figures"
    study.train("biaxial", KINDS)
    study.train("conditional-rbm", ("plain",))
    study.compose("biaxial", (AT,), KINDS, mended=True)
    return study


def files_of(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_what_is_trained_and_composed_is_found_again_and_not_made_twice(study):
    made = files_of(study.runs)
    runs = study.train("biaxial", KINDS)
    study.compose("biaxial", (AT,), KINDS, mended=True)
    assert files_of(study.runs) == made
    assert list(runs) == [(kind, seed) for kind in KINDS for seed in range(SEEDS)]
    for (kind, seed), run in runs.items():
        assert run == study.run("biaxial", kind, seed)
        assert run.config.normalise == (kind == "plain") and run.config.seed == seed


def test_composed_pieces_are_as_many_and_as_long_as_the_profile_says(study):
    first, other = (study.composed(study.run("biaxial", "plain", s), AT) for s in range(SEEDS))
    for pieces in (first, other):
        assert [len(piece) for piece in pieces] == [study.profile.steps] * study.profile.pieces
    assert any((one != two).any() for one, two in zip(first, other, strict=True))


def test_mended_pieces_lie_beside_those_that_were_composed(study):
    run = study.run("biaxial", "plain", 0)
    places = study.place(run, AT), study.place(run, AT, mended=True)
    assert places[0] != places[1]
    names = [sorted(path.name for path in place.iterdir()) for place in places]
    assert names[0] == names[1] == ["1.mid", "2.mid", "3.mid"]


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_judged_by_held_out_music_in_the_keys_that_their_network_heard(study, kind):
    table = study.scores("biaxial", (AT,), (kind,))
    music = study.music if kind == "plain" else study.corpus
    held_out, main = states_of(music.held_out), states_of(music.main)
    assert table["seed"].tolist() == list(range(SEEDS)) and set(table["checkpoint"]) == {AT}
    assert set(table["curriculum"]) == {kind} and table["learned"].tolist() == [False] * SEEDS
    for seed, row in table.set_index("seed").iterrows():
        pieces = study.composed(study.run("biaxial", kind, seed), AT)
        score = isl_of_pieces(pieces, held_out)
        expected = score.isl, score.dropped, score.held_out_bars
        np.testing.assert_allclose(
            row[["isl", "dropped", "held_out_bars"]].to_numpy(float), np.array(expected, float)
        )
        bits = bits_saved_of_pieces(pieces, held_out, cell_frequencies(main))
        assert row["bits"] == pytest.approx(bits.value)
        assert row["density"] == pytest.approx(density(pieces))


def test_the_corpora_of_both_kinds_of_judges_differ(study):
    (own, _), (home, _) = study.judges_as_read, study.judges
    assert any((one != two).any() for one, two in zip(own, home, strict=True))


def test_sets_of_pieces_are_judged_as_composed_folders_are(study):
    sets = [study.composed(study.run("biaxial", "plain", seed), AT) for seed in range(SEEDS)]
    scores = study.scores("biaxial", (AT,), ("plain",))
    judged = study.judge(sets)
    pd.testing.assert_frame_equal(judged, scores[judged.columns])


@pytest.mark.parametrize("count", [None, 5])
def test_real_music_in_place_of_composed_comes_from_main_and_has_as_many_bars(study, count):
    excerpts = study.real(0, count)
    wanted = study.profile.pieces * study.profile.steps // 16 if count is None else count
    assert sum(map(len, excerpts)) == 16 * wanted
    assert max(map(len, excerpts)) <= study.profile.steps
    known = {bar.tobytes() for bar in piece_bars(states_of(study.music.main))}
    assert {bar.tobytes() for bar in piece_bars(excerpts)} <= known
    assert [len(piece) for piece in study.real(0, count)] == [*map(len, excerpts)]


def test_numbers_are_found_again_by_their_keys_with_what_they_rest_on(study):
    numbers = {("biaxial", "plain", "loss", AT): number([1.5, None], "nats", n=3, learned=[1, 0])}
    study.save_result("03-train-biaxial", numbers)
    assert study.numbers("03-train-biaxial") == numbers
    assert study.unlearned and "did not learn" in study.label
    with pytest.raises(InputError, match=r"notebook 04-figure-3 was not run in .* make"):
        study.numbers("03-train-biaxial", "04-figure-3")


def test_a_run_that_was_not_trained_is_one_sentence_with_the_command_that_makes_it(study):
    with pytest.raises(InputError, match=r"^lstm plain, seed 0, is not trained .* make paper"):
        study.run("lstm", "plain", 0)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"profile": "quik"}, "unknown profile 'quik'"),
        ({"profile": "smoke", "seeds": 0}, "SEEDS=0"),
    ],
)
def test_parameters_that_do_not_exist_are_refused(parameters, words):
    with pytest.raises(InputError, match=words):
        Study(**parameters)
