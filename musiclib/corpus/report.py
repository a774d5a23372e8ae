"""Totals of a corpus: its sets, what was left out and why, its keys and metres."""

from collections import Counter
from statistics import median
from typing import Any

import numpy as np

from musiclib.corpus.report_rows import KEY_NAMES, KINDS, METRE, USED, File
from musiclib.corpus.sets import Corpus

FIRST = 3  # files that a summary names of each kind


def summary(corpus: Corpus, files: list[File]) -> dict[str, Any]:
    """Totals of a corpus and its rows `files`, as JSON can tell them."""
    used = [f for f in files if f.reason == USED]
    return {
        "metre": corpus.metre,
        "files_found": len(files),
        "files_used": len(used),
        "sets": {name: _of_set(corpus, name, used) for name in corpus.sets},
        "reasons": {kind: _of_kind(files, kind) for kind in KINDS},
        "metre_rule": _metre_rule(files) if corpus.metre == "paper" else None,
        "notes_out_of_range": sum(f.notes_out_of_range or 0 for f in used),
        "files_with_notes_out_of_range": sum(bool(f.notes_out_of_range) for f in used),
        "keys": _keys(used),
        "metres": _metres(files),
    }


def _of_set(corpus: Corpus, name: str, used: list[File]) -> dict[str, Any]:
    rows = [f for f in used if name in f.sets]
    steps = sum(f.steps for f in rows)
    hard = [f.difficulty for f in rows]
    return {
        "pieces": len(corpus.sets[name]),
        "steps": steps,
        "notes_per_step": sum(f.notes_per_step * f.steps for f in rows) / steps if steps else 0.0,
        "difficulty": float(np.mean(hard)) if hard else None,
    }


def _of_kind(files: list[File], kind: str) -> dict[str, Any]:
    names = [f.file for f in files if f.reason == kind]
    return {"files": len(names), "first": names[:FIRST]}


def _metre_rule(files: list[File]) -> dict[str, int] | None:
    """What the published metre rule costs, of all files whose length in all metres is known."""
    known = [f for f in files if f.steps_in_all_metres is not None]
    whole = sum(f.steps_in_all_metres for f in known)
    read = sum(f.steps for f in known)
    cut = [f for f in known if f.reason == USED and f.steps_in_all_metres > f.steps]
    if not known:
        return None
    return {
        "steps_in_all_metres": whole,
        "steps_read": read,
        "steps_lost": whole - read,
        "files_left_out": sum(f.reason == METRE for f in known),
        "files_cut": len(cut),
    }


def _keys(used: list[File]) -> dict[str, dict[str, Any]]:
    """Files in each key and the median confidence, the most frequent key first."""
    by_key: dict[str, list[float]] = {name: [] for name in KEY_NAMES}
    for file in (file for file in used if file.key is not None):  # a silent one is in none
        by_key[file.key].append(file.confidence)
    return {
        key: {"files": len(sure), "confidence": median(sure)}
        for key, sure in sorted(by_key.items(), key=lambda item: -len(item[1]))
        if sure
    }


def _metres(files: list[File]) -> dict[str, int]:
    """How many of all files read name a metre, each of several; "none" where they name none."""
    named = (f.metres or ("none",) for f in files if f.metres is not None)
    return dict(Counter(metre for metres in named for metre in metres).most_common())
