"""The four piano-roll sets: what is read, what is refused, and what needs no network on them."""

import shutil

import numpy as np
import pytest
from conftest import SHARED
from scipy.io import savemat

from musiclib.base.errors import InputError
from musiclib.corpus import download
from musiclib.corpus.frame_sets import FILES, PARTS, read_frame_set, training_corpus
from musiclib.metrics.frame_baselines import SMOOTHING, even_odds, first_order, independent_keys

NAME = "JSB chorales"
SIZES = {  # pieces to train on, to choose by and to test with
    "JSB chorales": (229, 76, 77),
    "MuseData": (524, 135, 124),
    "Nottingham": (694, 173, 170),
    "Piano-midi.de": (87, 12, 25),
}
KNOWN = {  # test log-likelihood per frame, computed elsewhere: independent, first order
    "JSB chorales": (-11.06, -10.49),
    "MuseData": (-11.51, -8.56),
    "Nottingham": (-10.25, -5.15),
    "Piano-midi.de": (-11.05, -8.26),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the files lie; every byte counts as right."""
    monkeypatch.setattr(download, "DATA", tmp_path)
    monkeypatch.setattr(download, "wanting", lambda collection: [])
    (tmp_path / "piano-rolls").mkdir()
    return tmp_path / "piano-rolls"


@pytest.fixture
def real(folder):
    """The real sets, where they are there."""
    if not (SHARED / "boulanger").is_dir():
        pytest.skip("the piano-roll sets are not in ../shared/data")
    for name in FILES.values():
        shutil.copy(SHARED / "boulanger" / name, folder)
    return folder


def rolls(seed, count=3, keys=88):
    rng = np.random.default_rng(seed)
    return [(rng.random((rng.integers(1, 40), keys)) < 0.1).astype(np.uint8) for _ in range(count)]


def write(folder, parts):
    """A file of MATLAB's as the sets come: a row of cells, numbers as floats."""
    cells = {}
    for part, pieces in parts.items():
        cells[part] = np.empty((1, len(pieces)), object)
        for i, piece in enumerate(pieces):
            cells[part][0, i] = piece.astype(float)
    savemat(folder / FILES[NAME], cells)


def test_a_set_is_read_as_it_was_written(folder):
    written = {part: rolls(seed) for seed, part in enumerate(PARTS.values())}
    write(folder, written)
    for read, kept in zip(read_frame_set(NAME), written.values(), strict=True):
        assert all(roll.dtype == np.uint8 for roll in read)
        assert all(np.array_equal(*pair) for pair in zip(read, kept, strict=True))


def test_the_corpus_holds_the_validation_pieces_out_and_has_no_test_piece(folder):
    write(folder, {part: rolls(seed) for seed, part in enumerate(PARTS.values())})
    corpus, pieces = training_corpus(NAME), read_frame_set(NAME)
    assert list(corpus.sets) == ["main", "held-out"]
    for side, kept in ((corpus.main, pieces.train), (corpus.held_out, pieces.validation)):
        assert all(np.array_equal(p.roll, roll) for p, roll in zip(side, kept, strict=True))


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"traindata": rolls(0), "validdata": rolls(1)}, "testdata"),
        (dict.fromkeys(PARTS.values(), rolls(0, keys=78)), r"shape \(\d+, 78\)"),
        ({part: [2 * roll for roll in rolls(0)] for part in PARTS.values()}, "other numbers"),
    ],
)
def test_another_file_is_refused_in_one_sentence(folder, parts, reason):
    write(folder, parts)
    with pytest.raises(InputError, match=rf"JSB_Chorales.mat: not a set of piano rolls.*{reason}"):
        read_frame_set(NAME)


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0", bytes(500)])
def test_what_is_no_file_of_matlabs_is_refused(folder, content):
    (folder / FILES[NAME]).write_bytes(content)
    with pytest.raises(InputError, match="not a set of piano rolls"):
        read_frame_set(NAME)


def test_an_unknown_set_is_named():
    with pytest.raises(InputError, match="unknown set 'JSB': choose one of JSB chorales, MuseData"):
        read_frame_set("JSB")


def test_baselines_are_naive_sums():
    train, test = rolls(4), rolls(5)
    down = np.concatenate(train).sum(axis=0)
    frames = sum(map(len, train))
    total = after = pairs = 0.0
    for roll in test:
        for t, frame in enumerate(roll):
            for key in range(88):
                p = (down[key] + SMOOTHING) / (frames + 2 * SMOOTHING)
                total += np.log(p if frame[key] else 1 - p)
                if t:
                    was = roll[t - 1, key]
                    seen = [
                        r[s, key] for r in train for s in range(1, len(r)) if r[s - 1, key] == was
                    ]
                    p = (sum(seen) + SMOOTHING) / (len(seen) + 2 * SMOOTHING)
                    after += np.log(p if frame[key] else 1 - p)
            pairs += t > 0
    assert independent_keys(train, test) == pytest.approx(total / sum(map(len, test)))
    assert first_order(train, test) == pytest.approx(after / pairs)


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_real_sets_have_the_known_sizes_and_baselines(real, name):
    pieces = read_frame_set(name)
    assert tuple(map(len, pieces)) == SIZES[name]
    found = independent_keys(pieces.train, pieces.test), first_order(pieces.train, pieces.test)
    assert found == pytest.approx(KNOWN[name], abs=0.01)
    assert even_odds(pieces.test) == pytest.approx(-60.997, abs=5e-4)
