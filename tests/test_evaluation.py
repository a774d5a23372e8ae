"""All metrics at once: what the record holds, and what stands in for generated music."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hand_states, scale_piece

from musiclib.base.errors import InputError
from musiclib.metrics.evaluation import as_many, evaluate, stand_in, table

NAMES = [
    "bits saved",
    "two-sample accuracy",
    "precision",
    "recall",
    "published ISL",
    "dropped",
    "density",
    "notes in common",
    "copied run",
]
SHARES = ("two-sample accuracy", "precision", "recall", "dropped", "notes in common")


def music(seeds, steps=80, root=60):
    return {f"{seed}.mid": scale_piece(root, steps, seed) for seed in seeds}


@pytest.fixture(scope="module")
def generated():
    return music(range(3), steps=90)


@pytest.fixture(scope="module")
def held_out():
    return music(range(10, 14))


@pytest.fixture(scope="module")
def by_itself(generated, held_out):
    """The record without a reference."""
    return evaluate(generated, held_out)


@pytest.fixture(scope="module")
def by_reference(generated, held_out):
    """The record where two of the reference pieces are what is generated, and one held out."""
    own = list(generated.items())[:2] + list(held_out.items())[:1]
    return evaluate(generated, held_out, dict(own) | music(range(20, 25), root=67))


def numbers(metric):
    return [metric[key] for key in ("value", "low", "high")]


def test_a_record_is_json_without_nan_and_has_all_metrics(by_itself, by_reference):
    for record in (by_itself, by_reference):
        assert json.loads(json.dumps(record, allow_nan=False)) == record
        assert list(record["metrics"]) == NAMES
        for name, metric in record["metrics"].items():
            assert metric["unit"] and metric["value"] is not None and metric["n"] > 0
            for value, low, high in (numbers(metric), numbers(metric["real music"])):
                assert low is None or low <= value <= high
                assert name not in SHARES or value is None or 0 <= value <= 1


def test_the_music_is_counted_as_it_is(generated, held_out, by_itself, by_reference):
    counts = {"pieces": 3, "steps": 270, "bars": 15}
    for record in (by_itself, by_reference):
        assert record["generated"] == counts
        assert record["held_out"] == {"pieces": 4, "steps": 320, "bars": 20}
    assert by_itself["reference"] == {"is_held_out": True, **by_itself["held_out"]}
    assert by_reference["reference"]["is_held_out"] is False
    assert by_reference["reference"]["pieces"] == 2 + 1 + 5
    sounding = sum(int(piece[..., 0].sum()) for piece in generated.values())
    density = by_itself["metrics"]["density"]
    assert (density["value"], density["n"]) == (pytest.approx(sounding / 270), 270)
    notes = sum(int(piece.sum()) for piece in held_out.values())
    assert by_itself["metrics"]["bits saved"]["n"] == notes


def test_what_the_published_metric_drops_is_what_differs_where_all_are_alike(
    generated, held_out, by_itself
):
    first, *others = held_out.values()
    made, judged = (
        np.concatenate(pieces)[: sum(map(len, pieces)) // 16 * 16].reshape(-1, 2496)
        for pieces in (list(generated.values()), [first, first, *others])
    )
    alike = (made == made[0]).all(axis=0)
    dropped = (judged[:, alike] != made[0, alike]).any(axis=1)
    metrics = by_itself["metrics"]
    assert metrics["dropped"]["value"] == pytest.approx(dropped.mean())
    assert metrics["dropped"]["n"] == len(judged) == 25
    assert metrics["published ISL"]["n"] == (~dropped).sum()


def test_copies_of_the_reference_are_told(generated, by_itself, by_reference):
    copies = {copy["piece"]: copy for copy in by_reference["plagiarism"]}
    assert list(copies) == list(generated)
    first, second, third = copies.values()
    for copy in (first, second):
        assert copy["nearest"]["share"] == 1
        assert copy["nearest"]["training_piece"] == copy["piece"]
        assert copy["copied_run"]["bars"] == 5
    assert third["copied_run"]["bars"] < 5
    worst = by_reference["metrics"]
    assert worst["notes in common"]["value"] == worst["notes in common"]["real music"]["value"] == 1
    assert worst["copied run"]["value"] == worst["copied run"]["real music"]["value"] == 5
    assert by_itself["metrics"]["copied run"]["value"] < 5


def test_without_a_reference_real_music_is_not_searched_for_copies_of_itself(by_itself):
    for name in ("notes in common", "copied run"):
        assert numbers(by_itself["metrics"][name]["real music"]) == [None] * 3


def test_the_reference_changes_bits_saved_and_nothing_else_of_the_generated_music(
    by_itself, by_reference
):
    for name in NAMES[:-2]:
        one, other = (numbers(record["metrics"][name]) for record in (by_itself, by_reference))
        assert (one == other) == (name != "bits saved")


def test_one_bar_and_one_held_out_piece_leave_gaps_and_not_nan():
    record = evaluate({"new": scale_piece(steps=16)}, {"old": scale_piece(steps=40, seed=1)})
    json.dumps(record, allow_nan=False)
    metrics = record["metrics"]
    for name in ("two-sample accuracy", "precision", "recall"):
        assert numbers(metrics[name]) == [None] * 3
    for name in NAMES:
        assert numbers(metrics[name]["real music"]) == [None] * 3
        assert (metrics[name]["low"], metrics[name]["high"]) == (None, None)
    assert np.isfinite(metrics["bits saved"]["value"])
    assert "none" in table(record)


@pytest.mark.parametrize("useless", [scale_piece(steps=15), hand_states(64)])
def test_real_music_that_cannot_be_judged_is_no_fault_of_the_generated(useless, generated):
    record = evaluate(generated, {"old": scale_piece(), "useless": useless})
    json.dumps(record, allow_nan=False)
    assert np.isfinite(record["metrics"]["bits saved"]["value"])
    assert numbers(record["metrics"]["bits saved"]["real music"]) == [None] * 3


def test_silence_is_judged_and_found_dropping_all_that_sounds(held_out):
    record = evaluate({"silence": hand_states(160)}, held_out)
    json.dumps(record, allow_nan=False)
    metrics = record["metrics"]
    assert metrics["published ISL"]["value"] is None
    assert metrics["dropped"]["value"] == 1
    assert metrics["density"]["value"] == metrics["copied run"]["value"] == 0
    assert metrics["bits saved"]["value"] < -5
    assert record["plagiarism"][0]["nearest"] is None


@pytest.mark.parametrize(
    ("made", "kept"), [(scale_piece(steps=15), scale_piece()), (scale_piece(), hand_states(64))]
)
def test_music_without_a_bar_or_a_held_out_note_is_refused(made, kept):
    with pytest.raises(InputError, match=r"too little music|no note"):
        evaluate({"made": made}, {"kept": kept})


@given(
    st.lists(st.integers(0, 150), max_size=5),
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(0, 2**32),
)
def test_excerpts_hold_as_many_bars_as_asked_and_none_twice(lengths, count, longest, seed):
    pieces = {f"{i}": 100 * i + np.arange(steps) for i, steps in enumerate(lengths)}
    drawn = as_many(pieces, count, longest, seed)
    bars = []
    for name, excerpt in drawn.items():
        piece, step = name.split(", step ")
        np.testing.assert_array_equal(excerpt, pieces[piece][int(step) :][: len(excerpt)])
        assert len(excerpt) <= 16 * longest
        bars += [(piece, int(step) + 16 * i) for i in range(len(excerpt) // 16)]
    there = sum(steps // 16 for steps in lengths)
    assert len(bars) == len(set(bars)) == min(count, there)


def test_every_piece_gives_an_excerpt_before_any_gives_a_second():
    pieces = {f"{i}": np.arange(320) for i in range(10)}
    drawn = as_many(pieces, 14 * 4, 4, 0)
    assert len({name.split(",")[0] for name in list(drawn)[:10]}) == 10 < len(drawn) == 14


def test_excerpts_differ_by_seed_alone():
    pieces = {f"{i}": np.arange(160) for i in range(20)}
    first, again, other = (list(as_many(pieces, 30, 4, seed)) for seed in (1, 1, 2))
    assert first == again and set(first) != set(other)


def test_real_music_stands_in_with_as_many_bars_or_one_half_for_the_other(generated, held_out):
    reference = music(range(20, 24), steps=160)
    pretended, judged = stand_in(generated, held_out, reference)
    assert sum(len(piece) // 16 for piece in pretended.values()) == 15
    assert max(map(len, pretended.values())) == 80  # no longer than what is generated
    assert judged is held_out
    halves = stand_in(generated, held_out, None)
    assert [len(half) for half in halves] == [2, 2]
    assert set(halves[0]) | set(halves[1]) == set(held_out)


def test_the_table_has_a_line_a_metric_with_its_numbers_and_unit(by_reference):
    head, *lines = table(by_reference).splitlines()
    assert head.split() == ["metric", "generated", "real", "music", "reads"]
    assert len(lines) == len(NAMES)
    for line, (name, metric) in zip(lines, by_reference["metrics"].items(), strict=True):
        assert line.startswith(f"{name}  ")
        assert line.endswith(metric["unit"])
        for value in numbers(metric)[:1] + numbers(metric["real music"])[:1]:
            assert f"{value:.4g}" in line
