"""Fixtures shared by the tests."""

import re
import zipfile
from pathlib import Path

import pytest
import torch
from browser import browser, open_page  # noqa: F401 (fixtures)
from hypothesis import HealthCheck, settings
from real_pieces import shipped
from reasons import write_every_reason
from threadpoolctl import threadpool_limits

from musiclib.music.music21_scores import read_score
from musiclib.music.note_states import note_states

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
CHORALES = 110  # enough bars for statsmodels, which wants more rows than columns

slow_is_fine = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("usual", max_examples=25, derandomize=True, **slow_is_fine)
settings.register_profile("thorough", max_examples=500, **slow_is_fine)
settings.load_profile("usual")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Threads that compete cost more than they bring to networks as small as these."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    """A folder for tests that write the same file again and again."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="session")
def every_reason(tmp_path_factory):
    """A folder with a file, or two, for each reason to leave it out: see `reasons`."""
    write_every_reason(folder := tmp_path_factory.mktemp("reasons"))
    return folder


@pytest.fixture(scope="session")
def piano_midi():
    """The folder of 337 real piano pieces, where it is there."""
    folder = SHARED / "piano-midi"
    if not folder.is_dir():
        pytest.skip("the piano-midi corpus is not in ../shared/data")
    return folder


@pytest.fixture(scope="session")
def chorale_paths():
    """Bach chorales that music21 ships, evenly spread."""
    return shipped("bach", ".mxl", CHORALES)


@pytest.fixture(scope="session")
def chorales(chorale_paths):
    """Note states of the chorales, in the order of `chorale_paths`."""
    return [note_states(read_score(path)) for path in chorale_paths]


@pytest.fixture(scope="session")
def sharps(chorale_paths):
    """Sharps of each chorale's key signature (flats are negative), straight from its MusicXML."""
    return [_sharps(path) for path in chorale_paths]


def _sharps(path):
    with zipfile.ZipFile(path) as packed:
        score = next(name for name in packed.namelist() if not name.startswith("META-INF"))
        return int(re.search(rb"<fifths>(-?\d+)", packed.read(score))[1])
