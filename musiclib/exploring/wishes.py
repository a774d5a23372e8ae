"""A wish: everything that can be chosen of a piece to be composed."""

import math
from dataclasses import dataclass

import numpy as np

from musiclib.base.errors import InputError
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.key_names import key_named
from musiclib.music.note_states import MAX_STEPS

NUMBERS = {  # from, to
    "temperature": (0.01, 100.0),
    "density": (0.1, 30.0),
    "conservativity": (0.0, 100.0),
}


@dataclass(frozen=True)
class Wish:
    """What to compose; raises InputError for what cannot be wished.

    - weights: shipped ones by name, or a file
    - primer: what it begins with: "none" (silence), "corpus" (a first step of the chorales), or
      the first bar of a MIDI file
    - ending: what it ends with: a cadence by name, or the last two bars of a MIDI file (one, where
      there is no more); for weights trained backwards
    - key: "D major", "F# minor"; as composed, or as given, where it is empty
    - bars: how many, of `bar` steps
    - conservativity: "paper", "off" or a number; None: as published of the network
    - density: notes sounding per step that the piece is steered to, from where conservativity
      begins; None: it is not
    - mend: weights of a conditional RBM that mends the piece
    """

    weights: str = "biaxial"
    primer: str = "none"
    ending: str = ""
    key: str = ""
    bars: int = 8
    bar: int = STEPS_PER_BAR
    temperature: float = 1.0
    conservativity: str | float | None = None
    density: float | None = None
    seed: int = 0
    mend: str = ""

    def __post_init__(self) -> None:
        if self.ending and self.primer != "none":
            raise InputError(
                f"primer {self.primer} and ending {self.ending}: a piece is given its beginning or"
                " its end, so leave out one"
            )
        if self.key:
            key_named(self.key)
        for name in ("bars", "bar", "seed"):
            _whole(name, getattr(self, name), 0 if name == "seed" else 1)
        if self.steps > MAX_STEPS:
            raise InputError(f"{self.bars} bars: {MAX_STEPS // self.bar:,} are the most")
        for name, (least, most) in NUMBERS.items():
            _within(name, getattr(self, name), least, most)

    @property
    def steps(self) -> int:
        """Sixteenths in the piece."""
        return self.bars * self.bar


def _whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name} {value}: give a whole number from {least} up")


def _within(name: str, value: object, least: float, most: float) -> None:
    if value is None or (name == "conservativity" and value in ("paper", "off")):
        return
    words = "paper, off or " if name == "conservativity" else ""
    if isinstance(value, str) or not math.isfinite(value) or not least <= value <= most:
        raise InputError(f"{name} {value}: give {words}a number from {least:g} to {most:g}")
