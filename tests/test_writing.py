"""Writing files and folders: what was there, or what is new, and never neither."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from musiclib.base import aside, writing
from musiclib.base.aside import PREFIX, beside, tidy, without_aside
from musiclib.base.errors import InputError
from musiclib.base.writing import (
    must_be_writable,
    new_folder,
    replacing,
    replacing_all,
    replacing_folder,
    write_json,
    write_text,
)


@pytest.fixture(autouse=True)
def another_process():
    """Folders are tidied once in a process."""
    aside._tidied.cache_clear()


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_changes_only_when_the_block_is_done(tmp_path):
    path = tmp_path / "new" / "folder" / "a.mid"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists() and temporary.name == path.name
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_folders_that_were_made_for_a_file_go_with_it_where_it_fails(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(RuntimeError), replacing(tmp_path / "there/new/folder/a.mid"):
        raise RuntimeError
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_json_that_others_cannot_read_is_refused(tmp_path, value):
    path = tmp_path / "a.json"
    write_json(path, {"é": 1})
    with pytest.raises((ValueError, TypeError)):
        write_json(path, {"é": [1, value]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"é": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_names_that_are_not_utf_8_are_written_as_they_are(tmp_path):
    name = os.fsdecode(b"\xff\xfe.mid")
    write_text(tmp_path / "a.csv", f"{name},1")
    assert (tmp_path / "a.csv").read_bytes() == b"\xff\xfe.mid,1"
    write_json(tmp_path / "a.json", {name: "é"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {name: "é"}


def test_names_as_long_as_a_disk_takes_are_written(tmp_path):
    name = "a" * 251 + ".mid"
    write_text(tmp_path / name, "new")
    with new_folder(tmp_path / ("b" * 255)) as place:
        write_text(place / name, "new")
    assert (tmp_path / ("b" * 255) / name).read_text() == "new"


def test_rights_are_those_of_what_was_there_or_those_that_are_usual_here(tmp_path):
    usual = os.umask(0o027)
    try:
        write_text(tmp_path / "new", "")
        write_text(tmp_path / "own", "")
        (tmp_path / "own").chmod(0o600)
        write_text(tmp_path / "own", "again")
        with new_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(usual)
    rights = {p.name: oct(p.stat().st_mode & 0o777) for p in tmp_path.iterdir()}
    assert rights == {"new": "0o640", "own": "0o600", "folder": "0o750"}


def test_a_link_is_written_through_and_a_folder_is_no_file(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "elsewhere" / "a.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "elsewhere" / "a.txt").read_text() == "new"
    with pytest.raises(InputError, match="is a folder: name a file"):
        write_text(tmp_path / "elsewhere", "new")


def test_files_that_belong_together_change_together_or_not_at_all(tmp_path, monkeypatch):
    paths = [tmp_path / name for name in ("a.mid", "b.mp3", "c.txt")]
    for path in paths[:2]:
        path.write_text("old")
    real = Path.replace

    def fails(self, target):
        if Path(target).name == "c.txt":
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="output"), replacing_all(*paths) as places:
        for place in places:
            place.write_text("new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.mid": "old", "b.mp3": "old"}
    monkeypatch.undo()
    with replacing_all(*paths) as places:
        for place in places:
            place.write_text("new")
    assert [path.read_text() for path in paths] == ["new"] * 3


def test_what_two_write_at_once_is_that_of_one_of_them(tmp_path):
    paths = [tmp_path / "a.mid", tmp_path / "a.mp3"]

    def write(number):
        with replacing_all(*paths) as places:
            for place in places:
                place.write_text(str(number) * 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))
    assert len({path.read_text() for path in paths}) == 1
    assert sorted(tmp_path.iterdir()) == paths


def test_of_those_who_write_a_new_folder_the_first_does_and_the_others_hear_of_it(tmp_path):
    folder = tmp_path / "pieces"
    with new_folder(folder) as place:
        (place / "1.mid").write_text("first")
        with pytest.raises(InputError, match="another command is writing it"), new_folder(folder):
            raise AssertionError
    with pytest.raises(InputError, match="exists already"), new_folder(folder):
        raise AssertionError
    assert [p.name for p in tmp_path.rglob("*")] == ["pieces", "1.mid"]


def test_where_locks_tell_nothing_the_folder_that_is_there_first_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "held", lambda folder: False)
    with (
        pytest.raises(InputError, match="exists already"),
        new_folder(tmp_path / "a") as late,
        new_folder(tmp_path / "a") as early,
    ):
        (late / "1").write_text("late")
        (early / "1").write_text("early")
    assert (tmp_path / "a" / "1").read_text() in ("late", "early")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_what_was_finished_before_the_disk_was_full_stays_and_is_said(tmp_path):
    def written(partial, *names):
        with new_folder(tmp_path / "a", partial=partial) as place:
            for name in names:
                write_text(place / name, "whole")
            with replacing(place / "half") as temporary:
                temporary.write_text("ha")
                raise OSError(28, "No space left on device")

    for partial, names in ((True, []), (False, ["1"])):
        with pytest.raises(OSError, match="No space"):
            written(partial, *names)
        assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"no space left on the disk: .*/a has .* 2 whole files"):
        written(True, "1", "2")
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")} == {"a", "a/1", "a/2"}


def test_a_folder_is_replaced_whole_and_comes_back_where_its_writer_was_killed(tmp_path):
    folder = tmp_path / "site"
    for content in ("old", "new"):
        with replacing_folder(folder) as place:
            (place / content).write_text(content)
    assert [p.name for p in folder.iterdir()] == ["new"]
    with pytest.raises(RuntimeError), replacing_folder(folder):
        raise RuntimeError
    assert [p.name for p in folder.iterdir()] == ["new"]
    folder.rename(tmp_path / f"{writing.BEFORE}site")  # killed in this moment
    with pytest.raises(RuntimeError), replacing_folder(folder):
        raise RuntimeError
    assert [p.name for p in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_what_a_killed_writer_left_is_tidied_and_what_is_being_written_is_not(tmp_path):
    killed = (
        "import os, sys; from pathlib import Path; from musiclib.base.writing import replacing\n"
        "with replacing(Path(sys.argv[1])) as place:\n"
        "    place.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(tmp_path / "a.txt")], check=False)
    (tmp_path / f"{PREFIX}own.txt").write_text("of nobody here")
    assert len(list(tmp_path.iterdir())) == 2
    with beside(tmp_path) as place:  # the next writer tidies
        assert {p.name for p in tmp_path.iterdir()} == {f"{PREFIX}own.txt", place.name}
        tidy(tmp_path)
        assert place.is_dir()


def test_without_locks_on_a_disk_all_is_written_and_nothing_tidied(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    (tmp_path / f"{PREFIX}1").mkdir()
    with new_folder(tmp_path / "a") as place:
        write_text(place / "b", "new")
    with replacing_all(tmp_path / "c", tmp_path / "d") as places:
        for path in places:
            path.write_text("new")
    assert {p.name for p in tmp_path.iterdir()} == {f"{PREFIX}1", "a", "c", "d"}


def test_where_nothing_can_be_written_is_said_and_nothing_is_left_of_trying(tmp_path):
    (tmp_path / "file").write_text("")
    must_be_writable(tmp_path / "new" / "a.mid", 100_000)
    for path in (tmp_path / "file" / "a.mid", Path("/proc/a.mid"), tmp_path):
        with pytest.raises(InputError, match=r"name a(nother place| file)$"):
            must_be_writable(path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(
    shutil.which("mount") is None or os.geteuid() != 0, reason="mounting needs root"
)
def test_a_full_disk_is_found_before_the_work(tmp_path):
    mounted = ["mount", "-t", "tmpfs", "-o", "size=32k", "none", str(tmp_path)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    with ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", "-l", str(tmp_path)], check=False)
        must_be_writable(tmp_path / "a.mid", 4096)
        with pytest.raises(OSError, match="No space"):
            must_be_writable(tmp_path / "a.mid", 100_000)
        assert not list(tmp_path.iterdir())


def test_errors_name_places_without_where_they_were_written_aside():
    assert without_aside("/a/.writing-1-b/c/1.mid") == "/a/c/1.mid"
    assert without_aside(b"a.mid") == "a.mid"
