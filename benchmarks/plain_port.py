"""Both networks as one writes them down with `nn.LSTM`: what musiclib's speed is compared with."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musiclib.models.features import features


class PlainBiaxial(nn.Module):
    """Two LSTMs along time, two along notes, a dropout mask a sequence; features are musiclib's."""

    def __init__(self, time: tuple[int, int], notes: tuple[int, int]) -> None:
        super().__init__()
        self.time1 = nn.LSTM(80, time[0], batch_first=True)
        self.time2 = nn.LSTM(time[0], time[1], batch_first=True)
        self.note1 = nn.LSTM(time[1] + 2, notes[0], batch_first=True)
        self.note2 = nn.LSTM(notes[0], notes[1], batch_first=True)
        self.dense = nn.Linear(notes[1], 2)

    def loss(self, states: Tensor) -> Tensor:
        """Negative log-likelihood of states (B, T, 78, 2)."""
        x, target = features(states[:, :-1]), states[:, 1:].float()
        batch, steps, notes, _ = x.shape
        x = x.transpose(1, 2).reshape(batch * notes, steps, -1)
        x = dropout(self.time1(x)[0])
        x = dropout(self.time2(x)[0])
        x = x.reshape(batch, notes, steps, -1).transpose(1, 2)
        below = F.pad(target[:, :, :-1], (0, 0, 1, 0))
        x = torch.cat([x, below], dim=-1).reshape(batch * steps, notes, -1)
        x = dropout(self.note1(x)[0])
        x = dropout(self.note2(x)[0])
        logits = self.dense(x).reshape(batch, steps, notes, 2).float()
        losses = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return (losses[..., 0] + losses[..., 1] * target[..., 0]).sum()

    @torch.no_grad()
    def compose(self, pieces: int, steps: int) -> Tensor:
        """Pieces (P, T, 78, 2) drawn step by step and note by note."""
        notes = torch.zeros(pieces, 78, 2, device=self.dense.weight.device)
        music, time1, time2 = [], None, None
        for step in range(steps):
            x = features(notes[:, None], step).reshape(pieces * 78, 1, 80)
            x, time1 = self.time1(x, time1)
            x, time2 = self.time2(x, time2)
            x = x.reshape(pieces, 78, -1)
            below, note1, note2, chosen = torch.zeros_like(notes[:, 0]), None, None, []
            for note in range(78):
                y, note1 = self.note1(torch.cat([x[:, note], below], dim=1)[:, None], note1)
                y, note2 = self.note2(y, note2)
                below = torch.bernoulli(torch.sigmoid(self.dense(y[:, 0])))
                below[:, 1] *= below[:, 0]
                chosen.append(below)
            notes = torch.stack(chosen, dim=1)
            music.append(notes)
        return torch.stack(music, dim=1)


def dropout(x: Tensor) -> Tensor:
    """Half of the units silent, the same at every step of a sequence; x (rows, steps, units)."""
    return x * F.dropout(torch.ones_like(x[:, :1]), 0.5)


class PlainLSTM(nn.Module):
    """512 - dropout 0.2 - 512 - dense 88, memory kept between windows.

    Kept from a window's end, which hears steps twice where windows overlap; or, as in musiclib,
    from `hop` steps in, where the next window begins.
    """

    def __init__(self, hidden: int = 512, hop: int | None = None) -> None:
        super().__init__()
        self.hop = hop
        self.lstm = nn.LSTM(88, hidden, num_layers=2, dropout=0.2, batch_first=True)
        self.dense, self.memory = nn.Linear(hidden, 88), None

    def loss(self, windows: Tensor) -> Tensor:
        """The published loss of the last step of windows (B, T + 1, 88)."""
        heard = windows[:, :-1].float()
        hidden, memory = self.lstm(heard[:, : self.hop], self.memory)
        if self.hop:
            hidden, _ = self.lstm(heard[:, self.hop :], memory)
        self.memory = tuple(part.detach() for part in memory)
        log_p = F.logsigmoid(self.dense(hidden[:, -1]).float())
        target = windows[:, -1].float()
        return -(target * (log_p - log_p.logsumexp(dim=1, keepdim=True))).sum(dim=1).mean()
