"""Shards: a corpus on disk trains to the same weights as in memory; no other folder is read."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from strategies import random_states

from musiclib.base.errors import InputError
from musiclib.corpus import saved, shards
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import MODELS, batches_of
from musiclib.music.packed import Packed
from musiclib.paper.profiles import SMOKE
from musiclib.training.runs import RunConfig
from musiclib.training.train import train_run


@pytest.fixture(scope="module")
def corpus():
    """Twelve pieces in several sets, in memory, some of them in true bars of twelve steps."""
    rng = np.random.default_rng(0)
    pieces = []
    for seed in range(12):
        states = random_states(260 + seed, seed, 0.1, low=20, high=60)
        roll = rng.integers(0, 2, (150 + seed, 88), np.uint8)
        bars = (np.arange(len(states)) % 12).astype(np.uint16)
        pieces.append(Piece(f"{seed}.mid", states, roll, bars if seed % 3 else None))
    levels = {str(level): pieces[level : level + 1] for level in range(4)}
    left_out = {"short": ["a.mid"], "double": {"b.mid": "0.mid"}}
    return Corpus(levels | {"main": pieces[:10], "held-out": pieces[10:]}, **left_out)


@pytest.fixture(scope="module")
def folder(corpus, tmp_path_factory):
    place = tmp_path_factory.mktemp("corpora") / "music.shards"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD", 600)  # rows: so that there are several
        shards.write(corpus, place)
    return place


def test_a_corpus_in_shards_is_the_corpus(corpus, folder):
    on_disk = read_corpus(folder)
    assert len(list(folder.glob("states-*.npy"))) > 3
    assert list(on_disk.sets) == list(corpus.sets)
    assert on_disk.checksum == Corpus(on_disk.sets).checksum == corpus.checksum
    assert on_disk.left_out == corpus.left_out
    for name, pieces in corpus.sets.items():
        for one, other in zip(on_disk.sets[name], pieces, strict=True):
            assert isinstance(one.states, Packed) and one.name == other.name
            assert (one.key, one.traits) == (other.key, other.traits)
            for kind in ("states", "roll", "positions"):
                np.testing.assert_array_equal(getattr(one, kind), getattr(other, kind))
            assert (one.positions is None) == (other.positions is None)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_batches_from_disk_are_those_from_memory(corpus, folder, model, reverse):
    both = []
    for music in (corpus, read_corpus(folder)):
        prepared = prepare(music, normalise=True, reverse=reverse)
        both.append(batches_of(SMOKE.config(model), prepared.main))
    for iteration in range(5):
        draws = [b.draw(iteration, torch.Generator().manual_seed(iteration)) for b in both]
        assert draws[0][1] == draws[1][1]
        torch.testing.assert_close(draws[0][0], draws[1][0], rtol=0, atol=0)


@pytest.mark.parametrize("model", ["lstm", "rbm"])
def test_training_from_disk_gives_the_weights_of_training_from_memory(
    corpus, folder, model, tmp_path
):
    config = RunConfig(SMOKE.config(model), curriculum=True)
    runs = [
        train_run(config, music, tmp_path / where)
        for where, music in (("memory", corpus), ("disk", read_corpus(folder)))
    ]
    assert runs[0].directory.name == runs[1].directory.name
    mine, theirs = (load_file(run.weights()) for run in runs)
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name])


DAMAGES = {
    "no index": lambda place: (place / "index.npz").unlink(),
    "an index cut off": lambda place: (place / "index.npz").write_bytes(b"PK\x03\x04"),
    "a shard missing": lambda place: (place / "roll-0001.npy").unlink(),
    "a shard cut off": lambda place: cut(place / "states-0001.npy"),
    "a shard of pickles": lambda place: np.save(
        place / "states-0001.npy", np.array([{}] * 900), allow_pickle=True
    ),
    "a shard of other shape": lambda place: np.save(
        place / "states-0001.npy", np.zeros((9, 20), np.uint8)
    ),
}


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_a_whole_corpus_is_refused_by_name(folder, tmp_path, damage):
    place = tmp_path / "damaged.shards"
    shutil.copytree(folder, place)
    DAMAGES[damage](place)
    with pytest.raises(InputError, match=r"damaged\.shards"):
        read_corpus(place)


def test_a_folder_that_is_there_or_has_another_name_is_not_written_to(corpus, folder, tmp_path):
    with pytest.raises(InputError, match="exists already"):
        shards.write(corpus, folder)
    with pytest.raises(InputError, match=r"\.shards"):
        shards.write(corpus, tmp_path / "corpus")
    assert list(tmp_path.iterdir()) == []


def test_a_corpus_that_is_written_anew_in_the_same_place_is_read_anew(corpus, tmp_path):
    for pieces in (corpus.main[:3], corpus.main[5:8]):
        music = Corpus({"main": pieces, "held-out": corpus.held_out})
        shards.write(music, tmp_path / "same.shards")
        on_disk = read_corpus(tmp_path / "same.shards")
        for one, other in zip(on_disk.main, pieces, strict=True):
            np.testing.assert_array_equal(one.states, other.states)
        shutil.rmtree(tmp_path / "same.shards")


@pytest.mark.parametrize("suffix", ["npz", "shards"])
def test_true_bars_are_not_promised_where_none_were_saved(corpus, tmp_path, suffix):
    plain = {n: [p._replace(positions=None) for p in s] for n, s in corpus.sets.items()}
    write = shards.write if suffix == "shards" else saved.save
    write(Corpus(plain), tmp_path / f"plain.{suffix}")
    assert read_corpus(tmp_path / f"plain.{suffix}").metre == "paper"
    with pytest.raises(InputError, match="no true bars"):
        read_corpus(tmp_path / f"plain.{suffix}", metre="all")


def test_whatever_becomes_of_a_saved_corpus_it_is_read_or_refused(corpus, tmp_path):
    few = Corpus({"main": corpus.main[:1], "held-out": corpus.main[1:2]})
    saved.save(few, tmp_path / "few.npz")
    whole, rng = (tmp_path / "few.npz").read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        for at in rng.integers(len(whole), size=3):
            content[at] = rng.integers(256)
        (tmp_path / "few.npz").write_bytes(content)
        try:
            read_corpus(tmp_path / "few.npz")
        except InputError:
            refused += 1
    assert refused > 100
