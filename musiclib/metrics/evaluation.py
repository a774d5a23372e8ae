"""All metrics of generated music at once, each beside what real music reaches on it.

The real music that stands in for generated pieces is drawn from the reference set, as many bars
of it; where the reference is the held-out set itself, one half of its pieces is judged by the
other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.progress import waiting
from musiclib.metrics.bits_saved import bits_saved_of_pieces
from musiclib.metrics.bootstrap import Estimate
from musiclib.metrics.isl import isl_of_pieces, validate
from musiclib.metrics.plagiarism import longest_runs, nearest_bars
from musiclib.metrics.precision_recall import precision_recall
from musiclib.metrics.two_sample import two_sample_accuracy
from musiclib.music.bars import STEPS_PER_BAR, cell_frequencies, density, piece_bars

Pieces = Mapping[str, np.ndarray]
Music = Sequence[np.ndarray]
Judged = dict[str, Estimate | None]

UNITS = {
    "bits saved": "bits per note over independent notes; more is better",
    "two-sample accuracy": "share told apart from held-out; 0.5 is best",
    "precision": "share of generated bars like held-out ones; read with recall",
    "recall": "share of held-out bars covered; read with precision",
    "published ISL": "nats per bar; sparse music scores high, see dropped",
    "dropped": "share of held-out bars that the published ISL leaves out",
    "density": "notes sounding per step",
    "notes in common": "with the nearest training bar, the largest of any piece, 0 to 1",
    "copied run": "bars copied note for note, the longest of any piece",
}


@waiting("judging")
def evaluate(
    generated: Pieces, held_out: Pieces, reference: Pieces | None = None, seed: int = 0
) -> dict[str, Any]:
    """Every metric of generated pieces (T, 78, 2) by name, ready for JSON.

    `reference` (the training corpus) is what independent notes and plagiarism refer to; without it
    the held-out set is. Raises InputError where there is no whole bar, or no held-out note.
    """
    validate(*(piece_bars(list(side.values())) for side in (generated, held_out)))
    known = held_out if reference is None else reference
    given = cell_frequencies(list(known.values()))
    ours = quality(generated, held_out, given, seed)
    pretended, judged = stand_in(generated, held_out, reference, seed)
    try:
        real = quality(pretended, judged, given, seed)
    except InputError:  # too little real music to stand in: its column says none
        real = {}
    copies = plagiarism(generated, known)
    ours |= _worst(copies)
    if reference is not None:
        real |= _worst(plagiarism(_in_place_of(generated, held_out, seed), reference))
    return {
        "metrics": {
            name: {"unit": unit, **_fields(ours.get(name)), "real music": _fields(real.get(name))}
            for name, unit in UNITS.items()
        },
        "plagiarism": copies,
        "generated": _counts(generated),
        "held_out": _counts(held_out),
        "reference": {"is_held_out": reference is None, **_counts(known)},
        "real_music": {"judged_by_pieces": len(judged), **_counts(pretended)},
        "seed": seed,
    }


def quality(
    generated: Pieces, held_out: Pieces, given: np.ndarray, seed: int = 0
) -> dict[str, Estimate | None]:
    """The metrics of likeness; `given` (2496,) is how often the reference plays each cell."""
    sides = list(generated.values()), list(held_out.values())
    return {name: made for ask in LIKENESS for name, made in ask(*sides, given, seed).items()}


def _likely(ours: Music, theirs: Music, given: np.ndarray, seed: int) -> Judged:
    score = isl_of_pieces(ours, theirs)
    kept = score.held_out_bars - score.dropped
    share = score.dropped / score.held_out_bars
    return {
        "bits saved": bits_saved_of_pieces(ours, theirs, given, seed),
        "published ISL": None if score.isl is None else Estimate(score.isl, None, None, kept),
        "dropped": Estimate(share, None, None, score.held_out_bars),
    }


def _alike(ours: Music, theirs: Music, given: np.ndarray, seed: int) -> Judged:
    both = precision_recall(ours, theirs, seed) or (None, None)
    accuracy = two_sample_accuracy(ours, theirs, seed)
    return {"two-sample accuracy": accuracy, "precision": both[0], "recall": both[1]}


def _dense(ours: Music, theirs: Music, given: np.ndarray, seed: int) -> Judged:
    return {"density": Estimate(density(ours), None, None, sum(map(len, ours)))}


# What is asked of generated pieces and held-out ones; a metric of your own is one function more.
LIKENESS: list[Callable[[Music, Music, np.ndarray, int], Judged]] = [_likely, _alike, _dense]


def stand_in(
    generated: Pieces, held_out: Pieces, reference: Pieces | None, seed: int = 0
) -> tuple[Pieces, Pieces]:
    """Real pieces in place of generated ones, and the held-out pieces that judge them."""
    if reference is not None:
        return _in_place_of(generated, reference, seed), held_out
    names = _mixed(held_out, np.random.default_rng(seed))
    half = len(names) // 2
    return {n: held_out[n] for n in names[:half]}, {n: held_out[n] for n in names[half:]}


def _in_place_of(generated: Pieces, real: Pieces, seed: int) -> Pieces:
    sizes = [len(piece) // STEPS_PER_BAR for piece in generated.values()]
    return as_many(real, sum(sizes), max(sizes), seed)


def as_many(pieces: Pieces, count: int, longest: int, seed: int = 0) -> dict[str, np.ndarray]:
    """`count` bars of real music: random excerpts of at most `longest` bars, none twice.

    Pieces come in random order and give an excerpt each before any gives a second one. All there
    is where the pieces hold fewer bars.
    """
    rng, drawn, missing = np.random.default_rng(seed), {}, count
    rounds = zip_longest(*(_excerpts(pieces, name, longest, rng) for name in _mixed(pieces, rng)))
    for name, at, excerpt in filter(None, chain.from_iterable(rounds)):
        whole = min(len(excerpt) // STEPS_PER_BAR, missing)
        if whole:
            drawn[f"{name}, step {at}"] = excerpt[: whole * STEPS_PER_BAR]
            missing -= whole
    return drawn


def _mixed(items: Iterable, rng: np.random.Generator) -> list:
    listed = list(items)
    return [listed[index] for index in rng.permutation(len(listed))]


def _excerpts(
    pieces: Pieces, name: str, longest: int, rng: np.random.Generator
) -> list[tuple[str, int, np.ndarray]]:
    size = longest * STEPS_PER_BAR
    starts = _mixed(range(0, len(pieces[name]), size), rng)
    return [(name, at, pieces[name][at : at + size]) for at in starts]


def plagiarism(generated: Pieces, training: Pieces) -> list[dict[str, Any]]:
    """For each piece its nearest training bar and its longest copied run."""
    nearest, runs = nearest_bars(generated, training), longest_runs(generated, training)
    return [
        {
            "piece": name,
            "nearest": nearest[name] and nearest[name]._asdict(),
            "copied_run": runs[name]._asdict(),
        }
        for name in generated
    ]


def _worst(copies: list[dict[str, Any]]) -> dict[str, Estimate]:
    shares = [copy["nearest"]["share"] if copy["nearest"] else 0.0 for copy in copies]
    runs = [copy["copied_run"]["bars"] for copy in copies]
    return {
        "notes in common": Estimate(max(shares), None, None, len(copies)),
        "copied run": Estimate(max(runs), None, None, len(copies)),
    }


def _fields(estimate: Estimate | None) -> dict[str, float | None]:
    return (estimate or Estimate(None, None, None, 0))._asdict()


def _counts(pieces: Pieces) -> dict[str, int]:
    music = list(pieces.values())
    return {"pieces": len(music), "steps": sum(map(len, music)), "bars": len(piece_bars(music))}


def table(result: dict[str, Any]) -> str:
    """The metrics as text, a line each: the value and its interval, real music's, how to read."""
    rows = [("metric", "generated", "real music", "reads")]
    for name, fields in result["metrics"].items():
        rows.append((name, _shown(fields), _shown(fields["real music"]), fields["unit"]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def _shown(fields: dict[str, Any]) -> str:
    if fields["value"] is None:
        return "none"
    spread = "" if fields["low"] is None else f" ({fields['low']:.3g} to {fields['high']:.3g})"
    return f"{fields['value']:.4g}{spread}"
