"""What `arrays` accepts is what numpy reads; what claims more than it holds costs no memory."""

import os
import tracemalloc
import zipfile

import numpy as np
import pytest
from hostile import arrays_of, encrypted, mutants, npy, npz, other_arrays, with_member
from hypothesis import given
from hypothesis import strategies as st
from strategies import random_states

from musiclib.base.arrays import MOST_CONTENTS, npy_header, opened, opened_arrays
from musiclib.base.files import DAMAGED
from musiclib.base.memory import UNLIMITED, free_bytes, size

ARRAYS = {
    "states0": random_states(40, 0),
    "positions0": np.arange(40, dtype=np.uint16),
    "names": np.array(["a", "\udcff", "ü" * 30]),
    "about": np.array("{}"),
    "none": np.zeros((0, 3)),
}
WHOLE = npz(ARRAYS)


def assert_read_as_by_numpy(content):
    truth = arrays_of(content)
    with opened_arrays(content) as stored:
        assert set(stored) == set(truth)
        for name, array in truth.items():
            np.testing.assert_array_equal(stored[name], array)
            assert stored[name].dtype == array.dtype.newbyteorder("=")
            assert stored[name].flags.writeable and stored[name].flags.c_contiguous


@given(st.booleans(), st.data())
def test_arrays_are_those_that_numpy_reads(compress, data):
    assert_read_as_by_numpy(npz(data.draw(other_arrays(ARRAYS)), compress))


@given(mutants(WHOLE))
def test_of_a_damaged_file_nothing_is_read_that_numpy_would_read_otherwise(content):
    try:
        with opened_arrays(content) as stored:
            read = dict(stored)
    except DAMAGED:
        return
    truth = arrays_of(content)
    for name, array in read.items():
        np.testing.assert_array_equal(array, truth[name])


A_PIECE = ARRAYS["states0"]
LIES = {
    "a petabyte": npy(A_PIECE, shape=(10**13, 78, 2)),
    "more than a number holds": npy(A_PIECE, shape=(10**30, 78, 2)),
    "nothing, endlessly": npy(A_PIECE[:0], shape=(0, 10**40)),
    "less": npy(A_PIECE, shape=(39, 78, 2)),
    "a negative length": npy(A_PIECE, shape=(-40, 78, 2)),
    "objects": npy(A_PIECE, descr="|O"),
    "a record": npy(A_PIECE, descr=[("a", "<u1")]),
    "no header": b"<html>404</html>",
    "an unknown version": b"\x93NUMPY\x09\x00" + bytes(100),
    "a header of gigabytes": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(50_000_000),
    "nothing at all": b"",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_costs_no_memory(lie):
    content = with_member(WHOLE, "states0", LIES[lie])
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="states0: "), opened_arrays(content) as stored:
            stored["states0"]
        assert tracemalloc.get_traced_memory()[1] < 3e6
    finally:
        tracemalloc.stop()


def test_a_member_that_unpacks_to_more_than_it_says_is_not_unpacked(tmp_path):
    bomb = with_member(WHOLE, "states0", npy(np.zeros((500_000, 78, 2), np.uint8)))
    with zipfile.ZipFile(path := tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("states0.npy", npy(np.zeros((500_000, 78, 2), np.uint8)))
    honest = (500_000 * 156 + 128).to_bytes(4, "little")
    claimed = (40 * 156 + 128).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(honest, claimed))
    with pytest.raises(DAMAGED), opened_arrays(path) as stored:
        stored["states0"]
    with opened_arrays(bomb) as stored:
        assert stored["states0"].shape == (500_000, 78, 2)


def test_members_that_cannot_be_read_are_named():
    with pytest.raises(ValueError, match="encrypted"), opened_arrays(encrypted(WHOLE)):
        pass
    with pytest.raises(ValueError, match=r"a\.txt: it is no array"):  # noqa: SIM117
        with opened_arrays(with_member(WHOLE, "a", b"").replace(b"a.npy", b"a.txt")):
            pass


def test_an_array_that_is_there_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "twice.npz", "w") as archive:
        archive.writestr("a.npy", npy(A_PIECE))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", npy(A_PIECE))
    with pytest.raises(ValueError, match="a: it is there twice"):  # noqa: SIM117
        with opened_arrays(tmp_path / "twice.npz"):
            pass


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "empty", "huge"])
def test_only_regular_files_are_opened_and_at_once(kind, tmp_path):
    path = tmp_path / "x.npz"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
    if kind == "huge":
        os.truncate(path, 2**40)  # of which no byte is on the disk
    with pytest.raises(DAMAGED), opened_arrays(path):
        pass
    if kind in ("folder", "pipe", "device"):
        with pytest.raises(ValueError, match=r"it is (a folder|no regular file)"):
            opened(path)


def test_a_table_of_contents_of_gigabytes_is_not_read(tmp_path):
    path, length = tmp_path / "x.npz", MOST_CONTENTS + 100
    path.touch()
    os.truncate(path, length)
    ends = b"PK\x05\x06" + bytes(8) + length.to_bytes(4, "little") + bytes(6)
    with path.open("ab") as file:
        file.write(ends)
    with pytest.raises(ValueError, match="table of contents is too large"), opened_arrays(path):
        pass


def test_a_single_array_is_known_by_its_header(tmp_path):
    np.save(tmp_path / "a.npy", A_PIECE)
    assert npy_header(tmp_path / "a.npy")[:2] == (np.dtype("u1"), A_PIECE.shape)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"a\.npy: it claims"):
        npy_header(tmp_path / "a.npy")


def test_free_memory_is_the_least_of_machine_and_containers(tmp_path):
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    (proc / "self").mkdir(parents=True)
    assert free_bytes(proc, groups) <= UNLIMITED
    (proc / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable:    4000000 kB\n")
    assert free_bytes(proc, groups) == 4_000_000 * 1024
    (proc / "self" / "cgroup").write_text("4:memory,cpu:/a/b\n0::/c\n")
    for place, names, values in (
        ("c", ("max", "current"), ("max", "5")),
        ("", ("max", "current"), (3_000_000_000, 500_000_000)),
        ("memory/a", ("limit_in_bytes", "usage_in_bytes"), (2_000_000_000, 900_000_000)),
        ("memory/a/b", ("limit_in_bytes", "usage_in_bytes"), (2**63 - 4096, 5)),
    ):
        (groups / place).mkdir(parents=True, exist_ok=True)
        for name, value in zip(names, values, strict=True):
            (groups / place / f"memory.{name}").write_text(f"{value}\n")
    assert free_bytes(proc, groups) == 1_100_000_000
    (groups / "memory/a/memory.stat").write_text("cache 9\ntotal_inactive_file 600000000\n")
    assert free_bytes(proc, groups) == 1_700_000_000
    (groups / "memory.stat").write_text("inactive_file 100\n")
    (groups / "memory/a/memory.limit_in_bytes").write_text(str(2**63 - 4096))
    assert free_bytes(proc, groups) == 2_500_000_100


def test_sizes_are_told_in_words():
    assert [size(n) for n in (5, 1500, 3_100_000_000, 10**30)] == [
        *("5 bytes", "1.5 kB", "3.1 GB", "more than any machine has")
    ]
