"""Note states as sound, for the notebooks: sine waves, since they need no sound font."""

import tempfile
from pathlib import Path

import numpy as np
import pretty_midi
from scipy.io import wavfile

from musiclib.base.files import replacing
from musiclib.music.note_states import STEPS_PER_BEAT, TEMPO, write_note_states

RATE = 11_025  # samples a second


def sound(states: np.ndarray) -> np.ndarray:
    """Samples of note states (T, 78, 2), float of shape (n,) within -1 and 1, at `RATE`."""
    ended = np.concatenate([states, np.zeros_like(states[:1])])  # pretty_midi drops what never ends
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.mid"
        write_note_states(ended, path)
        samples = pretty_midi.PrettyMIDI(str(path)).synthesize(fs=RATE)
    seconds = len(states) * TEMPO / 1e6 / STEPS_PER_BEAT
    return np.pad(samples, (0, max(0, round(seconds * RATE) - len(samples))))  # silence at the end


def write_sound(states: np.ndarray, path: Path) -> None:
    """Write the `sound` of note states (T, 78, 2) as a WAV file of 16 bits."""
    with replacing(path) as temporary:
        wavfile.write(temporary, RATE, np.int16(np.clip(sound(states), -1, 1) * 32_767))
