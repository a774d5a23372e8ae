"""Samples as bytes: MP3 and OGG Vorbis by soundfile, WAV by Python alone; the same bytes each time.

soundfile's wheels bring libsndfile along, with an MP3 encoder (LAME) since 0.12.
"""

import errno
import io
import sys
import wave
import zlib
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.files import expanded
from musiclib.base.writing import write_bytes
from musiclib.listening.voices import RATE

MEDIA_TYPES = {"mp3": "audio/mpeg", "ogg": "audio/ogg", "wav": "audio/wav"}
FORMATS = {
    # 56 kilobits a second: below it a frame has no room for the tag that tells players to skip
    # the encoder's delay, and all is heard 50 ms late. At a variable rate browsers seek badly.
    "mp3": {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": 0.7},
    "ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.7},
}
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))  # the bits of each byte


def encoded(samples: np.ndarray, kind: str = "mp3") -> bytes:
    """Samples (n,) within -1 and 1 as a file's bytes: "mp3", "ogg" or "wav", mono, at `RATE`.

    Where soundfile cannot do it, WAV takes its place, and a line says so once: ask `kind_of`.
    Raises InputError for another kind.
    """
    if kind not in MEDIA_TYPES:
        raise InputError(f"{kind!r} is no kind of sound here: choose {', '.join(MEDIA_TYPES)}")
    if kind == "wav" or not (soundfile := _soundfile(kind)):
        return _wav(samples)
    written = _compressed(soundfile, samples, FORMATS[kind])
    return _numbered(written) if kind == "ogg" else written


def kind_of(content: bytes) -> str:
    """Which kind `encoded` bytes are of: "mp3", "ogg" or "wav"."""
    return {b"RIFF": "wav", b"OggS": "ogg"}.get(bytes(content[:4]), "mp3")


def write_samples(samples: np.ndarray, path: Path | str) -> Path:
    """Write samples as MP3, OGG or WAV, by the suffix, in one piece; returns where.

    That is `path`, or a file beside it that ends in .wav where soundfile cannot do it. Raises
    InputError for another suffix, or where the file cannot be written.
    """
    path = expanded(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in MEDIA_TYPES:
        known = ", ".join(f".{kind}" for kind in MEDIA_TYPES)
        raise InputError(f"{path}: sound is written as {known}; give the file such a name")
    content = encoded(samples, kind)
    if kind_of(content) != kind:
        path = path.with_suffix(".wav")
    try:
        write_bytes(path, content)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        remedy = "name a file in a folder that you may write to"
        raise InputError(f"{path}: it cannot be written ({error.strerror}); {remedy}") from None
    return path


@lru_cache
def _soundfile(kind: str) -> ModuleType | None:
    """The module soundfile, if it writes this kind here."""
    try:
        import soundfile

        _compressed(soundfile, np.zeros(RATE, np.float32), FORMATS[kind])
    except (ImportError, OSError, TypeError, ValueError, RuntimeError) as error:
        print(f"sound: no {kind} here ({error}); WAV takes its place", file=sys.stderr)
        return None
    return soundfile


def _compressed(soundfile: ModuleType, samples: np.ndarray, how: dict) -> bytes:
    to = io.BytesIO()
    with soundfile.SoundFile(to, "w", RATE, 1, **how) as file:
        for start in range(0, len(samples), RATE):  # much at once overflows the encoder's stack
            file.write(np.float32(samples[start : start + RATE]))
    return to.getvalue()


def _wav(samples: np.ndarray) -> bytes:
    """WAV of 16 bits."""
    with wave.open(to := io.BytesIO(), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())
    return to.getvalue()


def _numbered(content: bytes) -> bytes:
    """OGG whose stream has the number 0, not a random one; pages carry checksums (RFC 3533)."""
    pages = bytearray(content)
    at = 0
    while at < len(pages):
        count = pages[at + 26]
        end = at + 27 + count + sum(pages[at + 27 : at + 27 + count])
        pages[at + 14 : at + 18] = pages[at + 22 : at + 26] = bytes(4)
        pages[at + 22 : at + 26] = _checksum(pages[at:end]).to_bytes(4, "little")
        at = end
    return bytes(pages)


def _checksum(page: bytes) -> int:
    """OGG's: zlib's polynomial with the bits the other way round, from 0."""
    mirrored = zlib.crc32(page.translate(REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
