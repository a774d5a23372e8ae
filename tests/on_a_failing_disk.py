"""Commands on a disk that fails, or on which they die, at each write, fsync and rename in turn.

Run with `failing_disk.c` before libc: `python on_a_failing_disk.py COMMAND FOLDER [TRIES]`, which
are all there are if not said otherwise. Every try is a fork, so that libraries are loaded once.
Prints what does not hold, a line each.
"""

import ctypes
import hashlib
import io
import os
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from strategies import scale_piece, write_scales

from musiclib.cli import main
from musiclib.corpus import saved
from musiclib.corpus.assemble import read_corpus
from musiclib.exploring.shipped import FOLDER as SHIPPED
from musiclib.music.note_states import write_note_states
from musiclib.training import train as training

NEVER, ONCE, FROM_THEN_ON, DIE_BEFORE, DIE_AFTER = range(5)
FAILS, DIES = (ONCE, FROM_THEN_ON), (DIE_BEFORE, DIE_AFTER)
KILLED = -9
OLD = b"old"
disk = ctypes.CDLL(None)


class Command:
    """A command line, what was there before, and what it makes."""

    def __init__(self, name, music):
        self.name = name
        self.line, self.targets = {
            "compose": (["compose", "--bars", "2", "--out", "{}/a.mid"], ["a.mid"]),
            "compose-sound": (
                ["compose", "--bars", "1", "--out", "{}/a.mid", "--audio", "{}/a.wav"],
                ["a.mid", "a.wav"],
            ),
            "compose-folder": (
                ["compose", "--bars", "1", "--pieces", "3", "--out", "{}/new/pieces"],
                ["new/pieces"],
            ),
            "mend": (["mend", "conditional-rbm", f"{music}/few", "{}/mended"], ["mended"]),
            "corpus": (
                ["corpus", f"{music}/corpus.npz", "--no-minutes", "--save", "{}/c.npz"],
                ["c.npz"],
            ),
            "corpus-shards": (
                ["corpus", f"{music}/corpus.npz", "--no-minutes", "--save", "{}/c.shards"],
                ["c.shards"],
            ),
            "train": (
                [
                    *("train", "biaxial", "--profile", "smoke", "--runs", "{}/runs"),
                    *("--corpus", f"{music}/corpus.npz", "--iterations", "4", "--save-every", "0"),
                ],
                [],
            ),
        }[name]

    @property
    def replaces(self):
        """Whether files of the same names are there before."""
        return all(Path(target).suffix in (".mid", ".wav", ".npz") for target in self.targets)

    def prepare(self, place):
        """A place as it is before the command."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for target in self.targets if self.replaces else ():
            (place / target).write_bytes(OLD)

    def run(self, place):
        """Status and what is said, with the command run in this process."""
        out, said = io.StringIO(), io.StringIO()
        try:
            with redirect_stdout(out), redirect_stderr(said):
                main([word.replace("{}", str(place)) for word in self.line])
        except SystemExit as end:
            told = end.code if isinstance(end.code, str) else ""
            return 1 if told or end.code else 0, said.getvalue() + told
        except BaseException as error:
            return 2, f"Traceback {type(error).__name__}: {error}"
        return 0, said.getvalue()


def files(place):
    """The content of every file below a place; of what is no result only that it is there."""
    found = {}
    for path in sorted(place.rglob("*")):
        if path.is_file():
            told = b"" if path.name in ("run.json", "part.json", "lock") else path.read_bytes()
            found[str(path.relative_to(place))] = hashlib.sha256(told).hexdigest()
    return found


def forked(call):
    """What a call in a fork of this process returns, as text, and its status."""
    read, write = os.pipe()
    if not (child := os.fork()):
        status, told = call()
        os.write(write, told[-4000:].encode())
        os._exit(status)
    os.close(write)
    told = b""
    while part := os.read(read, 4096):
        told += part
    os.close(read)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told.decode()


def tried(command, place, at=0, how=NEVER):
    """A try from the beginning, in which the disk fails at a call."""

    def call():
        disk.disk_watch(str(place).encode())
        disk.disk_fail(at, how)
        status, told = command.run(place)
        count = disk.disk_count()
        disk.disk_fail(0, NEVER)
        return status, f"{count}\n{told}"

    return forked(call)


def faults(command, place, whole, at, how):
    """What does not hold of a try."""
    command.prepare(place)
    before = files(place)
    status, told = tried(command, place, at, how)
    after = files(place)
    told = told.partition("\n")[2]
    if how in DIES and status not in (KILLED, 0):
        yield f"did not die: {status} {told}"
    if how in FAILS and status != 0:
        yield from _ended_well(command, told, after, whole)
    if how in FAILS and status == 0 and after != whole:
        yield "status 0, and not the result"
    if command.targets:
        yield from _old_or_new(command, before, after, whole, told, how)
    if status == 0 or after == whole:
        return
    for target in command.targets:  # a folder of what was finished
        if (place / target).is_dir():
            shutil.rmtree(place / target)
    status, told = tried(command, place)
    if status != 0 or files(place) != whole:
        yield f"again: {status} {told} {sorted(set(files(place)) ^ set(whole))}"


def _ended_well(command, told, after, whole):
    sentences = [line for line in told.splitlines() if line.startswith("musiclib: ")]
    if "Traceback" in told or len(sentences) != 1:
        yield f"no sentence: {told}"
    if left := [name for name in after if ".writing-" in name or ".before-" in name]:
        yield f"left behind: {left}"


def _old_or_new(command, before, after, whole, told, how):
    there = {name: content for name, content in after.items() if ".writing-" not in name}
    finished = "finished" in told and there and there.items() <= whole.items()
    if there not in (before, whole) and not finished:
        each = command.replaces and all(there[n] in (before[n], whole[n]) for n in whole)
        between = len(command.targets) > 1 and how != ONCE  # of two, where nothing can be undone
        if not (each and between):
            yield f"neither old nor new: {sorted(there)}"


def tries(count, most):
    """Which calls fail, and how: all of them in every way, or some, evenly spread."""
    every = [(at, how) for at in range(1, count + 1) for how in (*FAILS, *DIES)]
    return every[:: max(1, len(every) // most) | 1] if most else every


def in_this_process(function, arguments, *_, **__):
    """What a worker would do, where the disk fails."""
    return [function(*some) for some in arguments]


def main_of_tries(name, folder, most=0):
    """Try a command with calls that fail, one at a time."""
    torch.set_num_threads(1)
    training.side_by_side = in_this_process
    folder = Path(folder)
    (folder / "few").mkdir(parents=True)
    for index in range(2):
        write_note_states(scale_piece(steps=32, seed=index), folder / "few" / f"{index}.mid")
    (folder / "many").mkdir()
    write_scales(folder / "many", 3)
    saved.save(read_corpus(folder / "many"), folder / "corpus.npz")
    assert SHIPPED.is_dir()
    command, place = Command(name, folder), folder / "place"
    command.prepare(place)
    status, told = tried(command, place)
    assert status == 0, told
    whole, count = files(place), int(told.partition("\n")[0])
    assert count > 2 and not any(".writing-" in name for name in whole), (count, whole)
    todo, wrong = tries(count, most), 0
    for at, how in todo:
        for fault in faults(command, place, whole, at, how):
            wrong += 1
            print(f"call {at} of {count}, how {how}: {fault}")
    print(f"{name}: {count} calls, {len(todo)} tries, {wrong} faults")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main_of_tries(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
