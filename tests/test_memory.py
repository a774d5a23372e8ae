"""Freed memory is kept for its next use."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.processor

SCRIPT = """
import resource, sys
import torch
from musiclib.base.memory import keep_freed_memory
from musiclib.models import BiaxialConfig, build

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if sys.argv[1] == "keep":
    keep_freed_memory()
model = build(BiaxialConfig(time_sizes=(128,), note_sizes=(8,)))
music = torch.zeros(1, 128, 78, 2, dtype=torch.uint8)
for iteration in range(15):
    if iteration == 7:
        before = faults()
    model.loss(music)[0].backward()
print(faults() - before)  # of eight: in a single one the heap may grow once more
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_training_finds_its_memory_where_it_left_it():
    """Gates of 40 MB: eight iterations take every page anew, or hardly one."""
    faults = {}
    for mode in ("keep", "leave"):
        command = [sys.executable, "-c", SCRIPT, mode]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        faults[mode] = int(done.stdout)
    assert faults["keep"] * 10 < faults["leave"]
