"""Music as packed bits, unpacked where it is looked at: 20 bytes a step of note states.

So that a collection larger than memory can be trained on, its pieces lie on disk like this.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from musiclib.music.transforms import shift

OPEN_FILES = 32  # memory maps that are kept: what they hold counts as this process's memory


class Rows(Protocol):
    """Packed bits of a piece: uint8 (T, bytes), wherever they are."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Some of them."""


class MappedRows:
    """Rows `first` to `last` of a memory-mapped .npy file, which is opened when it is looked at."""

    def __init__(self, path: Path, first: int, last: int) -> None:
        self.path, self.first, self.last = path, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, rows: slice) -> np.ndarray:
        state = self.path.stat()  # a file that was written anew is another one
        start, stop, step = rows.indices(len(self))
        mapped = _mapped(self.path, state.st_ino, state.st_mtime_ns)
        return mapped[self.first + start : self.first + stop][::step] if step > 0 else self[:][rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self[:], dtype)


@lru_cache(OPEN_FILES)
def _mapped(path: Path, *_version: int) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)  # slices faster


class Packed:
    """An array of bits, uint8 (T, *step), of packed rows; all notes moved up by `interval`."""

    dtype = np.dtype(np.uint8)

    def __init__(self, rows: Rows, step: tuple[int, ...], interval: int = 0) -> None:
        self.rows, self.step, self.interval = rows, step, interval

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, *step)."""
        return (len(self.rows), *self.step)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        if isinstance(index, slice):  # the others need not be unpacked
            states = unpack(self.rows[index], self.step)
            return shift(states, self.interval) if self.interval else states
        return np.asarray(self)[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)

    def shifted(self, interval: int) -> "Packed":
        """The same music `interval` semitones higher."""
        if self.interval:
            raise ValueError("a piece on disk is moved once: what fell off the edge is gone")
        return Packed(self.rows, self.step, interval)


class Lazy:
    """An array of bits, uint8 (length, *step), that `make` makes anew at each look."""

    dtype = np.dtype(np.uint8)

    def __init__(self, length: int, step: tuple[int, ...], make: Callable[[], np.ndarray]) -> None:
        self.shape, self.make = (length, *step), make

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.make()[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.make(), dtype)


def row_bytes(step: tuple[int, ...]) -> int:
    """Bytes of a packed row."""
    return -(-int(np.prod(step)) // 8)


def pack(array: np.ndarray) -> np.ndarray:
    """The bits of an array (T, *step), a row of whole bytes each step: uint8 (T, bytes)."""
    return np.packbits(array.reshape(len(array), int(np.prod(array.shape[1:]))), axis=1)


def unpack(rows: np.ndarray, step: tuple[int, ...]) -> np.ndarray:
    """The array of packed rows, uint8 (T, *step)."""
    bits = np.unpackbits(rows, axis=1, count=int(np.prod(step)))
    return bits.reshape(len(rows), *step)
