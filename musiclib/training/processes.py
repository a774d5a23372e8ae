"""The processes that train one network: started here or by torchrun, and how they meet."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.distributed as dist

from musiclib.base.cores import threads_each
from musiclib.base.screen import mute
from musiclib.base.together import together
from musiclib.training.data_parallel import ALONE, Crew, Processes

LONGEST_WAIT = timedelta(days=7)  # for who leads, who may wait for another training of the run
LOST = ("gloo", "NCCL", "Connection", "Socket")  # in what torch says of a process that is gone
SETTLED = 0.1  # seconds in which gloo's thread gets Python's lock
LOOPBACK = {"linux": "lo", "darwin": "lo0"}


def in_processes(train: Callable, arguments: tuple, processes: int, **shown: Any) -> None:
    """Call `train(*arguments, crew=crew)` in so many processes, which are a crew.

    `shown` is what `base.together` tells people. Raises what one of them raises, BrokenProcessPool
    where one is lost; then none is left.
    """
    with TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        jobs = [(rank, processes, meeting, train, arguments) for rank in range(processes)]
        together(_in_crew, jobs, "training", **shown)


def _in_crew(rank: int, size: int, meeting: Path, train: Callable, arguments: tuple) -> None:
    if sys.platform in LOOPBACK:  # they are all on this machine
        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK[sys.platform])
    with joined(rank, size, rank, size, dist.FileStore(str(meeting), size)) as crew:
        train(*arguments, crew=crew)


def started_by_torchrun() -> bool:
    """Whether this process is one of several that torchrun has started."""
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", 1)) > 1


@contextmanager
def from_environment() -> Iterator[Crew]:
    """The crew that torchrun has started this process into; else it is alone."""
    if not started_by_torchrun():
        yield ALONE
        return
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    with joined(*(int(os.environ[name]) for name in names)) as crew:
        yield crew


@contextmanager
def joined(
    rank: int, size: int, local_rank: int, local_size: int, store: dist.Store | None = None
) -> Iterator[Crew]:
    """Be process `rank` of `size`, of which `local_size` are on this machine.

    They meet in a store, or where torchrun's environment says. Raises BrokenProcessPool where
    another one is lost.
    """
    if rank:
        mute()
    torch.set_num_threads(threads_each(local_size))
    backend = "cpu:gloo,cuda:nccl" if own_gpu(local_rank, local_size) else "gloo"
    try:
        dist.init_process_group(
            backend, store=store, rank=rank, world_size=size, timeout=LONGEST_WAIT
        )
        yield Processes()
        _settle()
        dist.destroy_process_group()
    except RuntimeError as error:
        if type(error) is RuntimeError and any(word in str(error) for word in LOST):
            raise BrokenProcessPool("a process that trained with this one is gone") from error
        raise


def _settle() -> None:
    """Wait until nothing is under way between the processes.

    What takes the group down holds Python's lock and waits for gloo's thread, which needs that lock
    to let go of the tensors of its last exchange: together they would wait for ever.
    """
    dist.barrier()  # exchanges end in order, and this one has no tensors
    time.sleep(SETTLED)


def own_gpu(rank: int, size: int) -> bool:
    """Let this process see a GPU that is its own, where there is one for each; else none.

    To be called before anything is on a GPU.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = named.split(",") if named else [str(n) for n in range(torch.cuda.device_count())]
    if 0 < len(gpus) < size and rank == 0:
        print(f"{size} processes, {len(gpus)} GPU: training on the processor", file=sys.stderr)
    os.environ["CUDA_VISIBLE_DEVICES"] = gpus[rank] if len(gpus) >= size else ""
    return len(gpus) >= size
