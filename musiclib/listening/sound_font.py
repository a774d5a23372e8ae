"""The piano of a sound font: what SoundFont 2.01 (E-mu Systems, 1998) says of its samples.

The font is TimGM6mb.sf2, which pretty_midi ships for its `fluidsynth`. Its INFO chunk names the
font and an editor, no author and no licence. Those who pass it on (Debian: timgm6mb-soundfont) name
Tim Brechbill (2004), changes by David Bolton (2010), and the GNU General Public License, version 2;
pretty_midi's copy is not byte for byte Debian's. Nothing of it is copied into this project: it is
read where pretty_midi has installed it.

**Conventions** Numbers in brackets are sections of the specification. Only what the piano of this
font uses is read: the zones of the first instrument of bank 0, preset 0, looped samples, in mono.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.files import DAMAGED

NAME = "TimGM6mb.sf2"
# Generators (8.1.2).
LOOP_STARTS, LOOP_ENDS, CUTOFF, SWEEP = 2, 3, 8, 11
SWEEP_HOLD, SWEEP_DECAY, SWEEP_SUSTAIN, HOLD, DECAY, SUSTAIN = 27, 28, 29, 35, 36, 37
INSTRUMENT, KEYS, ATTENUATION, COARSE_TUNE, FINE_TUNE = 41, 43, 48, 51, 52
SAMPLE, MODES, ROOT = 53, 54, 58
AT_ONCE = -12_000  # timecents: a thousandth of a second
DEFAULTS = dict.fromkeys((SWEEP_HOLD, SWEEP_DECAY, HOLD, DECAY), AT_ONCE)
DEFAULTS |= {KEYS: 127 << 8, CUTOFF: 13_500, ROOT: -1}
LOOPED = (1, 3)
BLOCK = 512  # samples of which loudness is taken: some periods of any recording
FAINT = 0.01  # of the peak: what comes before it is no attack yet


@dataclass(frozen=True)
class Envelope:
    """How something falls: not for `hold` seconds, then all of it in `decay`, down to a depth."""

    hold: float
    decay: float
    depth: float  # from 0, it does not fall, to 1, all of it

    def fallen(self, seconds: np.ndarray) -> np.ndarray:
        """The part, 0 to 1, that has fallen at these times."""
        return np.clip((seconds - self.hold) / self.decay, 0, self.depth)


@dataclass(frozen=True, eq=False)
class Zone:
    """A recorded note for a range of MIDI pitches, and how it dies away."""

    lowest: int  # MIDI pitch
    highest: int
    samples: np.ndarray  # float32, from the attack to the end of the loop
    loop: int  # how many samples, the last ones, repeat
    rate: float  # samples per second at which it sounds at `root`
    root: float  # MIDI pitch
    loudness: float  # a factor
    volume: Envelope  # of 100 dB
    cutoff: float  # of the low-pass filter after its sweep, cents above 8.176 Hz
    sweep: float  # cents above this from which the cutoff falls
    sweeping: Envelope


def font_path() -> Path:
    """Where pretty_midi has the font; raises InputError where there is none."""
    found = find_spec("pretty_midi")  # importing it would take longer than reading the font
    for folder in (found and found.submodule_search_locations) or ():
        if (path := Path(folder) / NAME).is_file():
            return path
    raise InputError(f"{NAME} is not where pretty_midi keeps it: install pretty_midi anew")


def read_piano(path: Path) -> list[Zone]:
    """The zones of a sound font's piano, at least one; raises InputError if it has none."""
    try:
        return _zones(*_parts(path.read_bytes()))
    except DAMAGED as error:
        reason = f"{path}: no sound font with a piano is read from it ({error!r})"
        raise InputError(f"{reason}; install pretty_midi anew") from None


def _parts(content: bytes) -> tuple[dict[str, bytes], np.ndarray]:
    """The sub-chunks of all lists by name (4), and the samples of all sounds as int16 (6.1)."""
    if content[:4] != b"RIFF" or content[8:12] != b"sfbk":
        raise ValueError("it does not begin as one does")
    parts: dict[str, bytes] = {}
    for name, part in _chunks(content[12:]):
        if name == "LIST":
            parts |= dict(_chunks(part[4:]))
    return parts, np.frombuffer(parts["smpl"], "<i2")


def _chunks(content: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of chunks that follow one another (3.1)."""
    at = 0
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        yield name.decode("latin-1"), content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _zones(parts: dict[str, bytes], recorded: np.ndarray) -> list[Zone]:
    bags = _instrument(parts)
    headers = list(struct.iter_unpack("<20sIIIIIBbHH", parts["shdr"]))  # 7.10
    common = DEFAULTS if SAMPLE in bags[0] else DEFAULTS | bags[0]  # a global zone is first (7.7)
    whole = [common | bag for bag in bags if SAMPLE in bag]
    zones = [_zone(bag, headers[bag[SAMPLE] & 0xFFFF], recorded) for bag in whole]
    if not zones:
        raise ValueError("its piano has no sample")
    return zones


def _instrument(parts: dict[str, bytes]) -> list[dict[int, int]]:
    """The zones of the instrument of bank 0, preset 0 (7.2, 7.6)."""
    presets = list(struct.iter_unpack("<20sHHHIII", parts["phdr"]))
    place = [preset[1:3] for preset in presets].index((0, 0))
    bags = _bags(parts, "p", presets[place][3], presets[place + 1][3])
    if not any(INSTRUMENT in bag for bag in bags):
        raise ValueError("its piano has no instrument")
    chosen = next(bag[INSTRUMENT] & 0xFFFF for bag in bags if INSTRUMENT in bag)
    instruments = list(struct.iter_unpack("<20sH", parts["inst"]))
    return _bags(parts, "i", instruments[chosen][1], instruments[chosen + 1][1])


def _bags(parts: dict[str, bytes], kind: str, first: int, end: int) -> list[dict[int, int]]:
    """The generators of zones `first` to before `end`, by number (7.3, 7.5, 7.7, 7.9)."""
    starts = [start for start, _ in struct.iter_unpack("<HH", parts[f"{kind}bag"])]
    pairs = list(struct.iter_unpack("<Hh", parts[f"{kind}gen"]))
    return [dict(pairs[starts[bag] : starts[bag + 1]]) for bag in range(first, end)]


def _zone(bag: dict[int, int], header: tuple, recorded: np.ndarray) -> Zone:
    """A zone from its generators, in the units of 8.1.2, and its sample's header."""
    rate, original, correction = header[5:8]
    root = original if bag[ROOT] < 0 else bag[ROOT]
    cents = correction + bag.get(FINE_TUNE, 0) + 100 * bag.get(COARSE_TUNE, 0)
    samples, loop = _attack_and_loop(bag, header, recorded)
    sweeping = bag[SWEEP_HOLD], bag[SWEEP_DECAY], bag.get(SWEEP_SUSTAIN, 0)
    return Zone(
        lowest=bag[KEYS] & 0xFF,
        highest=bag[KEYS] >> 8 & 0xFF,
        samples=samples,
        loop=loop,
        rate=rate,
        root=root - cents / 100,
        loudness=10 ** (-min(max(bag.get(ATTENUATION, 0), 0), 1440) / 200),
        volume=_envelope(bag[HOLD], bag[DECAY], bag.get(SUSTAIN, 0)),
        cutoff=bag[CUTOFF],
        sweep=bag.get(SWEEP, 0),
        sweeping=_envelope(*sweeping),
    )


def _attack_and_loop(
    bag: dict[int, int], header: tuple, recorded: np.ndarray
) -> tuple[np.ndarray, int]:
    """The samples from the attack to the end of the loop, and the length of the loop (6.2)."""
    start, end, first, last, rate = header[1:6]
    first, last = first + bag.get(LOOP_STARTS, 0), last + bag.get(LOOP_ENDS, 0)
    if bag.get(MODES) not in LOOPED:
        raise ValueError("a sample has no loop")
    if not (rate and start <= first < last <= end <= len(recorded)):
        raise ValueError("a sample or its loop lies outside the file")
    samples = recorded[start:last] / np.float32(32_768)
    samples -= samples[first - start :].mean()  # a held note would keep the recording's offset
    attack = int(np.argmax(np.abs(samples) > FAINT * np.abs(samples).max()))
    attack = min(attack, first - start)
    return _falling(samples[attack:], last - first), last - first


def _falling(samples: np.ndarray, loop: int) -> np.ndarray:
    """Samples that never swell: in the highest recording the loop would be heard as a new note."""
    ends = np.append(np.arange(BLOCK, len(samples) - loop, BLOCK), len(samples))
    power = np.add.reduceat(samples.astype(np.float64) ** 2, np.append(0, ends[:-1]))
    level = np.sqrt(power / np.diff(ends, prepend=0)) + 1e-9
    gain = np.minimum.accumulate(level) / level
    middles = np.minimum(ends - BLOCK / 2, len(samples) - loop)  # all of the loop is played alike
    return samples * np.interp(np.arange(len(samples)), middles, gain).astype(np.float32)


def _envelope(hold: int, decay: int, sustain: int) -> Envelope:
    """From timecents, and a depth in thousandths."""
    return Envelope(2 ** (hold / 1200), 2 ** (decay / 1200), min(max(sustain / 1000, 0), 1))
