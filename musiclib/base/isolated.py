"""Calls in processes of their own: one that dies, hangs or asks for too much memory fails alone."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socketpair
from typing import Any

SERVE = "from musiclib.base.isolated import serve; serve({}, {})"


class Lost(RuntimeError):
    """A call whose process died, or that took too long."""


class Isolated(Executor):
    """Calls `workers` at a time, each worker a process that no script is imported into anew.

    A call that takes more than `seconds`, or ends its process, raises Lost, and one that asks
    for more than `memory` bytes MemoryError (on Linux); the next calls have a new process.
    """

    def __init__(self, workers: int, seconds: float, memory: int) -> None:
        self.seconds, self.memory = seconds, memory
        self.threads = ThreadPoolExecutor(workers)
        self.own, self.children = threading.local(), []

    def submit(self, function: Callable, /, *args: Any, **named: Any) -> Future:
        """Call a function of a module, which is pickled by its name."""
        return self.threads.submit(self._call, function, args, named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; what runs is waited for."""
        self.threads.shutdown(wait, cancel_futures=cancel_futures)
        for child in self.children:
            child.end()

    def __exit__(self, kind: type | None, *_: object) -> None:
        """What runs is waited for; not where something went wrong."""
        if kind:
            self.threads.shutdown(wait=False, cancel_futures=True)  # before their threads are free
            for child in self.children:
                child.process.kill()
        self.shutdown()

    def _call(self, function: Callable, args: tuple, named: dict) -> Any:
        child = self._child()
        try:
            child.channel.send((function, args, named))
            if not child.channel.poll(self.seconds):
                raise Lost(f"it took more than {self.seconds:.0f} s")
            result, error = child.channel.recv()
        except (EOFError, OSError):
            child.end()
            raise Lost(f"its process ended ({child.process.returncode})") from None
        except Lost:
            child.end()
            raise
        if error is not None:
            raise error
        return result

    def _child(self) -> "Child":
        """This thread's process."""
        child = getattr(self.own, "child", None)
        if child is None or child.process.returncode is not None:
            child = self.own.child = Child(self.memory)
            self.children.append(child)
        return child


class Child:
    """A process that answers calls, and ends when nobody can ask it any more."""

    def __init__(self, memory: int) -> None:
        ours, theirs = socketpair()
        places = os.pathsep.join(place for place in sys.path if place)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE.format(theirs.fileno(), memory)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": places, "OMP_NUM_THREADS": "1"},
            )
        self.channel = Connection(ours.detach())

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        self.channel.close()


def serve(handle: int, memory: int) -> None:
    """Answer calls until nobody can ask any more; what they print goes to stderr."""
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks is interrupted, and ends this
    channel, limited = Connection(handle), False
    while True:
        try:
            function, args, named = channel.recv()
        except EOFError:
            return
        if not limited:  # now that the function's modules are there
            limited = _limit(memory)
        try:
            answer = function(*args, **named), None
        except Exception as error:
            answer = None, error
        channel.send(answer)


def _limit(memory: int) -> bool:
    """Let this process have so many bytes more than it has now."""
    if sys.platform == "linux":
        import resource

        space = resource.RLIMIT_AS
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most, (_, hard) = pages * resource.getpagesize() + memory, resource.getrlimit(space)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(space, (most, hard))
    return True
