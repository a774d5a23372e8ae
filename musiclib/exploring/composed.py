"""A composed piece: to hear, to look at, and to write."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musiclib.exploring.wishes import Wish
from musiclib.listening.sound import write_sound
from musiclib.music.key_names import name_of
from musiclib.music.keys import estimate_key
from musiclib.music.representations import Representation


@dataclass(frozen=True)
class Composed:
    """A composed piece: `music` as its network writes it, and how it came about.

    `given` says what of a file it begins or ends with, and what of the file is left out.
    """

    music: np.ndarray
    reads: Representation
    tempo: int
    wish: Wish
    given: str = ""

    @property
    def states(self) -> np.ndarray:
        """Note states (T, 78, 2), uint8, a sixteenth a step, to hear and to look at."""
        return self.reads.states(self.music)

    @property
    def key(self) -> str:
        """Its estimated key, "D minor"; empty for silence."""
        return name_of(estimate_key(self.states))

    @property
    def title(self) -> str:
        """What composed it: "biaxial, seed 3, 8 bars"."""
        return f"{Path(self.wish.weights).stem}, {self.told}"

    @property
    def told(self) -> str:
        """Its seed and length: "seed 3, 8 bars"."""
        return f"seed {self.wish.seed}, {self.wish.bars} bar{'s' * (self.wish.bars != 1)}"

    def write(self, path: Path | str) -> None:
        """Write it as MIDI."""
        self.reads.write(self.music, Path(path), self.tempo)

    def write_sound(self, path: Path | str) -> Path:
        """Write it as sound, of the kind that the suffix says (.mp3, .ogg, .wav): what came of it.

        Where there is no encoder, that is a WAV file.
        """
        return write_sound(self.states, Path(path), self.tempo)
