"""The form of the panel without its widgets: what can be chosen, and the wish that is meant."""

from collections.abc import Mapping, Sequence
from typing import Any

from musiclib.base.errors import InputError
from musiclib.exploring.trained import NETWORKS, RBM, Trained
from musiclib.music.key_names import TONICS

FORWARD, ENDING = "forward", "from the ending"
NONE, CORPUS, OWN = "none", "corpus", "own file"
PRIMERS = {"none": NONE, "a bar of the chorales": CORPUS, "own MIDI file": OWN}
KEYS = {"as composed": ""} | {
    f"{tonic} {mode}": f"{tonic} {mode}" for mode, tonics in TONICS.items() for tonic in tonics
}
NOT_SAID = ""  # None would mean to a slider that nothing is chosen
CONSERVATIVITIES = {"published": NOT_SAID, "off": "off"} | {
    f"{tenth / 10:.1f}": tenth / 10 for tenth in range(5, 21) if tenth != 10
}
DENSITIES = {"free": NOT_SAID} | {f"{half / 2:.1f}": half / 2 for half in range(2, 17)}

Choices = dict[str, str]


def networks(every: Sequence[Trained], direction: str) -> dict[str, Trained]:
    """The networks to choose from by label: those that compose in a direction."""
    kinds = [t for t in every if t.model in NETWORKS and t.backwards == (direction == ENDING)]
    return {t.label: t for t in sorted(kinds, key=_shipped_first)}


def _shipped_first(network: Trained) -> tuple[bool, int]:
    """Those trained here keep their order."""
    shipped = "shipped" in network.label
    return not shipped, NETWORKS.index(network.model) * shipped


def rbms(every: Sequence[Trained]) -> Choices:
    """What mends, by label: nothing, or weights of a conditional RBM, the last of each run."""
    machines = [t for t in every if t.model == RBM and not t.backwards]
    return {"off": ""} | {t.label: next(iter(t.files.values())) for t in machines}


def wish_of(values: Mapping[str, Any]) -> Any:
    """The `Wish` that is meant by a form's values.

    `values` has weights, direction, cadence, primer, file, key, bars, temperature, conservativity,
    density, seed and mend. Raises InputError where an own file is wanted and none is named.
    """
    from musiclib.exploring.wish import Wish  # here: it takes torch, and the form does not wait

    same = {n: values[n] for n in ("weights", "key", "bars", "temperature", "seed", "mend")}
    unless = {n: values[n] for n in ("conservativity", "density") if values[n] != NOT_SAID}
    return Wish(**same, **unless, **_begins_or_ends(values))


def _begins_or_ends(values: Mapping[str, Any]) -> Choices:
    """What is given of the piece: how it begins or, composed from its ending, how it ends."""
    name, field = ("ending", "cadence") if values["direction"] == ENDING else ("primer", "primer")
    if values[field] != OWN:
        return {name: values[field]}
    if not values["file"].strip():
        raise InputError("no MIDI file is chosen: upload one, or write its path")
    return {name: values["file"].strip()}
