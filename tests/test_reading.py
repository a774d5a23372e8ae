"""Reading collections: what costs a file costs no other, and large ones stay on disk."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future

import numpy as np
import pytest
from distributed import Client, LocalCluster
from strategies import random_states

from musiclib.base.errors import InputError
from musiclib.base.isolated import Isolated
from musiclib.cli import main
from musiclib.corpus import assemble, encoding, reading
from musiclib.corpus import cluster as clusters
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.reading import CachedRows, encode_all
from musiclib.corpus.sets import Piece
from musiclib.corpus.sources import Source, folder_sources
from musiclib.music.note_states import write_note_states
from musiclib.music.packed import Packed, unpack

PIECES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pieces of several lengths, one of them twice under other names."""
    place = tmp_path_factory.mktemp("music")
    for number in range(PIECES):
        states = random_states(130 + number, number, 0.1, low=20, high=60)
        write_note_states(states, place / f"{number:02}.mid")
    write_note_states(random_states(133, 3, 0.1, low=20, high=60), place / "z.mid", tempo=400_000)
    return place


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(assemble, "ON_DISK", tmp_path / "corpora")


def sources_of(folder):
    return folder_sources(folder)["main"]


def assert_the_same(read, expected):
    assert list(read) == list(expected)
    for mine, theirs in zip(read.values(), expected.values(), strict=True):
        np.testing.assert_array_equal(mine.states[:], theirs.states[:])
        np.testing.assert_array_equal(mine.roll[:], theirs.roll[:])
        assert mine.facts.told() == theirs.facts.told()


def test_files_are_read_in_the_order_given_each_to_its_own_notes(folder):
    sources = sources_of(folder)[::-1]
    read, failed = encode_all(sources)
    assert list(read) == sources and not failed
    for source, entry in list(read.items())[1:]:
        number = int(source.path.stem)
        states = unpack(entry.states, (78, 2))
        expected = random_states(130 + number, number, 0.1, low=20, high=60)
        np.testing.assert_array_equal(states, expected)


def encode_or_worse(contents):
    """As `encode_some`, but some names of tracks end the process, and some never end."""
    for content in contents:
        if b"crash" in content.data:
            os._exit(7)
        if b"hang" in content.data:
            time.sleep(600)
        if b"fault" in content.data:
            raise ZeroDivisionError("by a reader")
    return encoding.encode_some(contents)


class Worse(Isolated):
    def submit(self, function, /, *args):
        assert function is encoding.encode_some
        return super().submit(encode_or_worse, *args)


def test_a_file_that_crashes_its_reader_or_hangs_is_left_out_alone(folder, tmp_path):
    for name in ("crash", "hang", "fault"):
        text = name.encode()
        content = bytearray((folder / "00.mid").read_bytes())
        content[18:22] = (int.from_bytes(content[18:22]) + 4 + len(text)).to_bytes(4)
        content[22:22] = b"\x00\xff\x01" + bytes([len(text)]) + text
        (tmp_path / f"{name}.mid").write_bytes(content)
    sources = [*sources_of(folder), *sources_of(tmp_path)]
    expected, failed = encode_all(sources, cache=tmp_path / "other")
    assert not failed and len(expected) == PIECES + 4
    with Worse(2, seconds=5, memory=1 << 30) as worse:
        read, failed = encode_all(sources, executor=worse)
    assert_the_same(read, {s: e for s, e in expected.items() if s.path.parent == folder})
    reasons = {source.name: reason for source, reason in failed.items()}
    assert "crash.mid: reading it failed, its process ended (7)" in reasons["crash.mid"]
    assert "hang.mid: reading it failed, it took more than 5 s" in reasons["hang.mid"]
    assert "fault.mid: reading it failed, ZeroDivisionError: by a reader" in reasons["fault.mid"]


def test_a_folder_for_the_cache_that_cannot_be_written_is_said_once(folder, tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    read, failed = encode_all(sources_of(folder), cache=tmp_path / "file")
    assert len(read) == PIECES + 1 and not failed
    assert capsys.readouterr().err.count("what is read is not kept") == 1


def test_a_collection_too_large_for_memory_stays_in_the_cache(folder, monkeypatch):
    expected, _ = encode_all(sources_of(folder))
    monkeypatch.setattr(reading, "IN_MEMORY", 1000)
    for _ in range(2):  # read anew, then from the cache
        read, _ = encode_all(sources_of(folder))
        assert_the_same(read, expected)
        in_memory = [e for e in read.values() if not isinstance(e.states, CachedRows)]
        assert 1000 < sum(entry.facts.steps for entry in in_memory) < 1200


@pytest.mark.parametrize("metre", ["paper", "all"])
def test_a_corpus_too_large_for_memory_is_the_same_in_shards(folder, monkeypatch, metre):
    small = read_corpus(folder, metre=metre)
    assert isinstance(small.main[0].states, np.ndarray)
    for module in (reading, assemble):
        monkeypatch.setattr(module, "IN_MEMORY", 1000)
    for _ in range(2):  # written, then found
        large = read_corpus(folder, metre=metre)
        assert isinstance(large.main[0].states, Packed)
        assert (large.main[0].positions is None) == (metre == "paper")
        assert vars(large)["checksum"] == small.checksum  # which it knows without computing it
        assert type(large)(large.sets).checksum == small.checksum
        assert large.double == {"z.mid": "03.mid"} and large.left_out == small.left_out
    assert len(list(assemble.ON_DISK.glob("*.shards"))) == 1


def test_a_script_without_a_main_guard_reads(folder, tmp_path):
    script = "from musiclib.corpus.assemble import read_corpus\nprint(len(read_corpus({!r}).main))"
    (tmp_path / "script.py").write_text(script.format(str(folder)))
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        capture_output=True,
        text=True,
        env=os.environ | {"MUSICLIB_ROOT": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert int(done.stdout) == len(read_corpus(folder).main)


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as local:
        yield local


def test_on_a_cluster_that_loses_a_worker_the_result_is_the_same(folder, cluster, monkeypatch):
    expected, _ = encode_all(sources_of(folder))
    monkeypatch.setattr(reading, "TOGETHER", 2)
    with Client(cluster) as client:
        victims = iter(client.run(os.getpid).values())

        class Dying(type(client.get_executor())):
            def submit(self, function, *args):
                if victim := next(victims, None) if self.calls == 3 else None:
                    os.kill(victim, signal.SIGKILL)
                self.calls += 1
                return super().submit(function, *args)

        executor = Dying(client)
        executor.calls = 0
        read, failed = encode_all(sources_of(folder), executor=executor, cache=folder / "cache")
        assert executor.calls > 10
    assert not failed
    assert_the_same(read, expected)


def test_what_shares_passages_is_held_out_together(tmp_path):
    """Twelve pieces in four versions each, whose first half is the same."""
    for piece in range(12):
        half = random_states(400, piece, 0.1, low=20, high=60)
        for version in range(4):
            other = random_states(80, 1000 + 4 * piece + version, 0.1, low=20, high=60)
            moved = np.roll(np.concatenate([half, other]), version, axis=1)
            write_note_states(moved, tmp_path / f"{piece:02}-{version}.mid")
    corpus = read_corpus(tmp_path)
    assert corpus.leaked == []
    held_out = {piece.name.split("-")[0] for piece in corpus.held_out}
    assert len(held_out) == 2 and len(corpus.held_out) == 8  # at most 48 / 5
    assert not held_out & {piece.name.split("-")[0] for piece in corpus.main}


def test_one_family_at_least_is_held_out_even_if_it_is_large():
    states = [random_states(600, seed, 0.1, low=20, high=60) for seed in (0, 0, 0, 1, 1, 1, 1)]
    pieces = [Piece(str(i), piece, piece) for i, piece in enumerate(states)]
    held_out = assemble.with_held_out({"main": pieces})["held-out"]
    assert [piece.name for piece in held_out] == ["0", "1", "2"]


def test_a_source_that_is_gone_is_named(folder, tmp_path):
    read, failed = encode_all([Source("a", tmp_path / "a.mid"), *sources_of(folder)[:1]])
    assert len(read) == 1
    assert list(failed.values()) == [
        f"{tmp_path / 'a.mid'}: it is not there, or is a link that leads nowhere; leave it out"
    ]
    with pytest.raises(InputError, match="no folder"):
        read_corpus(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"^~nosuchuser/x: no such user"):
        read_corpus("~nosuchuser/x")


def test_a_command_reads_on_a_cluster_and_says_where_none_answers(
    folder, cluster, capsys, monkeypatch
):
    monkeypatch.setattr(clusters, "PATIENCE", "2s")
    main(["corpus", str(folder), "--no-minutes", "--json"])
    here = json.loads(capsys.readouterr().out)
    main(["corpus", str(folder), "--no-minutes", "--json", "--cluster", cluster.scheduler_address])
    assert json.loads(capsys.readouterr().out) == here
    with pytest.raises(
        SystemExit, match=r"no scheduler answers at tcp://127.0.0.1:9 .*: start one"
    ):
        main(["corpus", str(folder), "--cluster", "tcp://127.0.0.1:9"])
    with pytest.raises(SystemExit, match=r"no scheduler answers at tls://host:1 .*: start one"):
        main(["corpus", str(folder), "--cluster", "tls://host:1"])


def test_of_many_bad_files_the_first_are_named_and_the_others_counted(folder, tmp_path):
    for number in range(30):
        (tmp_path / f"bad{number:02}.mid").write_bytes(b"<html>")
    for path in sources_of(folder):
        (tmp_path / path.name).symlink_to(path.path)
    lines = read_corpus(tmp_path).complaints()
    assert sum("bad" in line for line in lines) == 20
    assert "10 more" in lines[20] and "30 not readable" in lines[21]


def test_whatever_becomes_of_the_cache_the_same_is_read(folder):
    source, rng = sources_of(folder)[5], np.random.default_rng(1)
    expected, _ = encode_all([source], metre="all")
    [entry] = reading.CACHE.rglob("*.npz")
    whole, anew = entry.read_bytes(), 0
    for _ in range(150):
        content = bytearray(whole)
        for at in rng.integers(len(whole), size=2):
            content[at] = rng.integers(256)
        entry.write_bytes(content)
        if reading.cached(wanted := next(reading._wanted([source], "all", reading.CACHE, {}))):
            found = reading.cached(wanted)
            np.testing.assert_array_equal(found.states, expected[source].states)
            assert found.positions is not None
        else:
            anew += 1
    assert anew > 30
    entry.write_bytes(whole[: len(whole) // 2])
    assert_the_same(encode_all([source], metre="all")[0], expected)


def test_a_large_corpus_that_was_damaged_is_written_anew(folder, monkeypatch):
    for module in (reading, assemble):
        monkeypatch.setattr(module, "IN_MEMORY", 1000)
    first = read_corpus(folder)
    [place] = assemble.ON_DISK.glob("*.shards")
    (place / "states-0000.npy").write_bytes(b"")
    again = read_corpus(folder)
    np.testing.assert_array_equal(again.main[3].states, first.main[3].states)
    assert again.checksum == first.checksum


class Silent(Executor):
    """Workers that never answer, or whose cluster has ended."""

    def __init__(self, ended=False):
        self.ended = ended

    def submit(self, _function, *_args):
        future = Future()
        if self.ended:
            future.cancel()
            future.set_running_or_notify_cancel()
        return future


def test_workers_that_never_answer_are_not_waited_for_for_ever(folder, monkeypatch):
    monkeypatch.setattr(reading, "SCORE_SECONDS", 0.2)
    read, failed = encode_all(sources_of(folder), executor=Silent())
    assert not read and len(failed) == PIECES + 1
    assert all("took more than 0 s" in reason for reason in failed.values())
    with pytest.raises(InputError, match="has ended"):
        encode_all(sources_of(folder), executor=Silent(ended=True))


def test_a_link_with_a_name_that_is_too_long_is_left_out(folder, tmp_path):
    (tmp_path / "long.mid").symlink_to("x" * 200 + "/" + "y" * 255 + "z" * 255)
    read, failed = encode_all([*sources_of(tmp_path), *sources_of(folder)])
    assert len(read) == PIECES + 1 and len(failed) == 1


def test_of_a_level_of_one_piece_none_is_held_out():
    states = [random_states(600, seed, 0.1, low=20, high=60) for seed in range(9)]
    pieces = [Piece(str(i), piece, piece) for i, piece in enumerate(states)]
    sets = assemble.with_held_out({"1": pieces[:1], "main": pieces[1:]})
    assert [len(sets[name]) for name in ("1", "main", "held-out")] == [1, 6, 2]


def test_a_metre_that_no_one_writes_is_not_told(folder, tmp_path):
    content = bytearray((folder / "00.mid").read_bytes())
    signs = b"".join(b"\x00\xff\x58\x04" + bytes([4, power, 24, 8]) for power in (2, 255))
    content[18:22] = (int.from_bytes(content[18:22]) + len(signs)).to_bytes(4)
    content[22:22] = signs
    (tmp_path / "odd.mid").write_bytes(content)
    [entry] = encode_all(sources_of(tmp_path))[0].values()
    assert entry.facts.metres == ("4/4",)
