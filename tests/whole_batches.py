"""Batches as they were drawn when all pieces were unpacked and laid end to end first."""

import numpy as np
import torch

from musiclib.music.corrupted import WRONG, corrupt
from musiclib.music.transforms import legal


def below(limit, generator):
    return int(torch.randint(limit, (), generator=generator))


class WholeSegments:
    def __init__(self, pieces, batch, steps, hop=16):
        self.pieces = [torch.from_numpy(piece) for piece in pieces if len(piece) >= steps]
        self.batch, self.steps, self.hop = batch, steps, hop

    def draw(self, iteration, generator):
        segments = torch.stack([self.segment(generator) for _ in range(self.batch)])
        return segments, iteration == 0

    def segment(self, generator):
        piece = self.pieces[below(len(self.pieces), generator)]
        starts = (len(piece) - self.steps) // self.hop + 1
        start = below(starts, generator) * self.hop
        return piece[start : start + self.steps]

    def every(self, batches):
        segments = [s for p in self.pieces for s in p.split(self.steps) if len(s) == self.steps]
        wanted = batches * self.batch
        at = np.arange(wanted) * len(segments) // wanted
        return [(part, True) for part in torch.stack([segments[i] for i in at]).split(self.batch)]


class WholeCorrupted:
    def __init__(self, pieces, steps, most):
        self.pieces, self.steps, self.most = [legal(piece) for piece in pieces], steps, most

    def draw(self, iteration, generator):
        piece = self.pieces[below(len(self.pieces), generator)]
        start = below(max(len(piece) - self.steps, 0) // 16 + 1, generator)
        excerpt = legal(piece[start * 16 :][: self.steps])
        rng = np.random.default_rng(below(2**62, generator))
        given = corrupt(excerpt, rng.uniform(0, self.most), rng, WRONG[rng.integers(len(WRONG))])
        return torch.from_numpy(np.concatenate([excerpt, given], axis=-1))[None], True

    def every(self, batches):
        return [self.draw(i, torch.Generator().manual_seed(i)) for i in range(batches)]


class WholeWindows:
    def __init__(self, rolls, batch, window, hop, shifted=False):
        stream = torch.from_numpy(np.concatenate(list(rolls)))
        self.window, self.hop, self.shifted = window, hop, shifted
        lanes = min(batch, len(stream) // (window + hop))
        length = len(stream) // lanes
        self.lanes = stream[: lanes * length].unflatten(0, (lanes, length))
        self.epoch = (length - window - (hop if shifted else 1)) // hop + 1

    def draw(self, iteration, generator=None):
        epoch, index = divmod(iteration, self.epoch)
        start = index * self.hop + (epoch % self.hop if self.shifted else 0)
        return self.lanes[:, start : start + self.window + 1], index == 0

    def every(self, batches):
        return [self.draw(index) for index in range(min(batches, self.epoch))]
