"""Arrays from files that may be anything: what each claims to be is read before what it holds.

Nothing is allocated that a file does not hold, no code is run, and only regular files are opened.
Whatever is wrong is a ValueError, OSError or BadZipFile: all of them are in `files.DAMAGED`.
"""

import io
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy

from musiclib.base.memory import free_bytes, size

SUFFIX = ".npy"
MOST_TEXT = 1 << 28  # bytes of an array of text, at four a character
MOST_CONTENTS = 1 << 24  # bytes of an archive's table of contents, 100,000 pieces
LONGEST = 1 << 62  # elements along an axis
MOST_HEADER = 4096  # bytes; what numpy writes of such arrays has 128
LONGEST_REASON = 200  # characters
ENCRYPTED = 1  # bit of a member's flags
READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Header(NamedTuple):
    """What an array claims to be; its values begin `start` bytes into its file."""

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool
    start: int

    @property
    def bytes(self) -> int:
        """Bytes of its values."""
        count = self.dtype.itemsize
        for length in self.shape:
            count *= length
        return count


class Arrays(Mapping):
    """The arrays of an open .npz by name; `headers` has what they claim, each is read when asked.

    Raises ValueError or BadZipFile for an archive that is damaged, or whose claims are not those
    of its contents.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.archive = ZipFile(_Limited(file))
        self.members: dict[str, ZipInfo] = {}
        for member in self.archive.infolist():
            name = _named(member)
            if name in self.members:
                raise ValueError(f"{name}: it is there twice")
            self.members[name] = member
        self.headers = {name: self._header(name) for name in self.members}

    def _header(self, name: str) -> Header:
        member = self.members[name]
        with self.archive.open(member) as stream:
            header = header_of(stream, name)
        if header.start + header.bytes != member.file_size:
            claim = f"{header.dtype} {header.shape}"
            raise ValueError(f"{name}: it claims {claim} and holds {size(member.file_size)}")
        return header

    @property
    def bytes(self) -> int:
        """Bytes of all values together."""
        return sum(header.bytes for header in self.headers.values())

    def __getitem__(self, name: str) -> np.ndarray:
        header, member = self.headers[name], self.members[name]
        with self.archive.open(member) as stream:
            content = stream.read(member.file_size)  # no more, whatever it unpacks to
        if len(content) < member.file_size:
            raise ValueError(f"{name}: it ends early")
        values = np.frombuffer(content, header.dtype, offset=header.start)
        whole = values.reshape(header.shape, order="F" if header.fortran else "C")
        return whole.astype(header.dtype.newbyteorder("="), order="C")

    def __contains__(self, name: object) -> bool:
        return name in self.members  # without reading it

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)


@contextmanager
def opened_arrays(source: Path | bytes) -> Iterator[Arrays]:
    """The arrays of an .npz, a file or its bytes, as long as the block lasts."""
    with io.BytesIO(source) if isinstance(source, bytes) else opened(source) as file:
        arrays = Arrays(file)
        with arrays.archive:
            yield arrays


def opened(path: Path) -> BinaryIO:
    """A regular file, opened; raises ValueError for a folder, a device, and what never ends."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe would wait
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise ValueError("it is a folder" if stat.S_ISDIR(mode) else "it is no regular file")
    return os.fdopen(handle, "rb")


def header_of(stream: BinaryIO, name: str) -> Header:
    """The header of an .npy that begins here; raises ValueError for objects and other files."""
    start = io.BytesIO(stream.read(MOST_HEADER))  # numpy would take gigabytes of it
    try:
        shape, fortran, dtype = READERS[npy.read_magic(start)](start)
    except Exception as error:  # whatever a header makes of Python's parser
        raise ValueError(f"{name}: no array of numpy ({reason(error)})") from None
    if dtype.hasobject or dtype.itemsize == 0 or dtype.names or dtype.subdtype:
        raise ValueError(f"{name}: it holds {dtype}, neither numbers nor text")
    if any(type(length) is not int or not 0 <= length < LONGEST for length in shape):
        raise ValueError(f"{name}: it claims the shape {shape}")
    return Header(dtype, shape, fortran, start.tell())


def npy_header(path: Path) -> Header:
    """The header of an .npy file that holds what it claims; raises ValueError for another."""
    with opened(path) as file:
        header, there = header_of(file, path.name), os.fstat(file.fileno()).st_size
    if header.start + header.bytes != there:
        claim = f"{header.dtype} {header.shape}"
        raise ValueError(f"{path.name}: it claims {claim} and holds {size(there)}")
    return header


def must_be(name: str, header: Header, dtype: type, *shape: int | None) -> None:
    """Raise ValueError unless an array has this dtype and shape; None is any length."""
    fits = len(shape) == len(header.shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, header.shape, strict=True)
    )
    if not fits or not np.issubdtype(header.dtype, dtype):
        wanted = f"({', '.join('any' if n is None else str(n) for n in shape)})"
        kind = "text" if dtype is np.str_ else dtype.__name__
        raise ValueError(f"{name}: {header.dtype} {header.shape}, not {kind} {wanted}")
    if dtype is np.str_ and header.bytes > MOST_TEXT:
        raise ValueError(f"{name}: {size(header.bytes)} of text, {size(MOST_TEXT)} are the most")


def must_fit_memory(wanted: int, what: str) -> None:
    """Raise ValueError where so many bytes would take more than half of the free memory."""
    if wanted > (free := free_bytes()) // 2:
        raise ValueError(f"{what} takes {size(wanted)}, and {size(free)} of memory are free")


def reason(error: Exception) -> str:
    """Why a file could not be read, in one short line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    words = " ".join(text.split()) or type(error).__name__
    return words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON]}..."


class _Limited:
    """A file that gives no more at once than a table of contents may have."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.seek, self.tell, self.close = file.seek, file.tell, file.close
        self.seekable = file.seekable

    def read(self, count: int = -1) -> bytes:
        most = MOST_CONTENTS + 1
        content = self.file.read(min(count, most) if count >= 0 else most)
        if len(content) == most:
            raise ValueError("its table of contents is too large")
        return content


def _named(member: ZipInfo) -> str:
    """The name of the array in a member that can be read."""
    name = member.filename.removesuffix(SUFFIX)
    if name == member.filename:
        raise ValueError(f"{name}: it is no array")
    if member.flag_bits & ENCRYPTED:
        raise ValueError(f"{name}: it is encrypted")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"{name}: it is compressed in an unknown way")
    return name
