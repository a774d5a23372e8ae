"""How often the estimated key is the written one, how wrong it is else, and how sure it is.

`python benchmarks/keys.py folder ...`: folders of MIDI files with key signatures. Choices were made
on one half of the first folder that writes modes, by a hash of file names.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from music21.analysis import discrete
from timing import machine, parser, run, write
from written_keys import BARS, Piece, chorales, of_folder, signature

from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.keys import MODES, OPENING, key_of, with_opening
from musiclib.paper.results import markdown

FULL = OPENING // STEPS_PER_BAR
TINY = 8  # pieces of each kind
WAYS = {
    "opening": lambda piece: key_of(with_opening(piece.whole, piece.openings[FULL])),
    "whole piece": lambda piece: key_of(piece.whole),
    "paper": lambda piece: key_of(piece.whole, "paper"),
}
KINDS = ("relative", "parallel", "fifth", "other")
OTHERS = {
    "Krumhansl and Kessler": discrete.KrumhanslSchmuckler,
    "Temperley, Kostka and Payne": discrete.TemperleyKostkaPayne,
    "Aarden, Essen": discrete.AardenEssen,
    "Bellmann, Budge": discrete.BellmanBudge,
    "Sapp": discrete.SimpleWeights,
}
PROFILES = {
    name: tuple(made().getWeights(mode) for mode in MODES) for name, made in OTHERS.items()
} | {
    "Albrecht and Shanahan": (
        (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
        (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
    )
}

Row = dict[str, Any]
Estimate = Callable[[Piece], tuple]


def main() -> None:
    """Print the tables and write results/bench-keys.json."""
    options = parser("keys", __doc__)
    options.add_argument("folders", nargs="+", type=Path)
    chosen = options.parse_args()
    most = TINY if chosen.tiny else None
    sets = {}
    for folder in chosen.folders:
        sets |= of_folder(folder, most)
    sets = {name: pieces for name, pieces in (sets | chorales(most)).items() if pieces}
    record = machine() | tables(sets)
    for title, rows in record.items():
        if isinstance(rows, list):
            print(f"\n{title}\n\n{markdown(list(rows[0]), [row.values() for row in rows])}")
    write(chosen, record)


def tables(sets: dict[str, list[Piece]]) -> dict[str, list[Row]]:
    """All tables by name."""
    made: dict[str, list[Row]] = {"right": [], "wrong": [], "confidence": [], "modes": []}
    for name, pieces in sets.items():
        for way, estimate in WAYS.items():
            keys = [estimate(piece) for piece in pieces]
            found, moded = kinds(pieces, keys), pieces[0].mode is not None
            sure = np.array([key.confidence for key in keys])
            rows = {"right": right(found, moded), "wrong": wrong(found, sure, moded)}
            rows["confidence"] = by_confidence(found, sure)
            if moded:
                rows["modes"] = modes(pieces, keys)
            for table, row in rows.items():
                made[table].append({"pieces": name, "way": way, **row})
    halved = next((pieces for pieces in sets.values() if pieces[0].mode), [])
    made["profiles"] = [
        {"profiles": name, "heard": heard, **halves(halved, along(profiles, bars))}
        for name, profiles in PROFILES.items()
        for heard, bars in (("whole piece", 0), ("and opening", FULL))
    ]
    made["openings"] = [
        {"bars": bars, **halves(halved, along(PROFILES["Bellmann, Budge"], bars))}
        for bars in (0, *BARS)
    ]
    made["changes"] = [
        {"pieces": name, "of one signature": percent([piece.steady for piece in pieces])}
        for name, pieces in sets.items()
    ]
    return {name: rows for name, rows in made.items() if rows}


def kinds(pieces: list[Piece], keys: list[tuple]) -> np.ndarray:
    """What each estimate is to the written key: right, or a kind of wrong."""
    return np.array([kind(piece, *key[:2]) for piece, key in zip(pieces, keys, strict=True)])


def kind(piece: Piece, tonic: int, mode: str) -> str:
    """Right, or of KINDS; where no mode is written, it counts as found."""
    same_mode = piece.mode in (None, mode)
    apart = (signature(tonic, mode) - piece.signature) % 12
    if not apart:
        return "right" if same_mode else "relative"
    if tonic == piece.tonic and not same_mode:
        return "parallel"
    return "fifth" if apart in (5, 7) and same_mode else "other"


def percent(of: Any) -> float | None:
    """A share in per cent; None of nothing."""
    return round(100 * float(np.mean(of)), 1) if len(of) else None


def right(found: np.ndarray, moded: bool = True) -> Row:
    """How many have the written key, where it is told, and how many its signature."""
    in_signature = np.isin(found, ("right", "relative"))
    return {
        "n": len(found),
        "key": percent(found == "right") if moded else None,
        "signature": percent(in_signature),
    }


def wrong(found: np.ndarray, sure: np.ndarray, moded: bool) -> Row:
    """Of all pieces, how many are wrong in which way; of the wrong, how many are least sure."""
    least = sure <= np.quantile(sure, 0.25)
    told = KINDS if moded else KINDS[2:]
    shares = {kind: percent(found == kind) if kind in told else None for kind in KINDS}
    return {**shares, "of the wrong, in the least sure quarter": percent(least[found != "right"])}


def by_confidence(found: np.ndarray, sure: np.ndarray) -> Row:
    """How many keys are right in each quarter of the pieces, from the least sure to the surest."""
    edges = np.quantile(sure, (0.25, 0.5, 0.75))
    quarters = np.searchsorted(edges, sure)
    shares = {name: percent(found[quarters == i] == "right") for i, name in enumerate(QUARTERS)}
    return shares | {"confidence at their edges": ", ".join(f"{edge:.2f}" for edge in edges)}


QUARTERS = ("least sure", "second", "third", "surest")


def modes(pieces: list[Piece], keys: list[tuple]) -> Row:
    """What the pieces taken for major hold of minor, what they miss of major, and the reverse."""
    written = np.array([piece.mode for piece in pieces])
    taken = np.array([mode for _, mode, *_ in keys])
    row = {}
    for mode, other in (MODES, MODES[::-1]):
        row[f"{other} among those taken for {mode}"] = percent(written[taken == mode] == other)
        row[f"{mode} taken for {other}"] = percent(taken[written == mode] == other)
    return row


def halves(pieces: list[Piece], estimate: Estimate) -> Row:
    """Right keys and signatures in the half of the pieces to choose by, and in the other half."""
    found = kinds(pieces, [estimate(piece) for piece in pieces])
    other = np.array([sha256(piece.name.encode()).digest()[-1] % 2 for piece in pieces], bool)
    return {
        f"{what}, {half}": right(found[of])[what]
        for half, of in (("chosen by", ~other), ("others", other))
        for what in ("key", "signature")
    }


def along(profiles: tuple, bars: int) -> Estimate:
    """An estimate by any profiles, from the whole piece and from opening bars, where there are."""
    rows = np.array([np.roll(profile, tonic) for profile in profiles for tonic in range(12)])

    def estimate(piece: Piece) -> tuple:
        heard = with_opening(piece.whole, piece.openings[bars]) if bars else piece.whole
        mode, tonic = divmod(int(np.corrcoef(rows, heard)[-1, :-1].argmax()), 12)
        return tonic, MODES[mode]

    return estimate


if __name__ == "__main__":
    run(main)
