"""Paths of users, and digests."""

import os
from itertools import combinations
from pathlib import Path

import pytest

from musiclib.base.errors import InputError
from musiclib.base.files import digest, expanded


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


def test_names_of_files_that_are_not_utf_8_are_told_apart():
    name = os.fsdecode(b"\xff\xfe.mid")
    assert digest(name) == digest(b"\xff\xfe.mid") != digest(os.fsdecode(b"\xfe\xff.mid"))
