"""Mutants of real MIDI files, read as every command reads: `python tests/fuzz_reader.py SECONDS`.

What reading a mutant may come to is an array or a MidiError, within five seconds and a gigabyte.
Mutants that come to something else are kept in .build/fuzz. Further arguments are folders of files.
"""

import hashlib
import random
import resource
import struct
import sys
import time
from pathlib import Path

import numpy as np

from musiclib.corpus.encoding import Content, encode
from musiclib.exploring.given import ending_of, primer_of
from musiclib.exploring.shipped import PIECES
from musiclib.music.midi_events import MidiError
from musiclib.music.midi_folder import midi_files
from musiclib.music.note_states import MAX_STEPS, read_note_states
from musiclib.music.piano_roll import read_piano_roll

SECONDS, BYTES = 5.0, 1 << 30
ROOT = Path(__file__).resolve().parents[1]
ODD = (
    *(b"\x00", b"\x7f", b"\x80", b"\xff", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff\xff\x00"),
    *(b"\xff\x51\x03\x00\x00\x00", b"\xff\x51\x03\xff\xff\xff", b"\xff\x58\x04\x00\xff\x00\x00"),
    *(b"\xff\x58\x04\x03\x02\x18\x08", b"\x90\x3c", b"\xf0\x87\xff\xff\x7f", b"\xff\x2f\x00"),
    *(b"MTrk", b"MTrk\xff\xff\xff\xff", b"MThd\x00\x00\x00\x06", b"\x00\x3c\x40" * 40),
)


def mutant(files, draws):
    """A file's bytes, changed in a few ways; `draws` is a random.Random."""
    content = bytearray(draws.choice(files))
    for _ in range(draws.choice((1, 1, 2, 4, 16))):
        draws.choice(WAYS)(content, draws, files)
    return bytes(content)


def _at(content, draws):
    """A place, one in three near the beginning, where the headers are."""
    return draws.randrange(min(len(content), 64) if draws.random() < 1 / 3 else len(content))


def _flip(content, draws, _files):
    content[_at(content, draws)] ^= 1 << draws.randrange(8)


def _set(content, draws, _files):
    at, new = _at(content, draws), draws.choice(ODD)
    content[at : at + len(new)] = new


def _insert(content, draws, _files):
    at = _at(content, draws)
    content[at:at] = draws.choice((draws.choice(ODD), draws.randbytes(draws.randrange(1, 9))))


def _delete(content, draws, _files):
    if len(content) > 64:
        at = _at(content, draws)
        del content[at : at + draws.choice((1, 1, 4, 64, len(content) // 2))]


def _repeat(content, draws, _files):
    at, size = _at(content, draws), draws.choice((4, 64, 1024))
    content[at:at] = content[at : at + size] * draws.choice((1, 2, 200))


def _splice(content, draws, files):
    other = draws.choice(files)
    content[_at(content, draws) :] = other[draws.randrange(len(other)) :]
    content.extend(b"\x00" * (not content))


def _header(content, draws, _files):
    """Other numbers in the header or as a track's length."""
    number = draws.choice((0, 1, 2, 3, 96, 480, 0x7FFF, 0x8000, 0xE728, 0xFFFF))
    if draws.random() < 0.5:
        content[8:14] = content[8:14].ljust(6, b"\x00")
        struct.pack_into(">H", content, draws.choice((8, 10, 12)), number)
    elif (track := content.find(b"MTrk")) >= 0 and track + 8 <= len(content):
        struct.pack_into(">I", content, track + 4, draws.choice((number, 1 << 31, 0xFFFFFFFF)))


WAYS = (_flip, _flip, _set, _insert, _delete, _repeat, _splice, _header)


def read_in_every_way(path):
    """Whatever is asked of a file by a command; raises MidiError alone, or AssertionError."""
    for metre in ("paper", "all"):
        encode(Content(path.read_bytes(), path.suffix, None, metre))
        states = read_note_states(path, metre)
        assert states.shape[1:] == (78, 2) and 1 <= len(states) <= MAX_STEPS
        assert states.dtype == np.uint8 and states.max() <= 1
        assert (states[..., 1] <= states[..., 0]).all()
    roll = read_piano_roll(path)
    assert roll.shape[1:] == (88,) and roll.max(initial=0) <= 1
    for given in (primer_of, ending_of):
        try:
            assert given(str(path), 16).states.shape[1:] == (78, 2)
        except MidiError:
            raise
        except ValueError as error:  # nothing to begin or to end with
            assert "no note" in str(error)


def fuzz(seconds, seed, place, folders=(PIECES,), most=None):
    """How many mutants were read, the longest time, the memory taken, and what came of others."""
    places = [path for folder in folders for path in midi_files(Path(folder))]
    files = [path.read_bytes() for path in places if path.is_file()]
    if not files:
        sys.exit(f"no MIDI file in {', '.join(map(str, folders))}")
    warm, path = random.Random(0), place / "mutant.mid"
    path.write_bytes(files[0])
    read_in_every_way(path)  # loops are compiled, modules are loaded
    before, ends = _peak(), time.monotonic() + seconds
    read, longest, wrong, draws = 0, 0.0, [], warm if seed is None else random.Random(seed)
    while time.monotonic() < ends and (most is None or read < most):
        content = mutant(files, draws)
        path.write_bytes(content)
        began = time.monotonic()
        try:
            read_in_every_way(path)
        except MidiError:
            pass
        except Exception as error:
            wrong.append((content, f"{type(error).__name__}: {error}"))
        took = time.monotonic() - began
        if took > SECONDS or _peak() - before > BYTES:
            wrong.append((content, f"{took:.1f} s, {(_peak() - before) >> 20} MB"))
            before = max(before, _peak() - BYTES)
        read, longest = read + 1, max(longest, took)
    return read, longest, _peak() - before, wrong


def _peak():
    """Bytes that this process has had at most."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _main(seconds, *folders):
    (place := ROOT / ".build" / "fuzz").mkdir(parents=True, exist_ok=True)
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}, {seconds} s", flush=True)
    read, longest, memory, wrong = fuzz(float(seconds), seed, place, folders or (PIECES,))
    print(f"{read:,} mutants, the longest took {longest:.2f} s, memory {memory >> 20} MB")
    for content, told in wrong:
        name = place / f"{hashlib.sha256(content).hexdigest()[:12]}.mid"
        name.write_bytes(content)
        print(f"{name}: {told}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    _main(*sys.argv[1:])
