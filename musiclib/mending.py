"""Mending composed music: what the paper wanted of its RBM (section 2.4.3), several ways.

A way gives every cell of a piece the probability that it is on in the music that is meant, float of
shape (T, 78, 2), from legal note states (T, 78, 2). `choose` makes music of them, note by note, so
that what is good stays: a note goes where its strike is unlikely, one comes where it is likely.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from musiclib.keys import estimate_key, normalise_key
from musiclib.measures import STEPS_PER_MEASURE
from musiclib.midi import ARTICULATE, LOWEST_PITCH, NOTES, PLAY
from musiclib.models import RBM, ConditionalRBM
from musiclib.notes import ONSET, PITCH, notes_of, states_with
from musiclib.restoration import f1
from musiclib.transforms import legal

EVEN = 0.5
BLOCK = 256  # windows at a time
HOP = 4  # steps between windows whose free energy is asked

Way = Callable[[np.ndarray], np.ndarray]


def mend(states: np.ndarray, way: Way, *, normalise: bool = True) -> np.ndarray:
    """A piece (T, 78, 2) mended one way; `normalise` for machines that know C major and A minor.

    Notes that normalising would push over the edge of the 78 pitches come back unmended.
    """
    if not normalise:
        return choose(legal(states), way(legal(states)))
    moved = normalise_key(legal(states))
    return moved._replace(states=choose(moved.states, way(moved.states))).undo()


def choose(
    states: np.ndarray, chances: np.ndarray, keep: float = EVEN, add: float = EVEN
) -> np.ndarray:
    """Music by chances (T, 78, 2) of strikes and of sounding, starting from legal states.

    A given note stays whole where the chance of its strike is at least `keep`; where no note was
    given and the chance is over `add`, in what is silent now, a new note is held as long as
    sounding is more likely than not: what is held was struck, and stops at the next strike.
    """
    notes = notes_of(states)
    kept = notes[chances[notes[:, ONSET], notes[:, PITCH], ARTICULATE] >= keep]
    mended = states_with(kept, len(states))
    new = (states[..., ARTICULATE] == 0) & (chances[..., ARTICULATE] > add)
    return mended | _grown(mended, new, chances)


def _grown(states: np.ndarray, struck: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """New notes alone (T, 78, 2), struck and held where `states` are silent."""
    free = states[..., PLAY] == 0
    struck = free & struck
    held = free & (chances[..., PLAY] > EVEN)
    sounding = struck.copy()
    for step in range(1, len(states)):
        sounding[step] |= sounding[step - 1] & held[step]
    return np.stack([sounding, struck], axis=-1).astype(np.uint8)


class Thresholds(NamedTuple):
    """`keep` and `add` of `choose`."""

    keep: float
    add: float


KEEP = (0.0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
ADD = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def tuned(pairs: Sequence[tuple[np.ndarray, np.ndarray]], way: Way) -> Thresholds:
    """The thresholds with the best mean F1 over pairs of original and spoiled pieces.

    Keeping all and adding nothing is among them.
    """
    chances = [way(given) for _, given in pairs]

    def mean_f1(thresholds: Thresholds) -> float:
        return np.mean(
            [
                f1(choose(given, chance, *thresholds), meant)
                for (meant, given), chance in zip(pairs, chances, strict=True)
            ]
        )

    return max((Thresholds(keep, add) for keep in KEEP for add in ADD), key=mean_f1)


def cell_by_cell(chances: np.ndarray) -> np.ndarray:
    """Music by chances alone, every cell on its own; holds without strikes become strikes."""
    return legal((chances > EVEN).astype(np.uint8))


def conditional(machine: ConditionalRBM, states: np.ndarray) -> np.ndarray:
    """The conditional RBM's mean field."""
    with torch.inference_mode():
        given = torch.from_numpy(states)[None].to(next(machine.parameters()).device)
        return torch.sigmoid(machine(given))[0].cpu().numpy()


def votes(machine: RBM, states: np.ndarray) -> np.ndarray:
    """One mean-field step from the music as it is, the mean over all windows that hold a cell."""
    return _over_windows(machine, states, lambda w: torch.sigmoid(machine.reconstruction(w)))


def clamped(
    machine: RBM, states: np.ndarray, *, doubt: float = 0.1, sweeps: int = 5, seed: int = 0
) -> np.ndarray:
    """Gibbs sampling of the doubtful cells, the others clamped; mean over sweeps and windows.

    Doubtful is what the votes give a chance of at most 1 - `doubt` to be as it is.
    """
    chances = votes(machine, states)
    doubtful = np.where(states == 1, chances, 1 - chances) <= 1 - doubt
    generator = torch.Generator(machine.weights.device).manual_seed(seed)
    sample = partial(_resampled, machine, sweeps=sweeps, generator=generator)
    return _over_windows(machine, states, sample, doubtful)


def _resampled(
    machine: RBM, windows: Tensor, doubtful: Tensor, sweeps: int, generator: torch.Generator
) -> Tensor:
    """Mean chances (B, visible) over Gibbs sweeps in which only doubtful cells change."""
    visible, total = windows, torch.zeros_like(windows)
    for _ in range(sweeps):
        hidden = torch.bernoulli(torch.sigmoid(machine.hidden_logits(visible)), generator=generator)
        chances = torch.sigmoid(machine.visible_logits(hidden))
        chances = torch.where(doubtful == 1, chances, windows)
        visible = torch.bernoulli(chances, generator=generator)
        total += chances
    return total / sweeps


def gated(machine: RBM, states: np.ndarray, *, share: float = 0.1) -> np.ndarray:
    """Each note by what free energy says of it, given that a share of the notes is spoiled.

    Log odds that a note is meant: the mean over windows of F(without it) - F(with it), plus what
    the given music says, log((1 - share) / wrong) for a note that is given and
    log(share / (1 - wrong)) for one that is not, where wrong = share * given notes / silent cells
    is the rate of wrong notes. Notes that may be missing are those to whose strike the votes give
    a chance of more than `share`.
    """
    chances = votes(machine, states)
    possible = chances[..., ARTICULATE] > share
    given, missing = notes_of(states), notes_of(_grown(states, possible, chances))
    wrong = min(share * len(given) / max(1, int((states[..., PLAY] == 0).sum())), EVEN)
    strikes = np.zeros(states.shape[:2])
    for notes, sign, evidence in (
        (given, 1, np.log((1 - share) / max(wrong, 1e-9))),
        (missing, -1, np.log(share / (1 - wrong))),
    ):
        odds = evidence + sign * _change(machine, states, notes)
        strikes[notes[:, ONSET], notes[:, PITCH]] = 1 / (1 + np.exp(-odds))
    chances[..., ARTICULATE] = strikes
    return chances


@torch.inference_mode()
def _change(machine: RBM, states: np.ndarray, notes: np.ndarray) -> np.ndarray:
    """Rise of free energy when each note (n, 3) is flipped: mean over windows, (n,).

    Of the windows that hold the strike, every fourth counts, and the piece's last; notes are cut
    at their ends.
    """
    windows, size = _windows(states, machine.config.window, machine.weights), machine.config.window
    total, count = np.zeros(len(notes)), np.zeros(len(notes))
    for start in sorted({*range(0, len(windows), HOP), len(windows) - 1}):
        inside = np.flatnonzero((notes[:, ONSET] >= start) & (notes[:, ONSET] < start + size))
        if len(inside):
            near = notes[inside] - [start, start, 0]
            total[inside] += _changes(machine, windows[start].flatten(), near).cpu().numpy()
            count[inside] += 1
    return total / np.maximum(count, 1)


def _changes(machine: RBM, window: Tensor, notes: np.ndarray) -> Tensor:
    """Rise of free energy of one window (visible,) when each of its notes is flipped, (n,)."""
    owner, cells = (part.to(window.device) for part in _cells(notes, machine.config.window))
    by = 1 - 2 * window[cells]  # +1 where a cell comes on, -1 where it goes off
    bias = window.new_zeros(len(notes)).index_add(0, owner, by * machine.visible_bias[cells])
    logits = machine.hidden_logits(window)
    moved = logits.expand(len(notes), -1).index_add(0, owner, by[:, None] * machine.weights[cells])
    return F.softplus(logits).sum() - F.softplus(moved).sum(dim=1) - bias


def _cells(notes: np.ndarray, size: int) -> tuple[Tensor, Tensor]:
    """The number of the note and the place in the window of every cell of notes (n, 3)."""
    pairs = [
        (number, (step * NOTES + pitch) * 2 + bit)
        for number, (onset, end, pitch) in enumerate(notes.tolist())
        for step in range(onset, min(end, size))
        for bit in ((PLAY, ARTICULATE) if step == onset else (PLAY,))
    ]
    owner, cells = torch.tensor(pairs).T
    return owner, cells


def _over_windows(
    machine: RBM, states: np.ndarray, chances: Callable, *more: np.ndarray
) -> np.ndarray:
    """Mean over all windows that hold a cell of the chances that they give it, (T, 78, 2).

    `chances` gets windows (B, visible) of the states and of each of `more`. Pieces shorter than a
    window are filled up with silence.
    """
    size, steps = machine.config.window, len(states)
    parts = [_windows(array, size, machine.weights) for array in (states, *more)]
    total = torch.zeros(max(steps, size), states[0].size, dtype=machine.weights.dtype)
    for at in torch.arange(len(parts[0])).split(BLOCK):
        with torch.inference_mode():
            block = chances(*(part[at].flatten(1) for part in parts)).cpu().unflatten(1, (size, -1))
        for offset in range(size):
            total[at + offset] += block[:, offset]
    counts = np.convolve(np.ones(len(parts[0])), np.ones(size))
    return (total / torch.from_numpy(counts)[:, None])[:steps].view(states.shape).numpy()


def _windows(array: np.ndarray, size: int, like: Tensor) -> Tensor:
    """All windows of an array (T, 78, 2) with a hop of one step: a view (n, size, 156)."""
    cells = torch.from_numpy(array.astype(np.float32)).flatten(1).to(like.device, like.dtype)
    cells = F.pad(cells, (0, 0, 0, max(0, size - len(cells))))
    return cells.unfold(0, size, 1).transpose(1, 2)


def baseline(states: np.ndarray) -> np.ndarray:
    """Mending without a machine: drop notes outside each measure's key, fill by repetition.

    The key is that of the measure and its two neighbours; a note comes back where the measures
    before and after both strike it and its place is silent. Returns music, not chances.
    """
    notes, size = notes_of(states), STEPS_PER_MEASURE
    starts = range(0, len(states), size)
    scales = np.array([_scale(states[max(0, at - size) : at + 2 * size]) for at in starts])
    kept = notes[scales[notes[:, ONSET] // size, notes[:, PITCH]]]
    mended = states_with(kept, len(states))
    for onset, end, pitch in sorted(_agreed(notes)):
        if not mended[onset:end, pitch].any():
            mended[onset:end, pitch, PLAY] = 1
            mended[onset, pitch, ARTICULATE] = 1
    return mended


def _agreed(notes: np.ndarray) -> list[tuple[int, int, int]]:
    """Notes that the measures before and after both strike, as long as the shorter of the two."""
    size = STEPS_PER_MEASURE
    later = {(onset + size, pitch): end + size for onset, end, pitch in notes.tolist()}
    sooner = {(onset - size, pitch): end - size for onset, end, pitch in notes.tolist()}
    both = later.keys() & sooner.keys()
    return [(at, min(later[at, pitch], sooner[at, pitch]), pitch) for at, pitch in both]


def _scale(states: np.ndarray) -> np.ndarray:
    """Which of the 78 pitches are in the scale of the estimated key, bool (78,)."""
    key = estimate_key(states)
    return np.isin((np.arange(NOTES) + LOWEST_PITCH - key.tonic) % 12, SCALES[key.mode])


SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}
