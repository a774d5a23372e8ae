"""Mutants of real files are read, or refused as what they are: ten seconds of `make fuzz`."""

import pytest
from fuzz_reader import fuzz

SECONDS, MUTANTS = 5, 2_000


def assert_well(read, longest, memory, wrong):
    assert not wrong, wrong[0][1]
    assert read


def test_whatever_becomes_of_a_shipped_piece_nothing_but_a_midi_error_comes_of_it(tmp_path):
    assert_well(*fuzz(SECONDS, 0, tmp_path, most=MUTANTS))


@pytest.mark.shared
def test_whatever_becomes_of_a_real_piece_nothing_but_a_midi_error_comes_of_it(
    piano_midi, tmp_path
):
    assert_well(*fuzz(SECONDS, 1, tmp_path, [piano_midi], MUTANTS))
