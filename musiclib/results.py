"""Numbers as the notebooks record them: value, spread, unit, n, seeds and the published value."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def number(
    values: float | Sequence[float | None],
    unit: str,
    *,
    n: int | None = None,
    published: float | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """One result from its values, one a seed; None or NaN where there is none (ISL of nothing).

    `spread` is the sample standard deviation over the seeds, None for fewer than two; `n` is how
    many items (measures, steps, pieces) stand behind each value.
    """
    listed = np.atleast_1d(np.asarray(values, dtype=np.float64))  # None becomes NaN
    known = listed[np.isfinite(listed)].tolist()
    return {
        "value": float(np.mean(known)) if known else None,
        "spread": float(np.std(known, ddof=1)) if len(known) > 1 else None,
        "unit": unit,
        "n": n,
        "seeds": len(known),
        "per_seed": [v if np.isfinite(v) else None for v in listed.tolist()],
        "published": published,
    } | ({"note": note} if note else {})


def shown(result: dict[str, Any], digits: int = 1) -> str:
    """ "-400.1 ± 3.2", or a dash where there is no number."""
    if result["value"] is None:
        return "–"
    spread = "" if result["spread"] is None else f" ± {result['spread']:.{digits}f}"
    return f"{result['value']:.{digits}f}{spread}".replace("-", "−")


def seeds_for(first: dict[str, Any], second: dict[str, Any]) -> str:
    """In how many seeds `first` is below `second`: "2 of 3 seeds", or a dash without a pair."""
    pairs = [
        (a, b)
        for a, b in zip(first["per_seed"], second["per_seed"], strict=True)
        if a is not None and b is not None
    ]
    wins = sum(a < b for a, b in pairs)
    return f"{wins} of {len(pairs)} seed{'s' * (len(pairs) > 1)}" if pairs else "–"


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"
