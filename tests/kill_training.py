"""Kill a training by SIGKILL at random moments, and see that it ends as if nothing had happened.

    python tests/kill_training.py 20 FOLDER train biaxial --profile smoke --iterations 400 ...

runs `python -m musiclib train ... --save-every 0.5` once undisturbed, and then killed so many times
and started again each time; the files that differ are printed, and make it fail.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "MUSICLIB_LOG": "1"}


def begun(arguments, runs, errors):
    """The command, as the leader of a process group of its own."""
    command = [sys.executable, "-m", "musiclib", *arguments, "--runs", str(runs)]
    return subprocess.Popen(
        [*command, "--save-every", "0.5"],
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True,
    )


def trained(arguments, runs):
    """The seconds that an undisturbed training takes, and the files that it leaves."""
    began = time.monotonic()
    _end(arguments, runs)
    return time.monotonic() - began, files_of(runs)


def killed(arguments, runs, kills, seconds, draws):
    """Kill it so many times within `seconds` of its start, all its processes or the first alone.

    Where it comes to its end meanwhile, and after the last kill, what files it leaves; then it
    begins anew.
    """
    ended = []
    while kills:
        with TemporaryFile() as errors:
            process = begun(arguments, runs, errors)
            time.sleep(draws.uniform(0, seconds))
            if met := process.poll() is None:
                draws.choice((os.kill, os.killpg))(process.pid, signal.SIGKILL)
                kills -= 1
            process.wait()
        if not (met and kills):
            _end(arguments, runs)
            ended.append(files_of(runs))
            shutil.rmtree(runs)
    return ended


def _end(arguments, runs):
    with TemporaryFile() as errors:
        process = begun(arguments, runs, errors)
        if process.wait():
            errors.seek(0)
            raise RuntimeError(errors.read().decode())


def files_of(runs):
    """What every file in the folder of the one run holds, but for the record, which has seconds."""
    [run] = runs.iterdir()
    return {p.name: None if p.name == "run.json" else p.read_bytes() for p in run.iterdir()}


def differing(one, other):
    """The files that are not the same, or not on both sides."""
    return sorted(
        name for name in one.keys() | other.keys() if one.get(name, 0) != other.get(name, 0)
    )


def main(kills, folder, *arguments):
    """Once undisturbed, once killed."""
    draws = random.Random(" ".join(arguments))
    seconds, whole = trained(arguments, Path(folder) / "whole")
    ended = killed(arguments, Path(folder) / "killed", int(kills), seconds, draws)
    wrong = [found for left in ended if (found := differing(whole, left))]
    print(f"{seconds:.1f} s undisturbed, {len(whole)} files; {kills} kills, after which it came")
    print(f"to its end {len(ended)} times, {len(ended) - len(wrong)} of them with the same files")
    sys.exit(f"not the same: {wrong}" if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
