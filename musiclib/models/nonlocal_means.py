"""What a piece plays elsewhere in places like this one: non-local means over its steps.

Music repeats itself, so a note that is missing here often stands where the piece says the same
again. Buades, Coll and Morel, A Non-Local Algorithm for Image Denoising, CVPR 2005, with steps for
pixels and the cosine of the steps around for the distance of patches.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

REACHES = (6, 16)  # steps to either side that must be alike
NEIGHBOURS = 8
SHARPNESS = 20.0  # weights are exp(sharpness * cosine)
APART = 4  # steps; nearer ones are not elsewhere
BLOCK = 512
CHANNELS = 3 * 2 * len(REACHES)


def recall(states: Tensor) -> Tensor:
    """What steps like each one play: (T, 78, 12) from states (T, 78, 2), float.

    For either reach the weighted mean of the most alike steps, the same times how alike they are,
    and times the fourth power of it. Steps whose surroundings have nothing in common with these
    keep their weight but say nothing: zeros where there is nothing elsewhere.
    """
    cells = states.flatten(1).float()  # (T, 156)
    with torch.autocast(states.device.type, enabled=False):
        means = [mean for reach in REACHES for mean in _means(cells, reach)]
    return torch.cat([mean.unflatten(1, states.shape[1:]) for mean in means], dim=2)


def _means(cells: Tensor, reach: int) -> list[Tensor]:
    """The three means of every step, (T, 156) each, blocks of steps at a time to save memory."""
    padded = F.pad(cells, (0, 0, reach, reach))
    steps = torch.arange(len(cells), device=cells.device)
    blocks = [_best(padded, reach, block) for block in steps.split(BLOCK)]
    best, where = (torch.cat(parts) for parts in zip(*blocks, strict=True))
    weights = torch.softmax(SHARPNESS * best, dim=1) * (best > 0)
    mean = (weights[..., None] * cells[where]).sum(dim=1)
    alike = (weights * best).sum(dim=1, keepdim=True)
    return [mean, mean * alike, mean * alike**4]


def _best(padded: Tensor, reach: int, block: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and place of the steps most alike to those of a block, both (block, neighbours)."""
    steps, size = len(padded) - 2 * reach, 2 * reach + 1
    products = padded[block[0] : block[-1] + size] @ padded.T
    summed = sum(products[i : i + len(block), i : i + steps] for i in range(size))
    norm = padded.square().sum(dim=1).unfold(0, size, 1).sum(dim=1).clamp_min(1).sqrt()
    cosine = summed / norm[block, None] / norm
    near = (block[:, None] - torch.arange(steps, device=block.device)).abs() < APART
    return cosine.masked_fill(near, -1.0).topk(min(NEIGHBOURS, steps), dim=1)
