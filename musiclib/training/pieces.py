"""A piece of a run's training, as a job that any process of any machine can do."""

import socket
import threading
import traceback
from functools import lru_cache
from typing import Literal, NamedTuple

from musiclib.base.errors import InputError
from musiclib.base.files import expanded
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.collections import MUSIC21, is_named
from musiclib.corpus.sets import Corpus
from musiclib.training.folder import failed_file, held
from musiclib.training.healing import clear
from musiclib.training.runs import Run, find
from musiclib.training.train import train_run

Ending = Literal["done", "part", "failed", "elsewhere"]

one_at_a_time = threading.Lock()  # the random numbers of a process are those of one training


class Music(NamedTuple):
    """A corpus by what `read_corpus` takes, so that each process reads it itself."""

    corpus: str
    limit: int | None = None

    @classmethod
    def of(cls, corpus: str, limit: int | None) -> "Music":
        """The same from whatever folder a process runs in: a path is made whole."""
        named = not corpus or corpus == MUSIC21 or is_named(corpus)
        return cls(corpus if named else str(expanded(corpus).absolute()), limit)

    def read(self) -> Corpus:
        """The corpus; raises InputError where it cannot be had."""
        return _read(self)


class Outcome(NamedTuple):
    """How a piece ended, and why where it failed: the reason in the first line of `why`."""

    ending: Ending
    why: str = ""


def train_piece(run: Run, music: Music, seconds: float) -> Outcome:
    """Go on with a run for so many seconds, unless another process trains in it now.

    Whatever it raises is the outcome `failed`.
    """
    with one_at_a_time:
        if held(run):
            return Outcome("elsewhere")
        try:
            _train(run, music, seconds)
        except InputError as error:
            return Outcome("failed", _one_line(str(error)))
        except Exception as error:
            why = _one_line(f"{type(error).__name__}: {error}")
            return Outcome("failed", f"{why}\n\n{traceback.format_exc()}")
    return Outcome("done" if run.finished else "part")


def _train(run: Run, music: Music, seconds: float) -> None:
    root = run.directory.parent
    if not root.is_dir():
        raise InputError(f"{socket.gethostname()} has no folder {root}: all machines must see it")
    corpus = music.read()
    if find(run.config, corpus, root) != run:
        raise InputError(f"{music.corpus} is not the music that {run.directory.name} is trained on")
    clear(failed_file(run))
    train_run(run.config, corpus, root, seconds)


@lru_cache(maxsize=1)
def _read(music: Music) -> Corpus:
    return read_corpus(music.corpus, music.limit)


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "no reason is known"
