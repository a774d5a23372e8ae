"""A wish: everything that can be chosen of a piece to be composed."""

from dataclasses import dataclass
from os import PathLike

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.seeds import MOST_SEED
from musiclib.base.typed import shown, told
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.key_names import key_named
from musiclib.music.note_states import MAX_STEPS

WHOLE = {"bars": (1, None), "bar": (1, MAX_STEPS), "seed": (0, MOST_SEED)}  # from, to
NUMBERS = {"temperature": (0.01, 100.0), "density": (0.1, 30.0), "conservativity": (0.0, 100.0)}
UNSAID, WORDS = ("density", "conservativity"), ("paper", "off")


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
        for name in ("weights", "primer", "ending", "key", "mend"):
            if not isinstance(value := getattr(self, name), (str, PathLike)):
                raise InputError(f"{name} {shown(value)}: give a name or a file")
        if self.ending and self.primer != "none":
            raise InputError(
                f"primer {self.primer} and ending {self.ending}: a piece is given its beginning or"
                " its end, so leave out one"
            )
        if self.key:
            key_named(str(self.key))
        for name, (least, most) in WHOLE.items():
            _whole(name, getattr(self, name), least, most)
        if self.steps > MAX_STEPS:
            raise InputError(f"{told(self.bars)} bars: {MAX_STEPS // self.bar:,} are the most")
        for name, (least, most) in NUMBERS.items():
            _within(name, getattr(self, name), least, most)

    @property
    def steps(self) -> int:
        """Sixteenths in the piece."""
        return int(self.bars) * int(self.bar)  # numpy's would overflow


def _whole(name: str, value: object, least: int, most: int | None) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        span = f"from {least} up" if most is None else f"from {least} to {most:,}"
        raise InputError(f"{name} {told(value)}: give a whole number {span}")


def _within(name: str, value: object, least: float, most: float) -> None:
    if name in UNSAID and (value is None or (name == "conservativity" and value in WORDS)):
        return
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not least <= value <= most:  # nan is not
        words = "paper, off or " if name == "conservativity" else ""
        span = f"from {least:g} to {most:g}"
        raise InputError(f"{name} {told(value)}: give {words}a number {span}")
