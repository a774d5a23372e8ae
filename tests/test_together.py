"""Jobs that need one another: all end where one fails, and what is said is why."""

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from toy_jobs import die_or_wait, note, refuse_or_wait

from musiclib.base.errors import InputError
from musiclib.base.together import together


def left(folder):
    """Processes of the jobs that still run."""
    pids = [path.read_text() for path in folder.iterdir()]
    return [pid for pid in pids if Path("/proc", pid).exists()]


def call(job, folder):
    together(job, [(folder, number) for number in range(2)], "test", total=2, done=lambda: 0)


def test_each_job_has_a_process_of_its_own(tmp_path):
    call(note, tmp_path)
    assert len({path.read_text() for path in tmp_path.iterdir()}) == 2
    assert not left(tmp_path)


@pytest.mark.parametrize(
    ("job", "error", "words"),
    [
        (refuse_or_wait, InputError, "job 1 does not like it"),
        (die_or_wait, BrokenProcessPool, "killed"),
    ],
)
def test_where_one_fails_the_others_are_ended(job, error, words, tmp_path):
    with pytest.raises(error, match=words):
        call(job, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert not left(tmp_path)
