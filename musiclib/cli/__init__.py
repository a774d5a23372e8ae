"""The command line: `python -m musiclib COMMAND --help`.

Modules are imported inside the commands: `--help` and a mistyped option then answer at once.
"""

import errno
import io
import os
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import wraps
from importlib import import_module
from signal import SIGINT, SIGTERM

import click

from musiclib.base.aside import FULL, without_aside
from musiclib.base.errors import NO_MEMORY, NO_SPACE, InputError
from musiclib.base.progress import waiting
from musiclib.base.stopping import STOPPED, Terminated, stoppable, stopping_at_once
from musiclib.cli.benchmark import benchmark
from musiclib.cli.composing import compose, mend
from musiclib.cli.corpus import corpus
from musiclib.cli.judging import evaluate, isl
from musiclib.cli.options import example
from musiclib.cli.paper import affordable, data, keep, notebook, readme, site
from musiclib.cli.runs import runs
from musiclib.cli.training import train


def main(arguments: list[str] | None = None) -> None:
    """Run a command; faults of input or machine end in one sentence and status 1, options in 2."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):  # names of files may be in no encoding
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with stoppable():
            commands.main(arguments, prog_name="python -m musiclib", standalone_mode=False)
            _flush()
    except (KeyboardInterrupt, click.Abort) as error:
        command = next(iter(sys.argv[1:] if arguments is None else arguments), "")
        number = SIGTERM if Terminated in map(type, (error, error.__cause__)) else SIGINT
        print(STOPPED.format(GOES_ON.get(command, ANEW)), file=sys.stderr)
        sys.exit(128 + number)
    except click.ClickException as error:
        print(f"musiclib: {error.format_message()}", file=sys.stderr)
        sys.exit(error.exit_code)
    except InputError as error:
        sys.exit(f"musiclib: {error}")
    except OSError as error:
        sys.exit(f"musiclib: {_machine_fault(error)}")
    except MemoryError:
        sys.exit(f"musiclib: {NO_MEMORY}")
    except BrokenProcessPool:
        sys.exit("musiclib: a worker process was killed, or out of memory; run the command again")
    except RuntimeError as error:  # after its kinds above
        if "DefaultCPUAllocator" in str(error):  # torch's MemoryError
            sys.exit(f"musiclib: {NO_MEMORY}")
        if type(error).__name__ != "OutOfMemoryError":  # torch's, which is not imported for it
            raise
        sys.exit("musiclib: the GPU has no memory left: end what else runs on it, then try again")


def _open_streams() -> None:
    """Where nobody listens what is said goes nowhere, and not into a file that is opened."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 (as long as it runs)


def _flush() -> None:
    """Print the rest of what is printed; what cannot be is said, too."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        raise InputError(f"what this prints cannot be written ({error.strerror})") from None


def _machine_fault(error: OSError) -> str:
    where = f" ({without_aside(error.filename)})" if error.filename else ""
    if error.errno in FULL:
        return NO_SPACE.format(where)
    return f"{error.strerror or error}{where}"


@click.group(epilog=example("compose --out piece.mid --audio piece.mp3", "train biaxial"))
def commands() -> None:
    """Train, compose, mend and judge; `make paper` does all of it for the paper."""


ANEW = "no file is half written, and the same command begins anew"
GOES_ON = {
    "train": "the same command goes on from the state that was saved last",
    "runs": "what is trained is saved, but for 20 seconds at most: the same command goes on",
    "benchmark": "the same command goes on with training from the states that were saved last",
    "notebook": "the same command goes on with training, and does the rest anew",
}
LOADED_FIRST = {  # what takes a command seconds to import, so that people see what they wait for
    "train": "musiclib.training.train",
    "runs": "musiclib.paper.standing",
    "compose": "musiclib.composing.folders",
    "mend": "musiclib.mending.folders",
    "isl": "musiclib.metrics.bits_saved",
    "evaluate": "musiclib.metrics.evaluation",
    "corpus": "musiclib.corpus.assemble",
    "keep": "musiclib.paper.keep",
    "affordable": "musiclib.paper.affordable",
    "benchmark": "musiclib.paper.benchmark_kept",
}


def loading(command: click.Command) -> click.Command:
    """The command, with what it imports loaded once its options are known to be right."""
    body: Callable = command.callback

    @wraps(body)
    def loaded(*given: object, **named: object) -> object:
        remark = GOES_ON.get(command.name, ANEW)
        with waiting("loading libraries", logged=False), stopping_at_once(remark):
            import_module(LOADED_FIRST[command.name])
        return body(*given, **named)

    if command.name in LOADED_FIRST:
        command.callback = loaded
    return command


for command in (
    *(train, runs, compose, mend, isl, evaluate, data, corpus, benchmark),
    *(notebook, keep, affordable, readme, site),
):
    commands.add_command(loading(command))
