"""Where wall time goes: parts that add up."""

import time

import pytest

from musiclib.base import wall_time
from musiclib.base.progress import Progress


@pytest.fixture(autouse=True)
def nothing_spent(monkeypatch):
    monkeypatch.setattr(wall_time, "_spent", {})
    monkeypatch.setattr(wall_time, "_ready", [])


def test_parts_are_what_was_waited_for_and_add_up(monkeypatch):
    monkeypatch.setenv(wall_time.BEGAN, str(int(time.time()) - 40))
    wall_time.ready()
    for _ in range(2):
        with Progress(1, "training"):
            time.sleep(0.15)
    time.sleep(0.2)
    parts = wall_time.breakdown()
    assert 40 <= parts["start-up"] < 42
    assert 0.3 <= parts["training"] < 2
    assert 0.2 <= parts["the rest"] < 2
    everything = parts.pop("all")
    assert sum(parts.values()) == pytest.approx(everything, abs=0.3)


def test_outside_make_the_clock_begins_with_the_import(monkeypatch):
    monkeypatch.delenv(wall_time.BEGAN, raising=False)
    monkeypatch.setattr(wall_time, "IMPORTED", time.time() - 10)
    wall_time.ready()
    wall_time.ready()
    assert 10 <= wall_time.breakdown()["start-up"] < 12
