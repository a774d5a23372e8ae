"""What became of every file of a corpus: held against a folder counted by hand."""

import gc
import json
import math
import weakref
from collections import Counter
from statistics import median

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from reasons import REASONS

from musiclib.corpus import saved, shards
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.difficulty import traits
from musiclib.corpus.report import summary
from musiclib.corpus.report_rows import KINDS, files_of, table
from musiclib.corpus.report_text import lines, rows
from musiclib.corpus.sets import Corpus
from musiclib.models import MODELS
from musiclib.music.keys import estimate_key
from musiclib.music.note_states import read_note_states
from musiclib.music.packed import Lazy
from musiclib.paper import expected, figures
from musiclib.paper.chosen import described
from musiclib.paper.contents import alternative, contents
from musiclib.paper.profiles import SMOKE


@pytest.fixture(scope="module")
def corpus(every_reason):
    return read_corpus(every_reason)


@pytest.fixture(scope="module")
def files(corpus):
    return files_of(corpus)


@pytest.fixture
def of(files):
    return {file.file.removeprefix("main/"): file for file in files}


def test_every_file_has_a_row_with_the_reason_that_it_was_made_for(files):
    assert tuple(REASONS) == KINDS
    found = {kind: {file.file for file in files if file.reason == kind} for kind in KINDS}
    assert found == REASONS
    assert [file.file for file in files] == sorted(file.file for file in files)


def test_sentences_say_why(of):
    assert of["waltz.mid"].sentence == "a metre that is not 2 or 4 begins after 1 of 241 steps"
    assert of["short.mid"].sentence == "127 steps, under 128"
    assert of["high.mid"].sentence == "none of its 40 notes is among the pitches 24 to 101"
    assert of["copy.mid"].sentence == "it has the notes of main/0.mid"
    assert of["bytes.mid"].sentence.startswith("too large: 20,000,001 bytes is more than the")
    assert of["long.mid"].sentence.startswith("too large: 300,0")
    assert of["broken.mid"].sentence.startswith("it does not begin as a MIDI file does")
    assert "161 of 241 steps, to a metre that is not 2 or 4" in of["cut.mid"].sentence
    assert of["some.mid"].sentence.endswith("3 of 43 notes out of range")


def test_a_row_tells_of_a_file_what_a_loop_over_its_notes_counts(every_reason, files, corpus):
    sets = {name: {piece.name for piece in pieces} for name, pieces in corpus.sets.items()}
    for file in files:
        assert set(file.sets) == {name for name in sets if file.file in sets[name]}
        if file.reason != "used":
            continue
        states = read_note_states(every_reason / file.file)
        sounding = [note for note in range(78) if states[:, note, 0].any()]
        assert file.steps == len(states)
        assert file.notes_per_step == pytest.approx(states[..., 0].sum() / len(states))
        assert file.onsets_per_step == pytest.approx(states[..., 1].sum() / len(states))
        assert file.range_semitones == max(sounding) - min(sounding)
        key = estimate_key(states)
        assert file.confidence == pytest.approx(key.confidence)
        assert file.key.split()[-1] == key.mode


def test_metres_notes_and_keys_are_those_that_were_written(of):
    assert of["waltz.mid"].metres == ("3/4",) and of["cut.mid"].metres == ("4/4", "3/4")
    assert of["0.mid"].metres == ()
    assert (of["some.mid"].notes, of["some.mid"].notes_out_of_range) == (40, 3)
    assert of["in D.mid"].key == "D major" and of["in D.mid"].confidence > 0.5
    assert of["silent.mid"].key is None and of["broken.mid"].steps is None


def test_difficulties_of_files_are_those_whose_means_sets_have(files, corpus):
    for name, hard in corpus.difficulties().items():
        own = [file.difficulty for file in files if name in file.sets]
        assert np.mean(own) == pytest.approx(hard)


def test_the_summary_counts_sets_reasons_and_what_the_metre_rule_costs(files, corpus):
    told = summary(corpus, files)
    assert told["files_found"] == sum(map(len, REASONS.values())) == 18
    assert told["files_used"] == 9
    for name, of in told["sets"].items():
        states = [np.asarray(piece.states) for piece in corpus.sets[name]]
        steps = sum(map(len, states))
        assert (of["pieces"], of["steps"]) == (len(states), steps)
        assert of["notes_per_step"] == pytest.approx(sum(s[..., 0].sum() for s in states) / steps)
    assert {kind: of["files"] for kind, of in told["reasons"].items()} == {
        kind: len(names) for kind, names in REASONS.items()
    }
    rule = told["metre_rule"]
    assert rule["steps_lost"] == 240 + 80  # of the waltz, and of the piece that is cut
    assert (rule["files_left_out"], rule["files_cut"]) == (1, 1)
    assert (told["notes_out_of_range"], told["files_with_notes_out_of_range"]) == (3, 1)
    assert told["metres"] == {"none": 11, "4/4": 3, "3/4": 2}
    keys = [file for file in files if file.key == "D major" and file.reason == "used"]
    assert told["keys"]["D major"]["files"] == len(keys)
    assert told["keys"]["D major"]["confidence"] == median(file.confidence for file in keys)
    json.dumps([told, *(file._asdict() for file in files)], allow_nan=False)


def test_read_in_all_metres_nothing_is_cut_and_the_rule_costs_nothing(every_reason):
    corpus = read_corpus(every_reason, metre="all")
    files = files_of(corpus)
    of = {file.file: file for file in files}
    assert of["main/waltz.mid"].reason == of["main/cut.mid"].reason == "used"
    assert of["main/cut.mid"].steps == 241
    told = summary(corpus, files)
    assert told["metre"] == "all" and told["metre_rule"] is None
    assert told["reasons"]["metre"]["files"] == 0
    assert any("it costs nothing" in line for line in lines(told))


@pytest.mark.parametrize("kept", ["npz", "shards"])
def test_a_saved_corpus_is_reported_as_far_as_it_is_known(corpus, files, tmp_path, kept):
    path = tmp_path / f"corpus.{kept}"
    (saved.save if kept == "npz" else shards.write)(corpus, path)
    again = {file.file: file for file in files_of(read_corpus(path))}
    assert Counter(f.reason for f in again.values()) == Counter(
        {"out of range": "without notes", "metre": "too short"}.get(f.reason, f.reason)
        for f in files  # of files left out their facts are not kept
    )
    for file in files:
        if file.reason == "used":
            other = again[file.file]
            assert (file.steps, file.key, file.sets) == (other.steps, other.key, other.sets)
            assert other.metres == (None if kept == "npz" else file.metres)
    told = summary(read_corpus(path), list(again.values()))
    assert (told["metre_rule"] is None) == (kept == "npz")
    assert "\n".join(lines(told)).count("not kept in a saved .npz") == 2 * (kept == "npz")


def test_the_report_looks_at_no_notes_and_the_picture_at_those_of_a_piece_at_a_time(corpus):
    alive, most = weakref.WeakSet(), 0

    def lazy(piece, make):
        return piece._replace(states=Lazy(len(piece.states), (78, 2), make))

    class Array(np.ndarray):
        """An array that can be counted: those of numpy have no hash."""

        __hash__ = object.__hash__

    def counted(piece):
        def make():
            nonlocal most
            gc.collect()
            made = np.array(piece.states).view(Array)
            alive.add(made)
            most = max(most, len(alive))
            return made

        return lazy(piece, make)

    def refused():
        raise AssertionError("the notes were looked at")

    def with_states(change):
        sets = {name: [change(p) for p in pieces] for name, pieces in corpus.sets.items()}
        return Corpus(sets, **corpus.left_out, files=corpus.files)

    unread = with_states(lambda piece: lazy(piece, refused))
    files = files_of(unread)
    summary(unread, files)
    assert contents(with_states(counted), files).equals(contents(corpus, files))
    assert 0 < most <= 2


def test_the_table_has_a_row_a_file_and_nothing_where_nothing_is_known(files, tmp_path):
    table(files).to_csv(tmp_path / "files.csv", index=False)
    read = pd.read_csv(tmp_path / "files.csv").set_index("file")
    assert len(read) == len(files)
    assert read.loc["main/cut.mid", "metres"] == "4/4, 3/4"
    assert read.loc["main/cut.mid", "steps_in_all_metres"] == 241
    assert math.isnan(read.loc["main/broken.mid", "steps"])


def test_the_text_has_a_line_a_set_and_reason_and_file_and_is_no_wider_than_it_says(files, corpus):
    text = list(lines(summary(corpus, files)))
    assert text[0] == "18 files: 9 used, 9 left out"
    for kind, names in REASONS.items():
        shown = [line for line in text if line.startswith(f"{kind}  ")]
        assert len(shown) == (kind != "used")
        assert all(f" {len(names)}  " in line and min(names) in line for line in shown)
    assert any(line.startswith("held-out") and " 1 " in line and "140" in line for line in text)
    assert max(map(len, text)) <= 100
    per_file = list(rows(files))
    assert len(per_file) == 1 + len(files)
    assert [line.split("  ")[0] for line in per_file[1:]] == [file.file for file in files]


def test_the_picture_draws_what_a_loop_counts(files, corpus):
    data = contents(corpus, files)
    pieces = {p.name: np.asarray(p.states) for s in corpus.sets.values() for p in s}
    trained = [states for name, states in pieces.items() if name != "held-out/bach.mid"]
    counts = sum(states[..., 0].sum(axis=0, dtype=int) for states in trained)
    first = data["group"] == "trained on, 8 pieces"
    shares = data[first & (data["panel"] == "pitches")]
    np.testing.assert_allclose(shares["y"].astype(float), 100 * counts / counts.sum())
    assert shares["x"].tolist() == list(range(24, 102))
    for panel, values in {
        "densities": [traits(states)[1] for states in trained],
        "lengths": [len(states) for states in trained],
    }.items():
        rows = data[first & (data["panel"] == panel)]
        edges, shown = rows["x"].to_numpy(float), rows["y"].to_numpy(float)
        assert shown.sum() == pytest.approx(100)
        for low, high, share in zip(edges, edges[1:], shown, strict=False):
            inside = [v for v in values if low - 1e-9 <= v < high - 1e-9 or v == high == edges[-1]]
            assert share == pytest.approx(100 * len(inside) / len(values))
    keys = data[data["panel"] == "keys"]
    assert keys["y"].sum() == len(pieces)
    roll = data[data["panel"].str.startswith("hardest of main: ")]
    states = pieces[roll["panel"].iloc[0].partition(": ")[2]]
    assert len(roll) == states[:128, :, 0].sum()
    assert (roll["group"] == "struck").sum() == states[:128, :, 1].sum()
    figure = figures.contents(data)
    drawn = figure.axes[0].patches[0].get_data().values
    np.testing.assert_allclose(drawn, shares["y"].astype(float))
    bars = sum(patch.get_height() for patch in figure.axes[3].patches)
    assert bars == len(pieces)
    assert [axes.get_title().partition(":")[0] for axes in figure.axes[4:]] == [
        f"{which} of main" for which in ("easiest", "middle", "hardest")
    ]
    assert "most frequent: " in alternative(summary(corpus, files))
    plt.close(figure)


def test_pieces_that_begin_with_silence_are_drawn_from_their_first_note_on(corpus, files):
    def late(piece):
        return piece._replace(states=np.pad(piece.states, ((130, 0), (0, 0), (0, 0))))

    sets = {name: list(map(late, pieces)) for name, pieces in corpus.sets.items()}
    at_once, later = (contents(of, files) for of in (corpus, Corpus(sets, files=corpus.files)))
    rolls = at_once["panel"].str.contains(" of main: ")
    assert rolls.sum() > 100
    figure = figures.contents(later)
    for axes, (_, roll) in zip(
        figure.axes[4:], later[rolls].groupby("panel", sort=False), strict=True
    ):
        assert roll["x"].min() == 0
        whole = next(boxes for boxes in axes.collections if boxes.get_label() == "held")
        lengths = [np.ptp(path.vertices[:, 0]).round() for path in whole.get_paths()]
        assert sum(lengths) == len(roll)
    plt.close(figure)


def test_expected_minutes_are_iterations_times_what_one_took(corpus):
    seconds = {"lstm": 2.0, "biaxial": 3.0, "rbm": 0.5, "conditional-rbm": 60.0}
    seconds |= {"biaxial-roll": 4.0}
    names = {type(SMOKE.config(name)): name for name in MODELS}
    found = expected.expected(SMOKE, corpus, lambda config, _: seconds[names[type(config)]])
    told = {network.model: network.told() for network in found}
    assert list(told) == list(MODELS)
    samples = sum(len(piece.roll) for piece in corpus.main)
    lanes = min(32, samples // 41)
    epoch = (samples // lanes - 32 - 9) // 9 + 1  # windows of 32, a step every 9, shifted
    plain = {"lstm": 3 * epoch, "biaxial": 20, "rbm": 20, "conditional-rbm": 20}
    plain |= {"biaxial-roll": 20}
    levels = {"lstm": 3, "biaxial": 1, "rbm": 500, "conditional-rbm": 500}
    levels |= {"biaxial-roll": 100}
    for name, of in told.items():
        assert of["iterations"] == plain[name]
        assert of["minutes"] == pytest.approx(plain[name] * seconds[name] / 60)
        with_levels = plain[name] + 4 * levels[name]
        assert of["minutes_with_curriculum"] == pytest.approx(with_levels * seconds[name] / 60)
    assert told["conditional-rbm"]["in_words"] == "about 20 minutes"


def test_what_cannot_be_trained_on_a_corpus_says_why(corpus):
    few = Corpus({"main": [p._replace(roll=p.roll[:5]) for p in corpus.main[:1]], "held-out": []})
    found = expected.expected(SMOKE, few, lambda *_: 1.0)
    assert "too few for windows" in found[0].told()["why_not"]
    assert found[1].told()["iterations"] == 20


class Clock:
    """A clock on which the first iteration takes so long, and each of the others so long."""

    def __init__(self, first, others):
        self.now, self.calls, self.first, self.others = 0.0, 0, first, others

    def __call__(self):
        self.calls += 1
        if self.calls % 2 == 0:  # the end of an iteration
            self.now += self.first if self.calls == 2 else self.others
        return self.now


@pytest.mark.parametrize(
    ("first", "others", "iterations", "seconds"),
    [(7.0, 0.5, 6, 0.5), (7.0, 5.0, 2, 5.0), (16.0, 5.0, 1, 16.0), (0.1, 0.001, 31, 0.001)],
)
def test_an_iteration_is_timed_after_a_first_one_unless_that_is_slow(
    corpus, first, others, iterations, seconds
):
    clock, config = Clock(first, others), SMOKE.config("rbm")
    main = MODELS["rbm"].model.batches(config, [piece.states for piece in corpus.main])
    assert expected.timed(config, main, clock) == pytest.approx(seconds)
    assert clock.calls == 2 * iterations


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "under a minute"),
        (60, "about 1 minute"),
        (500, "about 8 minutes"),
        (570, "about 10 minutes"),
        (2350, "about 40 minutes"),
        (3500, "about 1 hour"),
        (5225, "about 1.5 hours"),
        (50_000, "about 14 hours"),
        (533_000, "about 6 days"),
    ],
)
def test_times_are_rounded_to_what_is_known(seconds, words):
    assert expected.about(seconds) == words


@pytest.mark.parametrize(
    ("corpus", "words", "others"),
    [
        ("music21", "Bach's chorales", "piano-midi"),
        ("piano-midi", "piano-midi.de", "music21"),
        ("piano-midi+nottingham", "first level is folk tunes", "music21"),
        ("nottingham", "one piece in five", "Bach"),
        ("my/piano-midi", "the folder piano-midi", "Bach"),
        ("my/chopin op.10", "the folder chopin op.10", "saved"),
        ("my/music.npz", "the saved corpus music.npz", "folder"),
        ("my/music.shards", "the saved corpus music.shards", "folder"),
    ],
)
def test_a_corpus_is_described_as_what_it_is_and_not_as_another(corpus, words, others):
    assert words in described(corpus) and others not in described(corpus)
