"""Processes that do what they are told, a line each way: so rivals take turns on one machine."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any


def serve(jobs: dict[str, Callable[..., Callable[[], Any]]], peak: Callable[[], float]) -> None:
    """Answer requests on standard input: {"make": [job, arguments]} once, then {"run": times}.

    The answer is the seconds it took and what `peak` says of memory, in GB.
    """
    call: Callable[[], Any] = lambda: None  # noqa: E731
    for line in sys.stdin:
        request = json.loads(line)
        began = time.perf_counter()
        if "make" in request:
            job, arguments = request["make"]
            call = jobs[job](**arguments)
        for _ in range(request.get("run", 0)):
            call()
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "peak": peak()}), flush=True)


class Rival:
    """One such process: it begins to make a job, and runs it when its turn comes."""

    def __init__(self, command: list[str], job: str, **arguments: Any) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.send(make=[job, arguments])
        self.ready = False

    def send(self, **request: Any) -> None:
        """Ask for something."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, float]:
        """Wait for the answer; raises RuntimeError if the process ended instead."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended: its message stands above")
        return json.loads(line)

    def run(self, times: int = 1) -> dict[str, float]:
        """Do the job so many times: `seconds` for one, and `peak` memory in GB."""
        self.wait()
        self.send(run=times)
        answer = self.receive()
        return {**answer, "seconds": answer["seconds"] / times}

    def wait(self) -> None:
        """Wait until the job is made."""
        if not self.ready:
            self.receive()
            self.ready = True

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


@dataclass(frozen=True)
class Taken:
    """What a rival took: seconds of every round, and its peak memory in GB."""

    seconds: list[float]
    peak: float

    @property
    def median(self) -> float:
        """Median seconds."""
        return statistics.median(self.seconds)

    def spread(self, scale: float, digits: int = 0) -> str:
        """The middle half of the rounds, in 1 / `scale` seconds."""
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return f"{low * scale:.{digits}f} to {high * scale:.{digits}f}"


def in_turns(rivals: dict[Any, Rival], warm: int, rounds: int, times: int = 1) -> dict[Any, Taken]:
    """Let rivals take turns for some rounds, after some to warm up, and end them."""
    for rival in rivals.values():
        rival.wait()
    for rival in list(rivals.values()) * warm:
        rival.run(times)
    order = Random(0)  # nobody runs after the same rival every time
    answers = [
        {name: rivals[name].run(times) for name in order.sample(list(rivals), len(rivals))}
        for _ in range(rounds)
    ]
    for rival in rivals.values():
        rival.close()
    return {
        name: Taken([answer[name]["seconds"] for answer in answers], answers[-1][name]["peak"])
        for name in rivals
    }


def turns(
    calls: dict[Any, Callable[[], Any]], wait: Callable[[], None], warm: int, rounds: int
) -> dict[Any, Taken]:
    """The same for calls in this process; `wait` waits until what they began has ended."""
    taken = {name: [] for name in calls}
    for round_ in range(warm + rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            wait()
            if round_ >= warm:
                taken[name].append(time.perf_counter() - began)
    return {name: Taken(seconds, 0.0) for name, seconds in taken.items()}
