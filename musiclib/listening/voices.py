"""What a held note of a pitch sounds like: a piano's recorded notes, or sine waves without them.

A voice gives the first `length` samples of a MIDI pitch, struck and held: float32, at `RATE`.
"""

import sys
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from musiclib.base.errors import InputError
from musiclib.listening.sound_font import Zone, font_path, read_piano

RATE = 22_050  # samples per second
Voice = Callable[[int, int], np.ndarray]

FADE_IN = 22  # samples, a thousandth of a second: a recording that begins at once would click
FRAME = 1024  # samples, between which the filter moves
LOWEST_CUTOFF = 8.176  # Hz, of 0 cents
PARTIALS = np.arange(1, 7)  # of the sine waves
HALVED = 0.35  # seconds in which the sine waves of A4 fade by half


@lru_cache(maxsize=1)
def voice() -> Voice:
    """The piano of the sound font; where that cannot be read, sine waves, and a line says so."""
    try:
        zones = read_piano(font_path())
    except InputError as error:
        print(f"sound: {error}; sine waves are heard instead of a piano", file=sys.stderr)
        return sine_waves
    return lambda pitch, length: piano(zones, pitch, length)


def piano(zones: list[Zone], pitch: int, length: int) -> np.ndarray:
    """A held note of recorded notes: the zone of its pitch, or the nearest one."""
    zone = min(zones, key=lambda zone: max(zone.lowest - pitch, pitch - zone.highest, 0))
    samples = _resampled(zone, 2 ** ((pitch - zone.root) / 12) * zone.rate / RATE, length)
    samples = _filtered(samples, zone)
    samples *= 10 ** (-5 * zone.volume.fallen(np.arange(length) / RATE)) * zone.loudness
    return _faded_in(samples)


def _resampled(zone: Zone, ratio: float, length: int) -> np.ndarray:
    """`length` samples, `ratio` recorded ones apart, by a cubic through the nearest four."""
    end = len(zone.samples)
    at = np.arange(length) * ratio
    late = at >= end
    at[late] = end - zone.loop + (at[late] - end) % zone.loop
    place = at.astype(np.int64)
    part = (at - place).astype(np.float32)
    looped = np.resize(zone.samples[end - zone.loop :], 2)  # what follows on the end
    known = np.concatenate([zone.samples[:1], zone.samples, looped])
    a, b, c, d = (known[place + i] for i in range(4))
    # Catmull and Rom's spline between b and c
    return b + part / 2 * (
        c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a))
    )


def _filtered(samples: np.ndarray, zone: Zone) -> np.ndarray:
    """Low-passed, 12 dB an octave, while the cutoff falls: frame by frame, half overlapping."""
    half = FRAME // 2
    count = -(-len(samples) // half) + 1
    padded = np.zeros((count + 1) * half, np.float32)
    padded[half : half + len(samples)] = samples
    window = np.hanning(FRAME + 1)[:-1].astype(np.float32)  # these add up to one
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::half] * window
    fallen = zone.sweeping.fallen(np.arange(count) * half / RATE)
    cutoff = LOWEST_CUTOFF * 2 ** ((zone.cutoff + zone.sweep * (1 - fallen)) / 1200)
    octaves = np.fft.rfftfreq(FRAME, 1 / RATE) / cutoff[:, None]
    gain = (1 / np.sqrt(1 + octaves**4)).astype(np.float32)
    frames = np.fft.irfft(np.fft.rfft(frames) * gain, FRAME)
    out = np.zeros_like(padded).reshape(-1, half)
    out[:-1] += frames[:, :half]
    out[1:] += frames[:, half:]
    return out.ravel()[half : half + len(samples)]


def sine_waves(pitch: int, length: int) -> np.ndarray:
    """A held note of six partials, that fade, the higher ones and higher pitches sooner."""
    seconds = np.arange(length, dtype=np.float64) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    samples = np.zeros(length)
    for partial in PARTIALS[PARTIALS * frequency < RATE / 2]:
        fading = 2 ** (-seconds / HALVED * partial**0.5 * (frequency / 440) ** 0.5)
        samples += np.sin(2 * np.pi * partial * frequency * seconds) * fading / partial**2
    return _faded_in(samples.astype(np.float32))


def _faded_in(samples: np.ndarray) -> np.ndarray:
    start = samples[:FADE_IN]
    start *= np.linspace(0, 1, FADE_IN, dtype=np.float32)[: len(start)]
    return samples
