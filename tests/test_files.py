"""Writing files so that a failure never harms what was there."""

import json
import os
from itertools import combinations
from pathlib import Path

import pytest

from musiclib.base.errors import InputError
from musiclib.base.files import digest, expanded, replacing, write_json, write_text


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
        assert not path.exists()
        assert temporary.suffix == ".mid" and temporary.parent == path.parent
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_json_that_others_cannot_read_is_refused(tmp_path, value):
    path = tmp_path / "a.json"
    write_json(path, {"é": 1})
    with pytest.raises((ValueError, TypeError)):
        write_json(path, {"é": [1, value]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"é": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_the_home_of_a_user_who_is_not_there_is_one_sentence():
    assert expanded("~/a") == Path.home() / "a" and expanded("a") == Path("a")
    with pytest.raises(
        InputError, match=r"^~nosuchuser/a: no such user here; give the whole path$"
    ):
        expanded("~nosuchuser/a")


def test_digests_differ_where_the_parts_differ():
    parts = [(), ("",), ("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), (b"abd",)]
    for one, other in combinations(parts, 2):
        assert digest(*one) != digest(*other)
    assert digest("abc") == digest(b"abc") and len(digest("abc")) == 16


def test_names_of_files_that_are_not_utf_8_are_written_and_told_apart(tmp_path):
    name = os.fsdecode(b"\xff\xfe.mid")
    assert digest(name) == digest(b"\xff\xfe.mid") != digest(os.fsdecode(b"\xfe\xff.mid"))
    write_text(tmp_path / "a.csv", f"{name},1")
    assert (tmp_path / "a.csv").read_bytes() == b"\xff\xfe.mid,1"
    write_json(tmp_path / "a.json", {name: "é"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {name: "é"}
