"""A disk that fails at a write, fsync or rename: 0 lost, 0 mixed; `make faults` tries them all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NAMES = ("compose", "compose-sound", "compose-folder", "mend", "corpus", "corpus-shards", "train")
TRIES = int(os.environ.get("FAULTS", 9))  # of each command; 0: all
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="calls are caught as Linux loads libraries"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler for the failing disk"),
]


@pytest.fixture(scope="module")
def failing_disk(tmp_path_factory):
    library = tmp_path_factory.mktemp("disk") / "failing_disk.so"
    source = str(HERE / "failing_disk.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), source, "-ldl"], check=True)
    return str(library)


@pytest.mark.parametrize("command", NAMES)
def test_whichever_call_fails_files_are_old_or_new_and_the_next_try_makes_them(
    command, failing_disk, tmp_path
):
    line = [sys.executable, str(HERE / "on_a_failing_disk.py"), command, str(tmp_path / "tries")]
    environment = os.environ | {"LD_PRELOAD": failing_disk, "OMP_NUM_THREADS": "1"}
    told = subprocess.run(
        [*line, str(TRIES)], env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "tries, 0 faults" in told.stdout
