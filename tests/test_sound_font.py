"""The sound font's piano, beside what the file says by hand; damaged files are refused."""

import struct

import numpy as np
import pytest

from musiclib.base.errors import InputError
from musiclib.listening.sound_font import font_path, read_piano
from musiclib.listening.voices import RATE, piano


@pytest.fixture(scope="module")
def content():
    return font_path().read_bytes()


def list_at(content, name):
    """The content of the first chunk of this name, found by search."""
    at = content.rindex(name)
    (size,) = struct.unpack_from("<I", content, at + 4)
    return content[at + 8 : at + 8 + size]


def test_every_key_of_a_piano_has_one_zone():
    zones = read_piano(font_path())
    for pitch in range(21, 109):
        assert sum(zone.lowest <= pitch <= zone.highest for zone in zones) == 1


def test_samples_are_those_of_the_headers(content):
    """Each attack is that of a recording whose name begins with "Piano "; later it never swells."""
    recorded = np.frombuffer(list_at(content, b"smpl"), "<i2") / 32_768
    known = {}
    for name, start, _, first, last, rate, *_ in struct.iter_unpack(
        "<20sIIIIIBbHH", list_at(content, b"shdr")
    ):
        if name.startswith(b"Piano "):
            known[last - first, rate] = recorded[start:last]
    for zone in read_piano(font_path()):
        whole = known[zone.loop, zone.rate]
        skipped = len(whole) - len(zone.samples)
        assert 0 <= skipped < zone.rate / 100
        differences = np.diff(whole[skipped:]) - np.diff(zone.samples)  # an offset is taken off
        assert np.abs(differences[:250]).max() < 1e-6
        length = len(zone.samples) // 1000 * 1000
        power = (zone.samples[:length].reshape(-1, 1000) ** 2).mean(axis=1)
        assert (power[1:] < 1.2 * power[:-1]).all()


def test_a_fall_is_in_timecents():
    """The zone of middle C decays by 100 dB in 2 ** (4953 / 1200) s after 2 ** (5 / 1200) s."""
    zone = next(zone for zone in read_piano(font_path()) if zone.lowest <= 60 <= zone.highest)
    assert zone.volume.hold == pytest.approx(2 ** (5 / 1200))
    seconds = np.array([0, 0.5, 1 + 2 ** (4953 / 1200) / 2, 60])
    np.testing.assert_allclose(zone.volume.fallen(seconds), [0, 0, 0.5, 1], atol=1e-3)


@pytest.mark.parametrize("size", [0, 7, 100, 10_000, 5_800_000])
def test_a_cut_file_is_refused(content, tmp_path, size):
    (path := tmp_path / "cut.sf2").write_bytes(content[:size])
    with pytest.raises(InputError, match=r"cut\.sf2: no sound font with a piano"):
        read_piano(path)


@pytest.mark.parametrize("seed", range(15))
def test_a_damaged_file_is_refused_or_gives_finite_sound(content, scratch, seed):
    rng = np.random.default_rng(seed)
    damaged = np.frombuffer(content, np.uint8).copy()
    at = rng.integers(content.rindex(b"pdta"), len(damaged), 2_000)
    damaged[at] = rng.integers(0, 256, len(at))
    (path := scratch / "damaged.sf2").write_bytes(damaged.tobytes())
    try:
        zones = read_piano(path)
    except InputError:
        return
    assert all(np.isfinite(piano(zones, pitch, RATE)).all() for pitch in (24, 60, 101))
