"""What is known of a piece without looking at its notes again: it is kept beside them."""

from typing import Any, NamedTuple

import numpy as np

from musiclib.base.files import digest
from musiclib.corpus.difficulty import traits
from musiclib.corpus.leaks import fingerprints, passages
from musiclib.music.keys import opening_steps, pitch_class_steps

VECTORS = ("weights", "opening", "passages")


class Facts(NamedTuple):
    """Counts and small vectors of a piece as it was read.

    - steps, samples: lengths of its note states and its piano roll
    - whole: steps that it has in whatever metre; `metres` are those that it names, as "3/4"
    - notes, outside: how often it strikes a note, and one that note states have no place for
    - traits: onsets per step, notes sounding per step, range in semitones
    - digest: of its note states, the same for the same notes
    - weights, opening: steps that each pitch class sounds, in all and in the first eight bars,
      int64 (12,), C first
    - passages: some of its fingerprints, uint64, the same ones in a copy
    """

    steps: int
    samples: int
    whole: int
    metres: tuple[str, ...]
    notes: int
    outside: int
    traits: tuple[float, float, int]
    digest: str
    weights: np.ndarray
    opening: np.ndarray
    passages: np.ndarray = np.zeros(0, np.uint64)

    @classmethod
    def of(cls, states: np.ndarray, roll: np.ndarray, **said: Any) -> "Facts":
        """The facts of note states and a roll, besides what its file says of itself."""
        return cls(
            len(states),
            len(roll),
            **({"whole": len(states), "metres": (), "notes": 0, "outside": 0} | said),
            traits=traits(states),
            digest=digest(states.tobytes()),
            weights=pitch_class_steps(states),
            opening=opening_steps(states),
            passages=passages(fingerprints(states)),
        )

    def told(self) -> dict[str, Any]:
        """All but the vectors, as JSON can tell it."""
        return {name: value for name, value in self._asdict().items() if name not in VECTORS}

    @classmethod
    def from_told(cls, told: dict[str, Any], *vectors: np.ndarray) -> "Facts":
        """Facts from what `told` said and the vectors, in order."""
        tuples = {name: tuple(told[name]) for name in ("metres", "traits")}
        return cls(**(told | tuples), **dict(zip(VECTORS, vectors, strict=False)))
