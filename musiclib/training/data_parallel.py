"""One network trained by several processes, each on its share of every batch's sequences.

After the exchange gradients, losses and weights are those of the whole batch, the same in every
process (torch's DistributedDataParallel). The first process leads: it alone writes.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from musiclib.base.errors import InputError
from musiclib.models.model import Model
from musiclib.training.curriculum import Stage


class Crew:
    """The processes that train one network: this one, of `size`. Alone it has nothing to agree on.

    All of them call the same methods in the same order.
    """

    rank, size = 0, 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and says."""
        return self.rank == 0

    def share(self, whole: Tensor, along: int = 0) -> Tensor:
        """The sequences of a batch, or of its memory, that are this process's: here all of them."""
        return whole

    def loss(self, model: Model, part: Tensor, memory: Any, batch: Tensor) -> tuple[Tensor, Any]:
        """A share's loss and memory; the mean over the processes is that of the batch."""
        return model.loss(part, memory)

    def exchange(self, model: Model, *, last: bool) -> AbstractContextManager:
        """What a part of a share is computed in: gradients are exchanged with the last one."""
        return nullcontext()

    def mean(self, value: Tensor) -> Tensor:
        """The mean over the processes."""
        return value

    def agree(self, value: bool) -> bool:
        """What the process that leads says; the others wait for it."""
        return value

    def memory_of_all(self, memory: Any, along: int) -> Any:
        """The memory of all sequences, from that of each process's share."""
        return memory

    def memory_of_share(self, memory: Any, along: int) -> Any:
        """The memory of this process's share, from that of all sequences."""
        return memory


ALONE = Crew()


class Processes(Crew):
    """Several processes that torch.distributed knows of."""

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.wrapped: DistributedDataParallel | None = None

    def share(self, whole: Tensor, along: int = 0) -> Tensor:
        """A run of neighbours; shares differ by one at most."""
        return whole.tensor_split(self.size, along)[self.rank]

    def loss(self, model: Model, part: Tensor, memory: Any, batch: Tensor) -> tuple[Tensor, Any]:
        """Scaled, since gradients are averaged; 0 where there are fewer sequences than shares."""
        if not len(part):
            return part.new_zeros((), dtype=torch.float32), None
        share = 1.0 if model.over_batch == "sum" else len(part) / len(batch)
        return self._around(model)(part, memory, self.size * share)

    def exchange(self, model: Model, *, last: bool) -> AbstractContextManager:
        """The parts before the last one add to the gradients of this process alone."""
        return nullcontext() if last else self._around(model).no_sync()

    def _around(self, model: Model) -> DistributedDataParallel:
        if self.wrapped is None or self.wrapped.module.model is not model:
            self.wrapped = _distributed(model)
        return self.wrapped

    def mean(self, value: Tensor) -> Tensor:
        """The same digits in every process."""
        total = value.clone()
        dist.all_reduce(total)
        return total / self.size

    def agree(self, value: bool) -> bool:
        """Told over the processors, so that no GPU is waited for."""
        told = torch.tensor([value], dtype=torch.uint8)
        dist.broadcast(told, 0)
        return bool(told)

    def memory_of_all(self, memory: Any, along: int) -> Any:
        """Put together in the order of the processes; on the processor."""
        shares = [None] * self.size
        dist.all_gather_object(shares, _each(Tensor.cpu, memory))
        return _each(lambda *parts: torch.cat(parts, along), *shares)

    def memory_of_share(self, memory: Any, along: int) -> Any:
        """As the sequences are shared."""
        return _each(lambda whole: self.share(whole, along).contiguous(), memory)


class _Objective(nn.Module):
    """A model whose forward pass is its loss, times a weight: what torch distributes."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.left_out = nn.Parameter(torch.zeros(1))  # else torch warned that none is

    def forward(self, part: Tensor, memory: Any, weight: float) -> tuple[Tensor, Any]:
        loss, memory = self.model.loss(part, memory)
        return loss * weight, memory


def _distributed(model: Model) -> DistributedDataParallel:
    """Gradients are added up in the same order always, also after a run is resumed.

    Left alone, torch puts them into another order after the first iteration of each start, which
    changes last digits; it does not where parameters may be left out of the loss.
    """
    return DistributedDataParallel(
        _Objective(model), find_unused_parameters=True, gradient_as_bucket_view=True
    )


def _each(function: Callable, *memories: Any) -> Any:
    """A function of the tensors of memories, which may be None or lie in tuples and lists."""
    if memories[0] is None or isinstance(memories[0], Tensor):
        return None if memories[0] is None else function(*memories)
    return type(memories[0])(_each(function, *parts) for parts in zip(*memories, strict=True))


def must_share(model: type[Model], config: Any, size: int, stages: Sequence[Stage] = ()) -> None:
    """Raise InputError where `size` processes cannot share a model's batches."""
    if size == 1:
        return
    if not model.shares(config):
        raise InputError(
            f"{model.__name__} trains in one process alone: its loss is not made of one a sequence"
        )
    for stage in stages:
        batch, _ = stage.batches.draw(0, torch.Generator())
        if len(batch) < size:
            raise InputError(
                f"a batch of {len(batch)} ({stage.name}) is too small for {size} processes: ask for"
                f" {len(batch)} at most"
            )
