"""Jobs side by side: results in order, the first fault at once, no worker left."""

import os
import time

import pytest

from musiclib.base.errors import InputError
from musiclib.base.parallel import cores, side_by_side


def slower_first(number):
    time.sleep(0.2 if number == 0 else 0.0)
    return number, os.getpid()


def refuse(number, folder):
    if number == 0:
        raise InputError("the first one is refused")
    time.sleep(0.5)
    (folder / str(number)).touch()


def test_results_come_in_the_order_of_the_arguments_from_other_processes():
    results = side_by_side(slower_first, [(i,) for i in range(4)], "testing", workers=2)
    assert [number for number, _ in results] == [0, 1, 2, 3]
    assert os.getpid() not in {process for _, process in results}


def test_no_jobs_start_no_process():
    assert side_by_side(slower_first, [], "testing") == []


def test_the_first_fault_is_raised_and_what_has_not_begun_does_not_begin(tmp_path):
    with pytest.raises(InputError, match="the first one is refused"):
        side_by_side(refuse, [(i, tmp_path) for i in range(30)], "testing", workers=2)
    assert len(list(tmp_path.iterdir())) < 29


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_cores_are_those_that_this_process_may_use():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)
