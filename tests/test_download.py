"""Collections by download: right files or one sentence, and never half a file in place."""

import csv
import errno
import hashlib
import json
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from conftest import SHARED
from misbehaving_server import Server
from strategies import random_states

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.cli import main
from musiclib.corpus import assemble, collections, crew, download, named
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.collections import COLLECTIONS, PIANO_MIDI, Collection, Registered
from musiclib.corpus.division import with_levels
from musiclib.corpus.download import bring
from musiclib.corpus.levels import LEVEL_NAMES
from musiclib.corpus.sets import Corpus, Piece
from musiclib.paper import notebooks
from musiclib.paper.chosen import chosen_corpus
from musiclib.paper.study import Study

FILES = {
    f"{folder}/{n}.mid": f"{folder}{n}".encode() * (20 + 9 * n)
    for folder in ("Bach", "Liszt")
    for n in range(4)
}
REGISTERED = {
    path: Registered(hashlib.sha256(content).hexdigest(), len(content))
    for path, content in FILES.items()
}
QUICK = {"connect": 1.0, "read": 0.5, "file": 0.5, "silence": 1.5}
FOLDERS = {"piano-rolls": "boulanger"}  # of ../shared/data, where not as a collection is named
BAD = {
    "missing": "answers 404",
    "broken": "answers 500",
    "busy": "answers 429",
    "wrong": "holds other bytes than registered",
    "html": "sends 63 bytes where",
    "short": r"sends \d+ bytes where",
    "cut": r"cut it off after \d+ of",
    "other_part": "answers 206",
    "trickle": "is too slow",
    "trickled_head": "no answer for 1.5 s",
    "endless": "sends more than its",
    "silent": "does not answer in time",
    "loop": "without end",
    "nowhere": "does not speak HTTP as it should",
    "garbage": "cannot be reached|cut it off after 0",
}


@pytest.fixture
def server():
    """With a copy of the files, which a test may change."""
    server = Server(dict(FILES))
    yield server
    server.close()


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """A data folder of the test's own; no proxy stands before this machine."""
    monkeypatch.setattr(download, "DATA", tmp_path / "data")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "data"


def collection_of(*mirrors, files=REGISTERED):
    return Collection("some", "the folder midis of a shelf", "free", mirrors, files)


def there(folder):
    """Everything in a collection's folder, hidden files too, by path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_all_files_come_with_their_licence_and_the_second_time_nothing_is_asked_for(server, capsys):
    collection = collection_of(server.mirror("right"))
    folder = bring(collection)
    found = there(folder)
    licence = found.pop("LICENCE.txt").decode()
    assert found == FILES
    assert "free" in licence and "the folder midis of a shelf" in licence
    assert "free" in capsys.readouterr().err
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*.mid")} == {0o644}
    assert not (folder / crew.ASIDE).exists()
    assert sorted(path for _, path, _ in server.requests) == sorted(FILES)
    assert bring(collection) == folder
    assert len(server.requests) == len(FILES) and capsys.readouterr().err == ""


@pytest.mark.parametrize(("way", "words"), BAD.items())
def test_a_bad_mirror_ends_in_one_sentence_within_seconds_and_nothing_is_in_place(
    server, way, words
):
    started = time.monotonic()
    with pytest.raises(InputError, match=words) as error:
        bring(collection_of(server.mirror(way)), **QUICK)
    assert time.monotonic() - started < 6
    text = str(error.value)
    assert text.startswith("8 of 8 files of some are missing, the first Bach/0.mid, and could not")
    assert "put the files of the folder midis of a shelf into" in text and "\n" not in text
    assert there(download.DATA / "some") == {}


@pytest.mark.parametrize("way", sorted(BAD.keys() - {"trickled_head"}))
def test_where_a_mirror_is_bad_the_next_one_is_asked(server, way):
    folder = bring(collection_of(server.mirror(way), server.mirror("right")), **QUICK)
    assert there(folder).items() >= FILES.items()


@pytest.mark.parametrize("way", ["cut_once", "cut_and_resumed", "chunked", "moved", "slow"])
def test_odd_but_honest_servers_serve(server, way):
    found = there(bring(collection_of(server.mirror(way))))
    assert found.items() >= FILES.items() and len(found) == len(FILES) + 1


def test_a_body_that_was_cut_off_is_gone_on_with_where_it_ended(server):
    bring(collection_of(server.mirror("cut_and_resumed")))
    for path, content in FILES.items():
        parts = [part for _, asked, part in server.requests if asked == path]
        assert parts[0] is None and len(parts) > 1
        starts = [int(part.removeprefix("bytes=").removesuffix("-")) for part in parts[1:]]
        assert starts == sorted(set(starts)) and starts[0] > 0 and starts[-1] < len(content)
        assert starts[0] == 2 * len(content) // 3


def test_a_file_that_one_mirror_lacks_comes_from_the_next_one(server):
    lost = "Liszt/2.mid"
    del server.files[lost]
    other = Server({lost: FILES[lost]})
    try:
        folder = bring(collection_of(server.mirror("right"), other.mirror("right")))
        assert there(folder).items() >= FILES.items()
        assert [path for _, path, _ in other.requests] == [lost]
    finally:
        other.close()


def test_a_file_that_no_mirror_has_is_named_and_all_others_are_there(server):
    server.files = {path: c for path, c in FILES.items() if path != "Liszt/2.mid"}
    with pytest.raises(InputError, match=r"^1 of 8 files .* the first Liszt/2.mid, .*answers 404"):
        bring(collection_of(server.mirror("right")))
    found = there(download.DATA / "some")
    assert found.pop("LICENCE.txt") and found == server.files


def test_a_file_with_other_bytes_is_replaced_by_the_right_one_or_refused_by_name(server, data):
    for path, content in FILES.items():
        put(data / "some" / path, content)
    wrong = FILES["Bach/3.mid"][::-1]
    put(data / "some" / "Bach" / "3.mid", wrong)
    with pytest.raises(InputError, match=r"1 of 8 .*1 there with other bytes, the first Bach/3"):
        bring(collection_of(server.mirror("missing")))
    assert (data / "some" / "Bach" / "3.mid").read_bytes() == wrong
    bring(collection_of(server.mirror("right")))
    assert there(data / "some").items() >= FILES.items()
    assert [path for _, path, _ in server.requests] == ["Bach/3.mid"] * 2


def test_files_put_there_by_hand_are_used_and_others_there_are_left_alone(server, data):
    others = {"README.md": b"read", "manifest.csv": b"a,b", "Liszt/other.mid": b"MThd"}
    for path, content in (FILES | others).items():
        put(data / "some" / path, content)
    bring(collection_of(server.mirror("right")))
    assert there(data / "some") == FILES | others
    assert server.requests == [] and not list(data.glob(".*.lock"))


def closed_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def many(count):
    return {f"{n:04}.mid": Registered(hashlib.sha256(b"?").hexdigest(), 1) for n in range(count)}


def test_where_nothing_listens_the_sentence_comes_at_once_however_many_files_there_are():
    mirrors = (f"http://127.0.0.1:{closed_port()}/{n}/{{path}}" for n in range(3))
    started = time.monotonic()
    with pytest.raises(InputError, match=r"^1000 of 1000 .*127.0.0.1:\d+ cannot be reached"):
        bring(collection_of(*mirrors, files=many(1000)))
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(("way", "most"), [("busy", 3), ("missing", 30)])
def test_a_mirror_that_has_nothing_is_not_asked_for_every_file(server, way, most):
    mirrors = server.mirror(way), server.mirror("right")
    server.files |= dict.fromkeys(many(200), b"?")
    bring(collection_of(*mirrors, files=many(200)))
    asked = sum(way == asked for asked, *_ in server.requests)
    assert most <= asked < most + crew.THREADS


def test_a_disk_that_is_full_is_not_the_mirrors_fault(server, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        bring(collection_of(server.mirror("right")))
    assert there(download.DATA / "some") == {}


SCRIPT = """
import json, sys
from pathlib import Path
from musiclib.corpus import download
from musiclib.corpus.collections import Collection, Registered
data, mirror, files = sys.argv[1:]
download.DATA = Path(data)
files = {path: Registered(*file) for path, file in json.loads(files).items()}
download.bring(Collection("some", "", "", (mirror,), files))
"""


def test_killed_in_the_middle_and_started_again_it_goes_on_with_what_is_missing(server, data):
    arguments = str(data), server.mirror("slow"), json.dumps(REGISTERED)
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], cwd=ROOT)
    folder = data / "some"
    while len(found := list(folder.glob("[BL]*/*.mid"))) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.glob("[BL]*/*.mid")}
    assert found.items() <= FILES.items() and 2 <= len(found) < len(FILES)
    server.requests.clear()
    assert there(bring(collection_of(server.mirror("right")))).items() >= FILES.items()
    assert {path for _, path, _ in server.requests} == FILES.keys() - found.keys()
    assert not (folder / crew.ASIDE).exists()


def test_two_that_begin_at_once_do_not_download_twice(server):
    collection = collection_of(server.mirror("slow"))
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(bring, [collection] * 2))
    assert there(folders[1]).items() >= FILES.items()
    assert len(server.requests) == len(FILES)


def test_registries_hold_plain_relative_paths_and_as_many_files_as_the_sources_say():
    assert {name: len(c.files) for name, c in COLLECTIONS.items()} == {
        "piano-midi": 337,
        "nottingham": 1034,
        "piano-rolls": 4,
    }
    for collection in COLLECTIONS.values():
        for path, file in collection.files.items():
            assert all(part.strip("._") for part in PurePosixPath(path).parts), path
            assert path.endswith((".mid", ".mat")) and path[0].isalnum() and len(file.sha256) == 64
        assert all(m.startswith("https://") and "@main" not in m for m in collection.mirrors)


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(COLLECTIONS))
def test_registries_say_of_the_real_files_what_they_are(piano_midi, name):
    files, place = COLLECTIONS[name].files, SHARED / FOLDERS.get(name, name)
    real = {path: (place / path).read_bytes() for path in files}
    assert files == {p: (hashlib.sha256(c).hexdigest(), len(c)) for p, c in real.items()}


@pytest.fixture
def real(piano_midi, monkeypatch):
    """A server of the real files, which both collections name as their one mirror."""
    server = Server({})
    for name, collection in COLLECTIONS.items():
        place = SHARED / FOLDERS.get(name, name)
        server.files |= {path: (place / path).read_bytes() for path in collection.files}
        changed = replace(collection, mirrors=(server.mirror("right"),))
        monkeypatch.setitem(COLLECTIONS, name, changed)
    yield server
    server.close()


@pytest.mark.shared
def test_piano_midi_holds_out_bach_and_grades_the_easier_half_of_the_others(piano_midi, real):
    corpus = read_corpus("piano-midi")
    with (piano_midi / "manifest.csv").open(encoding="utf-8") as table:
        long = {r["path"]: r["composer"] for r in csv.DictReader(table) if r["orig_ge128"] == "1"}
    assert len(real.requests) == 337
    assert names(corpus.held_out) == {p for p in long if p.startswith("Bach/")}
    assert names(corpus.main) == {p for p in long if not p.startswith("Bach/")}
    assert {p.kind for p in corpus.held_out} == {"Bach"}
    assert tuple(corpus.levels) == LEVEL_NAMES
    graded = [name for pieces in corpus.levels.values() for name in names(pieces)]
    assert len(graded) == len(corpus.main) // 2 and set(graded) <= names(corpus.main)
    levels = list(corpus.difficulties().values())[:4]
    assert levels == sorted(levels)


def names(pieces):
    return {piece.name.removeprefix("piano-midi/") for piece in pieces}


@pytest.mark.shared
def test_nottingham_is_the_first_level_beside_piano_midi_and_all_of_main_alone(real):
    both = named.collection_sources("piano-midi+nottingham")
    assert list(both) == [LEVEL_NAMES[0], "main", "held-out"]
    assert [len(sources) for sources in both.values()] == [1034, 334, 3]
    assert len(real.requests) == 337 + 1034
    every = [source for sources in both.values() for source in sources]
    assert len({source.name for source in every}) == 337 + 1034
    assert all(source.path.is_file() for source in every)
    assert named.collection_sources("nottingham") == {"main": both[LEVEL_NAMES[0]]}


@pytest.mark.parametrize("given", [0, 1, 2, 3])
def test_levels_after_those_given_are_the_easier_half_of_main_from_easy_to_hard(given):
    rng = np.random.default_rng(given)
    main = [
        Piece(f"{n}", random_states(130, n, 0.05 + 0.04 * n, low=20, high=25 + 2 * n), [])
        for n in rng.permutation(24)
    ]
    first = {name: [Piece(name, main[0].states, [])] for name in LEVEL_NAMES[:given]}
    sets = with_levels(first | {"main": main, "held-out": main[:1]})
    assert list(sets) == [*LEVEL_NAMES, "main", "held-out"]
    assert all(sets[name] is pieces for name, pieces in first.items())
    made = [[int(p.name) for p in sets[name]] for name in LEVEL_NAMES[given:]]
    graded = [number for level in made for number in sorted(level)]
    assert graded == list(range(12))  # here the number is the difficulty
    assert len({len(level) for level in made}) == 1


@pytest.mark.parametrize("names", [LEVEL_NAMES, ("a", "b", "c", "d", "e"), LEVEL_NAMES[1:]])
def test_levels_that_are_all_there_or_named_otherwise_are_left_as_they_are(names):
    piece = Piece("p", random_states(130, 0), [])
    sets = {name: [piece] for name in (*names, "main", "held-out")}
    assert with_levels(sets) == sets


@pytest.fixture
def small(server, monkeypatch):
    """Collections of eight small files each."""
    for name, collection in COLLECTIONS.items():
        changed = replace(collection, files=REGISTERED, mirrors=(server.mirror("right"),))
        monkeypatch.setitem(COLLECTIONS, name, changed)
        monkeypatch.setattr(collections, name.upper().replace("-", "_"), changed)
    monkeypatch.setattr("musiclib.paper.chosen.PIANO_MIDI", COLLECTIONS["piano-midi"])
    return server


def test_a_name_means_the_collection_and_a_path_the_folder(small, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(assemble, "assemble", lambda sources, _: seen.append(sources) or Corpus({}))
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "piano-midi" / "mine.mid", b"MThd")
    read_corpus("piano-midi")
    read_corpus("./piano-midi")
    read_corpus(Path("piano-midi"))
    assert [list(sets) for sets in seen] == [["main", "held-out"], ["main"], ["main"]]
    assert [len(sets["main"]) for sets in seen] == [4, 1, 1]


def test_music21_may_be_named(monkeypatch):
    seen = []
    monkeypatch.setattr(
        assemble, "assemble_shipped", lambda sources, _: seen.append(sources) or Corpus({})
    )
    for corpus in (None, "", "music21"):
        read_corpus(corpus, limit=1)
    assert len(seen) == 3 and seen[0] == seen[1] == seen[2]


def test_the_paper_profile_takes_piano_midi_where_it_can_be_had(small, capsys):
    assert chosen_corpus("paper", "") == "music21"  # it only looks
    assert "music21's scores, not piano-midi: no " in capsys.readouterr().err
    assert Study("paper").folder_name == "music21"
    assert small.requests == []
    assert chosen_corpus("paper", "", download=True) == "piano-midi"
    assert len(small.requests) == len(FILES)
    assert chosen_corpus("paper", "") == "piano-midi"
    assert "corpus: piano-midi, in " in capsys.readouterr().err
    assert Study("paper").folder_name == Study("paper").folder == "piano-midi"


def test_no_other_profile_and_no_named_corpus_is_touched(small, capsys):
    for profile in ("quick", "smoke"):
        assert chosen_corpus(profile, "", download=True) == "music21"
    for corpus in ("music21", "my folder", "./piano-midi", "piano-midi", "a.npz"):
        assert chosen_corpus("paper", corpus, download=True) == corpus
    assert small.requests == [] and capsys.readouterr().err == ""


def test_without_a_network_the_paper_profile_says_so_and_takes_music21(small, capsys, monkeypatch):
    gone = replace(PIANO_MIDI, mirrors=(f"http://127.0.0.1:{closed_port()}/{{path}}",))
    monkeypatch.setattr("musiclib.paper.chosen.PIANO_MIDI", gone)
    assert chosen_corpus("paper", "", download=True) == "music21"
    told = capsys.readouterr().err
    assert "corpus: music21's scores, not piano-midi: 337 of 337 files" in told
    assert "cannot be reached" in told


def test_all_notebooks_of_a_make_use_the_corpus_that_check_chose(small, tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(notebooks, "run", lambda name, values: ran.append(values["corpus"]))
    stamp = ("--profile", "paper", "--stamp", str(tmp_path / "settings"))
    small.files.clear()
    main(["notebook", "check", *stamp])
    small.files |= FILES
    bring(COLLECTIONS["piano-midi"])  # between two notebooks
    main(["notebook", "01-corpus", *stamp])
    main(["notebook", "check", *stamp])
    main(["notebook", "01-corpus", *stamp])
    assert ran == ["music21", "piano-midi"]


def test_settings_of_a_named_corpus_change_with_its_files_and_ask_for_none(small, monkeypatch):
    values = {"profile": "smoke", "corpus": "piano-midi+nottingham", "seeds": 1}
    first = notebooks.settings(values)
    assert first == notebooks.settings(values)
    files = REGISTERED | {"Bach/0.mid": REGISTERED["Bach/1.mid"]}
    changed = replace(COLLECTIONS["nottingham"], files=files)
    monkeypatch.setitem(COLLECTIONS, "nottingham", changed)
    assert notebooks.settings(values) != first
    assert notebooks.settings(values | {"corpus": "piano-midi"}) != first
    assert small.requests == []


def test_the_data_command_brings_all_says_where_and_under_which_licence(small, data, capsys):
    main(["data"])
    first = capsys.readouterr().out.splitlines()
    assert first[0] == f"piano-midi: downloaded, 8 files in {data / 'piano-midi'}"
    assert "Bernd Krueger" in first[1] and "GNU General Public" in first[3]
    main(["data", "nottingham"])
    second = capsys.readouterr().out.splitlines()
    assert second[0] == f"nottingham: already here, 8 files in {data / 'nottingham'}"
    assert len(second) == 2 and len(small.requests) == len(COLLECTIONS) * len(FILES)
    with pytest.raises(SystemExit, match="no collection maestro: choose of piano-midi, nottingham"):
        main(["data", "maestro"])
