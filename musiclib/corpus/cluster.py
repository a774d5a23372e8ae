"""The workers of a Dask cluster, as an executor that `read_corpus` takes."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from musiclib.base.errors import InputError
from musiclib.base.progress import waiting

PATIENCE = "10s"  # until a scheduler has answered


@contextmanager
def workers_of(address: str | None) -> Iterator[Executor | None]:
    """Yield an executor for the workers of the scheduler at an address, as tcp://head:8786.

    None for no address. Raises InputError where Dask is not installed, or no scheduler answers.
    """
    if not address:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise InputError('clusters need Dask: pip install "musiclib[cluster]"') from None
    try:
        with waiting("asking the scheduler"):
            client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # TypeError: tls://, no keys
        raise InputError(
            f"no scheduler answers at {address} ({error}): start one with `dask scheduler`,"
            " and `dask worker ADDRESS` on each machine"
        ) from error
    with client:
        yield client.get_executor(pure=False)  # a call that is made twice is two


def workers_that_train() -> int:
    """How many workers the cluster of `workers_of` has now.

    Raises InputError where it has none, or one with several threads: training needs a process of
    its own.
    """
    from distributed import default_client

    threads = default_client().nthreads()
    how = "`dask worker ADDRESS --nworkers N --nthreads 1` on each machine"
    if not threads:
        raise InputError(f"the scheduler has no worker: start some with {how}")
    if max(threads.values()) > 1:
        raise InputError(f"a worker has several threads, of which one alone can train: use {how}")
    return len(threads)
