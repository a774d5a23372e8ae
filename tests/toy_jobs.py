"""Jobs of `base.together` for tests; they import nothing heavy, so that processes start quickly."""

import os
import signal
import time

from musiclib.base.errors import InputError


def note(folder, number):
    """Leave a file that says which process this was."""
    (folder / str(number)).write_text(str(os.getpid()))


def refuse_or_wait(folder, number):
    """The last one refuses once the first waits, which is for ever."""
    note(folder, number)
    if number == 0:
        time.sleep(1000)
    while not (folder / "0").exists():
        time.sleep(0.01)
    raise InputError(f"job {number} does not like it")


def die_or_wait(folder, number):
    """As above, but killed."""
    try:
        refuse_or_wait(folder, number)
    except InputError:
        os.kill(os.getpid(), signal.SIGKILL)


def own_threads():
    """The threads that this process is told to compute with."""
    return os.environ["OMP_NUM_THREADS"]
