"""Ways to give every cell of a piece the chance that it is on in the music that is meant.

All take legal note states (T, 78, 2) and give chances, float of the same shape, but
`cell_by_cell`, which makes music of them at once.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from musiclib.mending.mend import EVEN, grown
from musiclib.models import RBM, ConditionalRBM
from musiclib.music.note_states import ARTICULATE, NOTES, PLAY
from musiclib.music.notes import ONSET, PITCH, notes_of
from musiclib.music.transforms import legal

BLOCK = 256  # windows at a time
HOP = 4  # steps between windows whose free energy is asked


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
    """Each note by what free energy says of it, given that a share of the notes is corrupted.

    Log odds that a note is meant: the mean over windows of F(without it) - F(with it), plus what
    the given music says, log((1 - share) / wrong) for a note that is given and
    log(share / (1 - wrong)) for one that is not, where wrong = share * given notes / silent cells
    is the rate of wrong notes. Notes that may be missing are those to whose strike the votes give
    a chance of more than `share`.
    """
    chances = votes(machine, states)
    possible = chances[..., ARTICULATE] > share
    given, missing = notes_of(states), notes_of(grown(states, possible, chances))
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
