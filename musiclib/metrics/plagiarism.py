"""Plagiarism: what generated pieces share with the music that a model was trained on.

Two views of each generated piece: the training bar nearest to one of its own, and the longest
run of its bars that occurs note for note in a training piece. Both see through transposition;
the run is looked for at every step of the training pieces, not only where their bars begin.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from musiclib.base.progress import Progress, waiting
from musiclib.metrics.isl import DEVICE, blocks
from musiclib.music.bars import CELLS, STEPS_PER_BAR, bars
from musiclib.music.note_states import NOTES, PLAY
from musiclib.music.transforms import shift

INTERVALS = sorted(range(-6, 7), key=abs)  # semitones; of equals the smallest wins
BLOCK = 4096
SILENT = NOTES


class Nearest(NamedTuple):
    """The nearest training bar: notes in common (0 to 1), where, moved up by how much.

    `bar` counts the generated piece's bars from 0, `training_bar` the training one's.
    """

    share: float
    bar: int
    training_piece: str
    training_bar: int
    interval: int


class CopiedRun(NamedTuple):
    """The longest copied run: how many bars, from which bar, and where it comes from."""

    bars: int
    bar: int | None = None
    training_piece: str | None = None
    training_step: int | None = None
    interval: int | None = None


def nearest_bars(
    generated: Mapping[str, np.ndarray], training: Mapping[str, np.ndarray]
) -> dict[str, Nearest | None]:
    """For each generated piece (T, 78, 2) the nearest training bar, or None.

    Near is the share of notes in common, 2 |both| / (|one| + |other|), over bits of bars and
    transpositions by up to 6 semitones. None stands for a piece without a note in common.
    """
    ours, theirs = _Labelled.of(generated), _Labelled.of(training)
    best = np.zeros(len(ours.table)), np.zeros((len(ours.table), 2), int)
    with Progress(len(INTERVALS), "nearest training bars") as progress:
        for interval in INTERVALS:
            share, where = _most_in_common(_moved(ours.table, interval), ours.table, theirs.table)
            better = share > best[0]
            best[0][better] = share[better]
            best[1][better] = np.stack([where, np.full(len(where), -interval)], axis=1)[better]
            progress.add()
    found: dict[str, Nearest | None] = dict.fromkeys(generated)
    for row in np.argsort(best[0], kind="stable"):  # the best of a piece comes last
        if best[0][row] > 0:
            piece, bar = ours.label(row)
            there = theirs.label(best[1][row, 0])
            found[piece] = Nearest(float(best[0][row]), bar, *there, int(best[1][row, 1]))
    return found


class _Labelled(NamedTuple):
    """Bars of all pieces, and whose they are."""

    table: np.ndarray
    names: list[str]
    starts: np.ndarray

    @classmethod
    def of(cls, pieces: Mapping[str, np.ndarray]) -> "_Labelled":
        cut = [bars([piece]) for piece in pieces.values()]
        starts = np.cumsum([0, *(len(part) for part in cut)])
        return cls(np.concatenate([bars([]), *cut]), list(pieces), starts)

    def label(self, row: int) -> tuple[str, int]:
        piece = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.names[piece], int(row - self.starts[piece])


def _moved(table: np.ndarray, interval: int) -> np.ndarray:
    steps = table.reshape(-1, NOTES, 2)
    return shift(steps, interval).reshape(-1, CELLS)


def _most_in_common(
    moved: np.ndarray, ours: np.ndarray, theirs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each of our bars, moved, the largest share in common with theirs, and with which."""
    x = torch.from_numpy(moved).to(DEVICE).float()  # counts stay exact in float32
    sizes = torch.from_numpy(ours.sum(axis=1, dtype=np.int64)).to(DEVICE)
    best = torch.zeros(len(x), device=DEVICE)
    where = torch.zeros(len(x), dtype=torch.int64, device=DEVICE)
    for rows in blocks(len(theirs), BLOCK):
        y = torch.from_numpy(theirs[rows]).to(DEVICE).float()
        notes = sizes[:, None] + y.sum(dim=1)
        share, column = (2 * (x @ y.T) / notes.clamp(min=1)).max(dim=1)
        where = torch.where(share > best, column + rows.start, where)
        best = torch.maximum(best, share)
    return best.cpu().numpy(), where.cpu().numpy()


@waiting("looking for copied bars")
def longest_runs(
    generated: Mapping[str, np.ndarray], training: Mapping[str, np.ndarray]
) -> dict[str, CopiedRun]:
    """For each generated piece (T, 78, 2) the longest run of bars copied note for note.

    Copied means equal in both bits, transposed by one interval throughout. A run begins and ends
    with a bar that sounds.
    """
    ours = {name: _windows(piece, STEPS_PER_BAR) for name, piece in generated.items()}
    wanted = {key for keys, _ in ours.values() for key in keys}
    index: dict[bytes, list[tuple[str, int, int]]] = {}
    silent = set()
    for name, piece in training.items():
        for step, (key, low) in enumerate(zip(*_windows(piece, 1), strict=True)):
            if low == SILENT:
                silent.add((name, step))
            elif key in wanted:
                index.setdefault(key, []).append((name, step, int(low)))
    return {name: _longest(*windows, index, silent) for name, windows in ours.items()}


def _windows(piece: np.ndarray, every: int) -> tuple[list[bytes], np.ndarray]:
    """Bars that begin at every so many steps: their notes from the lowest up, and that one.

    The lowest is 78 where the bar is silent.
    """
    if len(piece) < STEPS_PER_BAR:
        return [], np.zeros(0, int)
    sounding = piece[..., PLAY] > 0
    lowest = np.where(sounding.any(axis=1), sounding.argmax(axis=1), SILENT)
    lows = sliding_window_view(lowest, STEPS_PER_BAR)[::every].min(axis=1)
    steps = sliding_window_view(piece, STEPS_PER_BAR, axis=0)[::every]  # (windows, 78, 2, 16)
    keys = [np.packbits(w[low:]).tobytes() for w, low in zip(steps, lows, strict=True)]
    return [key.rstrip(b"\0") for key in keys], lows


def _longest(
    keys: list[bytes],
    lows: np.ndarray,
    index: Mapping[bytes, list[tuple[str, int, int]]],
    silent: set[tuple[str, int]],
) -> CopiedRun:
    """Runs that end in each bar are prolonged by the next, at the same interval."""
    best = CopiedRun(0)
    ending: dict[tuple[str, int, int], int] = {}  # (piece, step, interval): bars
    for bar, (key, low) in enumerate(zip(keys, lows, strict=True)):
        if low == SILENT:
            after = ((name, step + STEPS_PER_BAR, up) for name, step, up in ending)
            before = ending
            ending = {
                (name, step, up): before[name, step - STEPS_PER_BAR, up] + 1
                for name, step, up in after
                if (name, step) in silent
            }
            continue
        here = ((name, step, int(low) - there) for name, step, there in index.get(key, []))
        ending = {
            (name, step, up): ending.get((name, step - STEPS_PER_BAR, up), 0) + 1
            for name, step, up in here
        }
        if ending and max(ending.values()) > best.bars:
            (name, step, up), count = max(ending.items(), key=lambda item: item[1])
            first = step - (count - 1) * STEPS_PER_BAR
            best = CopiedRun(count, bar - count + 1, name, first, up)
    return best
