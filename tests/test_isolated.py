"""Calls in processes of their own: what dies, hangs or swallows memory fails alone."""

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from musiclib.base.errors import InputError
from musiclib.base.isolated import Isolated, Lost


def double(number):
    print("what a call prints does not disturb the answers")
    return 2 * number, os.getpid()


def refuse(number):
    raise InputError(f"{number} is refused")


def end(status):
    os._exit(status)


def crash():
    ctypes.string_at(0)


def swallow(megabytes):
    return len(np.ones(megabytes << 20, np.uint8))


@pytest.fixture
def isolated():
    with Isolated(2, seconds=20, memory=512 << 20) as executor:
        yield executor


def test_calls_are_answered_by_other_processes_and_raise_what_they_raise(isolated):
    answers = [future.result() for future in [isolated.submit(double, n) for n in range(20)]]
    assert [number for number, _ in answers] == list(range(0, 40, 2))
    assert os.getpid() not in {process for _, process in answers}
    with pytest.raises(InputError, match="7 is refused"):
        isolated.submit(refuse, number=7).result()


@pytest.mark.parametrize("call", [(end, 3), (crash,)])
def test_a_call_that_ends_its_process_fails_alone(isolated, call):
    futures = [isolated.submit(double, 1), isolated.submit(*call), isolated.submit(double, 2)]
    with pytest.raises(Lost, match="process ended"):
        futures[1].result()
    assert [futures[i].result()[0] for i in (0, 2)] == [2, 4]


def test_a_call_that_takes_too_long_fails_alone():
    with Isolated(1, seconds=2, memory=1 << 30) as executor:
        assert executor.submit(double, 1).result()[0] == 2
        began = time.monotonic()
        with pytest.raises(Lost, match="more than 2 s"):
            executor.submit(time.sleep, 60).result()
        assert executor.submit(double, 3).result()[0] == 6
        assert time.monotonic() - began < 20


def test_an_error_of_who_asks_waits_for_no_call():
    began = time.monotonic()
    with pytest.raises(KeyError), Isolated(4, seconds=60, memory=1 << 30) as executor:
        for future in [executor.submit(double, 1) for _ in range(4)]:
            future.result()
        late = [executor.submit(time.sleep, 50) for _ in range(30)]
        time.sleep(0.5)
        begun = len(executor.children)
        raise KeyError
    assert time.monotonic() - began < 30 and len(executor.children) == begun
    assert isinstance(late[0].exception(), Lost) and late[29].cancelled()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_call_that_asks_for_too_much_memory_fails_alone(isolated):
    with pytest.raises(MemoryError):
        isolated.submit(swallow, 2048).result()
    assert isolated.submit(swallow, 100).result() == 100 << 20


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


SCRIPT = """
import os
from musiclib.base.isolated import Isolated
from test_isolated import double
with Isolated(2, 60, 1 << 30) as executor:
    print(executor.submit(double, 4).result()[0], {child!r} and executor.children[0].process.pid)
    if {child!r}:
        executor.submit(__import__("time").sleep, 3)
        os.kill(os.getpid(), 9)
"""


def run_script(tmp_path, child):
    (tmp_path / "script.py").write_text(SCRIPT.format(child=child))
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        timeout=60,
        check=False,
    )


def test_a_script_needs_no_main_guard(tmp_path):
    done = run_script(tmp_path, child=0)
    assert done.returncode == 0 and done.stdout.split()[-2:] == ["8", "0"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc on this system")
def test_a_killed_parent_leaves_no_process_behind(tmp_path):
    pid = run_script(tmp_path, child=1).stdout.split()[-1]
    deadline = time.monotonic() + 30
    while runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)
