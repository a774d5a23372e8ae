"""Notes as sound: of the right pitch, at the right time, for as long as the piece."""

import numpy as np
from strategies import hand_states

from musiclib.listening.sound import RATE, sound
from musiclib.music.note_states import TEMPO

STEP = TEMPO / 1e6 / 4  # seconds


def test_a_note_sounds_at_its_frequency_while_it_lasts():
    samples = sound(hand_states(32, (69, 8, 8)))
    first, last = int(8 * STEP * RATE), int(16 * STEP * RATE)
    assert np.abs(samples[: first - 1]).max() == 0
    spectrum = np.abs(np.fft.rfft(samples[first:last]))
    frequency = np.argmax(spectrum) * RATE / (last - first)
    assert abs(frequency - 440) < 2
    assert np.abs(samples).max() <= 1


def test_two_notes_are_two_frequencies():
    samples = sound(hand_states(16, (57, 0, 16), (69, 0, 16)))
    spectrum = np.abs(np.fft.rfft(samples))
    at = [round(f * len(samples) / RATE) for f in (220, 440)]
    for peak in at:
        assert spectrum[peak - 2 : peak + 3].max() > 20 * np.median(spectrum)
