"""Ways to give every cell of a piece the chance that it is on in the music that is meant.

All take legal note states (T, 78, 2) and give chances, float of the same shape, but
`cell_by_cell`, which makes music of them at once.
"""

import numpy as np
import torch
import torch.nn.functional as F

from musiclib.mending.mend import EVEN
from musiclib.models import RBM, ConditionalRBM
from musiclib.music.transforms import legal

BLOCK = 256  # windows at a time


def cell_by_cell(chances: np.ndarray) -> np.ndarray:
    """Music by chances alone, every cell on its own; holds without strikes become strikes."""
    return legal((chances > EVEN).astype(np.uint8))


def conditional(machine: ConditionalRBM, states: np.ndarray) -> np.ndarray:
    """The conditional RBM's mean field."""
    with torch.inference_mode():
        given = torch.from_numpy(states)[None].to(next(machine.parameters()).device)
        return torch.sigmoid(machine(given))[0].cpu().numpy()


@torch.inference_mode()
def votes(machine: RBM, states: np.ndarray) -> np.ndarray:
    """One mean-field step from the music as it is, the mean over all windows that hold a cell.

    Pieces shorter than a window are filled up with silence.
    """
    size, steps, weights = machine.config.window, len(states), machine.weights
    cells = torch.from_numpy(states.astype(np.float32)).flatten(1).to(weights)  # (T, 156)
    cells = F.pad(cells, (0, 0, 0, max(0, size - steps)))
    windows = cells.unfold(0, size, 1).transpose(1, 2)  # a view (n, size, 156)
    total = torch.zeros(cells.shape, dtype=weights.dtype)
    for at in torch.arange(len(windows)).split(BLOCK):
        chances = torch.sigmoid(machine.reconstruction(windows[at].flatten(1))).cpu()
        for offset, step in enumerate(chances.unflatten(1, (size, -1)).unbind(1)):
            total[at + offset] += step
    counts = np.convolve(np.ones(len(windows)), np.ones(size))
    return (total / torch.from_numpy(counts)[:, None])[:steps].view(states.shape).numpy()
