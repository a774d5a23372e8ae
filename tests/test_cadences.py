"""Endings on the tonic, on pieces written by hand."""

import numpy as np
import pytest

from musiclib.music.cadences import endings, on_tonic

C, D, E, F, G, A, B = (36 + n for n in (0, 2, 4, 5, 7, 9, 11))  # indices of MIDI 60, 62, ...


def piece(*chords):
    """A step for each chord; indices of notes."""
    states = np.zeros((len(chords), 78, 2), np.uint8)
    for step, chord in enumerate(chords):
        states[step, list(chord)] = 1
    return states


SCALE = [(n,) for n in (C, D, E, F, G, A, B, C + 12, G, E, C, G, C)]


@pytest.mark.parametrize(
    ("ending", "on"),
    [
        ((C, E, G), True),
        ((C - 12, G), True),
        ((E, G, C + 12), False),  # the tonic, but not in the bass
        ((G - 12, B, D), False),
    ],
)
def test_the_bass_of_the_last_chord_decides_and_rests_after_it_do_not_matter(ending, on):
    assert endings([piece(*SCALE, ending, (), ())])[0] == on


def test_a_piece_is_at_home_in_its_own_key():
    moved = np.roll(piece(*SCALE, (G - 12,), (C,)), 5, axis=1)  # in F major
    assert on_tonic(moved)[[0, -2, -1]].tolist() == [True, False, True]


def test_shares_count_pieces_for_endings_and_steps_for_anywhere():
    home, away = piece(*SCALE, (C,)), piece(*SCALE, (D,))
    ends, anywhere = endings([home, away, away, piece((), ())])
    assert ends == pytest.approx(1 / 3)
    tonics = sum(note % 12 == 0 for (note,) in SCALE)
    assert anywhere == pytest.approx((3 * tonics + 1) / (3 * len(SCALE) + 3))


def test_silence_has_no_endings():
    assert np.isnan(endings([piece((), ())])).all()
