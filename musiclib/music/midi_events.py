"""MIDI files as tables of events, without trusting anything that a file says.

Every byte is looked at once, in a compiled loop that checks each end before it reads: whatever a
file holds, the answer is its events or a `MidiError`, in time and memory that follow from its size.
"""

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

import mido
import numpy as np

from musiclib.base.arrays import opened
from musiclib.base.compiled import compiled
from musiclib.base.errors import InputError

OFF, ON, METRE_CHANGE, TEMPO_CHANGE = range(4)  # kinds of events: off is where a note ends
TICK, KIND, VALUE, PLACE = range(4)  # columns
# A hostile file of 74 bytes can ask for gigabytes: these are far above any real piece.
MAX_BYTES, MAX_EVENTS = 20_000_000, 1_000_000
EXPORT = "leave it out, or export it anew as standard MIDI"
TOO_LARGE = "too large: "  # how the reason begins where one of these limits refuses a file
FAULTS = (
    "",
    "it is cut off, or a length in it is wrong",
    "an event in it is malformed",
    f"{TOO_LARGE}it has more than {MAX_EVENTS:,} events",
)
# Our own files say with this marker where their steps end; releases follow it, for other programs.
STEPS_END = "musiclib: the steps end here"
MARK = np.frombuffer(STEPS_END.encode(), np.uint8)
# Bytes after a status: of notes and controls, of system messages; of those that say it themselves.
MALFORMED, OWN = -1, -2
MARKER = 0x06
SIZES = np.full(256, MALFORMED)
SIZES[0x80:0xF0], SIZES[0xC0:0xE0], SIZES[[0xF1, 0xF2, 0xF3]] = 2, 1, (1, 2, 1)
SIZES[[0xF6, 0xF8, 0xFA, 0xFB, 0xFC, 0xFE]], SIZES[[0xF0, 0xF7, 0xFF]] = 0, OWN


class MidiError(InputError):
    """A file that cannot be read: which one, why not, and what to do about it."""

    def __init__(self, reason: str, file: Path | str = "", remedy: str = "") -> None:
        super().__init__(reason, file, remedy)
        self.reason, self.file, self.remedy = reason, str(file), remedy or EXPORT

    def __str__(self) -> str:
        return f"{self.file + ': ' if self.file else ''}{self.reason}; {self.remedy}"


class Midi(NamedTuple):
    """Ticks per beat, events in the order they apply, int64 (n, 4), and the last track's end.

    Columns: tick; kind, as above; pitch, numerator or microseconds per beat; for notes 16 times the
    track plus the channel, for tempos the track, for metres
    the denominator's power of two.
    """

    ticks_per_beat: int
    events: np.ndarray
    end: int


@contextmanager
def naming(file: Path | str) -> Iterator[None]:
    """Errors of what is read in the block name the file."""
    try:
        yield
    except MidiError as error:
        raise MidiError(error.reason, file, error.remedy) from None
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def content_of(path: Path | str) -> bytes:
    """The bytes of a file; raises MidiError for too many, or for what cannot be read.

    Raises FileNotFoundError where there is none.
    """
    try:
        if S_ISDIR((state := Path(path).stat()).st_mode):
            os.scandir(path).close()  # why a folder is among files: it may not be opened
            raise MidiError("it is no regular file, but a folder", remedy="name a file")
        if not S_ISREG(state.st_mode):
            raise MidiError("it is no regular file")
        if state.st_size > MAX_BYTES:
            limit = f"{state.st_size:,} bytes is more than the {MAX_BYTES:,} that are read"
            raise MidiError(TOO_LARGE + limit)
        with opened(Path(path)) as file:  # some that look like files wait for what never comes
            content = file.read(MAX_BYTES + 1)
        if content is None or len(content) > MAX_BYTES:
            raise MidiError("it is no regular file")
        return content
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = f"it cannot be opened ({error.strerror})"
        raise MidiError(reason, remedy="make it readable, or leave it out") from error


def read_midi(path: Path | str) -> Midi:
    """The events of a MIDI file; raises MidiError, FileNotFoundError if there is none."""
    with naming(path):
        return parse(content_of(path))


def events_of(midi: mido.MidiFile) -> Midi:
    """The events of a file in memory."""
    midi.save(file=(written := io.BytesIO()))
    return parse(written.getvalue())


def parse(content: bytes) -> Midi:
    """The events in the bytes of a MIDI file; raises MidiError."""
    if content[:4] != b"MThd" or len(content) < 14:
        raise MidiError("it does not begin as a MIDI file does")
    size, _, tracks, division = struct.unpack(">IHHH", content[4:14])
    if not 4 <= division < 0x8000:
        raise MidiError(f"{division} ticks per beat: 4 to 32767 can be read, and no SMPTE time")
    if not tracks:
        raise MidiError("it has no track")
    data, at, parts, total, end = np.frombuffer(content, np.uint8), 8 + size, [], 0, 0
    for track in range(tracks):
        if content[at : at + 4] != b"MTrk":
            raise MidiError(f"track {track + 1} of {tracks} is missing")
        first, last = at + 8, at + 8 + int.from_bytes(content[at + 4 : at + 8], "big")
        room = min((min(last, len(data)) - first) // 2, MAX_EVENTS - total)
        table = np.empty((max(room, 0) + 1, 4), np.int64)  # an event has two bytes at least
        count, ticks, fault, at = _scan(data, first, last, track, table)
        if fault:
            raise MidiError(f"{FAULTS[fault]} (byte {at:,} of {len(data):,})")
        parts.append(table[:count].copy())
        total, end = total + count, max(end, ticks)
    events = np.concatenate(parts)
    return Midi(division, events[np.argsort(events[:, TICK], kind="stable")], end)


@compiled
def _scan(data, at, end, track, table):  # noqa: ANN001, ANN202
    """Fill `table` with a track's events: their number, ticks, which fault there is, and where."""
    count, ticks, running, last = 0, 0, 0, min(end, len(data))
    while at < end:
        delta, at = _number(data, at, last)
        if delta < 0 or at >= last:
            return count, ticks, 1, at
        ticks += delta
        status, meta = int(data[at]), -1
        if status < 0x80:
            status = running
        else:
            at += 1
            running = status if status < 0xF0 else running if status == 0xFF else 0
        size = SIZES[status]
        if size == OWN:
            if status == 0xFF and at < last:
                meta = int(data[at])
                at += 1
            size, at = _number(data, at, last)
        elif size == MALFORMED or (0 < size <= last - at and max(data[at : at + size]) > 127):
            return count, ticks, 2, at
        if size < 0 or at + size > last:
            return count, ticks, 1, at
        if meta == MARKER and size == len(MARK) and (data[at : at + size] == MARK).all():
            return count, ticks, 0, end
        kind, place = OFF, track << 4 | status & 15
        if status >> 4 == 9 and data[at + 1] > 0:
            kind = ON
        elif meta == 0x51 and size == 3:
            kind, place = TEMPO_CHANGE, track
        elif meta == 0x58 and size > 1:
            kind, place = METRE_CHANGE, int(data[at + 1])
        elif status >> 4 not in (8, 9):
            at += size
            continue
        if count == len(table) - 1:
            return count, ticks, 3, at
        value = int(data[at])
        if kind == TEMPO_CHANGE:
            value = value << 16 | int(data[at + 1]) << 8 | int(data[at + 2])
        event = table[count]
        event[0], event[1], event[2], event[3] = ticks, kind, value, place
        at, count = at + size, count + 1
    return count, ticks, 0, at


@compiled
def _number(data, at, last):  # noqa: ANN001, ANN202
    """A number of at most four bytes of seven bits, and where it ends; -1 where there is none."""
    number = 0
    for place in range(at, min(at + 4, last)):
        number = number << 7 | int(data[place]) & 0x7F
        if data[place] < 0x80:
            return number, place + 1
    return -1, at
