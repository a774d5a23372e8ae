"""Packed bits: the same music as the array that they were packed from, wherever they lie."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musiclib.music.packed import MappedRows, Packed, pack, unpack
from musiclib.music.transforms import shift

STEPS = {"states": (78, 2), "roll": (88,), "odd": (3, 5)}


def bits(steps, step, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (steps, *step), np.uint8)


@given(st.integers(0, 40), st.sampled_from(sorted(STEPS)), st.integers(0, 9))
def test_what_is_packed_unpacks_to_the_same_bits(steps, name, seed):
    array = bits(steps, STEPS[name], seed)
    rows = pack(array)
    assert rows.shape == (steps, -(-array[:1].size // 8)) or not steps
    np.testing.assert_array_equal(unpack(rows, STEPS[name]), array)


@pytest.fixture(params=STEPS)
def both(request, tmp_path):
    """An array, and the same between others in a file."""
    array = bits(50, STEPS[request.param])
    np.save(tmp_path / "rows.npy", pack(np.concatenate([array[:7], array, array[:9]])))
    return array, Packed(MappedRows(tmp_path / "rows.npy", 7, 57), STEPS[request.param])


LOOKS = [
    slice(None),
    slice(3, 20),
    slice(40, 90),
    slice(-5, None),
    slice(None, None, -1),
    slice(9, 9),
    7,
    (..., 1),
    (slice(4, 9), 2),
    [1, 5, 3],
]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_piece_on_disk_is_looked_at_like_the_array(both, look):
    array, packed = both
    np.testing.assert_array_equal(packed[look], array[look])
    assert packed[look].dtype == np.uint8


def test_numpy_takes_it_for_the_array(both):
    array, packed = both
    assert packed.shape == array.shape and len(packed) == 50
    np.testing.assert_array_equal(np.concatenate([packed, packed]), np.concatenate([array] * 2))
    assert np.asarray(packed).tobytes() == array.tobytes()


@pytest.mark.parametrize("interval", [-3, 0, 2])
def test_it_is_moved_as_it_is_looked_at(both, interval):
    array, packed = both
    moved = shift(packed, interval)
    assert isinstance(moved, Packed)
    np.testing.assert_array_equal(moved[5:9], shift(array, interval)[5:9])
    np.testing.assert_array_equal(moved, shift(array, interval))


def test_a_process_is_given_the_place_and_not_the_music(both):
    array, packed = both
    sent = pickle.dumps(packed)
    assert len(sent) < 500
    np.testing.assert_array_equal(pickle.loads(sent), array)
