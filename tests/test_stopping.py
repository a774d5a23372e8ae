"""Being told to stop, at any moment: one sentence, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from musiclib.base.files import ROOT
from musiclib.base.stopping import Terminated, stoppable


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_such_signals_raise_what_an_interrupt_raises_and_no_longer_than_asked(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as caught, stoppable():
        os.kill(os.getpid(), number)
        time.sleep(1)
    assert caught.type is Terminated and signal.getsignal(number) is before


class Stopped:
    """Stopped while it is tidied up, where Python lets no exception out."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        os.kill(os.getpid(), self.number)
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_not_lost_where_nothing_can_be_raised(number):
    hook = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt) as caught, stoppable():
        stopped = Stopped(number)
        del stopped
        time.sleep(1)
    assert caught.type is (KeyboardInterrupt if number == signal.SIGINT else Terminated)
    assert sys.unraisablehook is hook


def test_what_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.0, 0.4, 4.0])
def test_a_command_that_is_stopped_says_so_and_leaves_nothing(number, seconds, tmp_path):
    line = ["compose", "--out", str(tmp_path / "new/pieces"), "--pieces", "25", "--bars", "400"]
    command = subprocess.Popen(
        [sys.executable, "-m", "musiclib", *line], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    time.sleep(seconds + 0.15)  # Python itself begins
    command.send_signal(number)
    said = command.communicate(timeout=60)[1]
    assert command.returncode == 128 + number and "Traceback" not in said
    assert [line for line in said.splitlines() if line.startswith("musiclib: ")] == [
        said.splitlines()[-1]
    ]
    assert not list(tmp_path.iterdir())
