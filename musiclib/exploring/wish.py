"""Composing as wished: one piece to hear, or a folder of them, with shipped or trained weights.

**Keys.** What was trained in C major and A minor composes there. A file to begin or end with is
brought there by its key, and the piece goes back to that key; `key` moves the tonic to the wished
one instead, by the shorter way: of what is given, else of the piece by its estimated key. A piece
in minor stays minor where major is wished: `Composed.key` says what came of it.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from musiclib.base.errors import InputError
from musiclib.base.progress import Progress, say
from musiclib.base.writing import must_be_writable, new_folder
from musiclib.composing.compose import compose, piece_seeds
from musiclib.composing.folders import corpus_primers, load_network
from musiclib.composing.room import must_have_room
from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import Corpus
from musiclib.exploring import shipped
from musiclib.exploring.composed import Composed
from musiclib.exploring.given import Given, ending_of, primer_of
from musiclib.exploring.wishes import Wish
from musiclib.mending.folders import Mender, load_machine
from musiclib.models import Network
from musiclib.music.key_names import key_named
from musiclib.music.keys import estimate_key
from musiclib.music.representations import NOTE_STATES
from musiclib.music.transforms import shift

Heard = Callable[[int, int], None]  # told how many steps of how many are composed
BYTES, LEAST = 8, 4096  # of a step as MIDI, about; of a file on a disk


class Loaded(NamedTuple):
    """What a wish needs: a network, how it was trained, a machine that mends, music given."""

    model: Network
    run: dict[str, Any]
    machine: Mender | None
    given: Given | None

    @property
    def home(self) -> int:
        """Semitones that bring what is given to the key that the network knows."""
        return self.given.key.interval if self.given and self.run["normalise"] else 0


def compose_wish(
    wish: Wish, progress: Heard | None = None, corpus: Corpus | None = None
) -> Composed:
    """One piece as wished: the first of what `compose_pieces` makes."""
    return compose_pieces(wish, 1, progress, corpus)[0]


def compose_folder(wish: Wish, folder: Path, pieces: int, corpus: Corpus | None = None) -> Path:
    """Write pieces as wished into a new folder: 1.mid, 2.mid, ...

    Where the disk is full before all are written, those that are stay, and InputError says so.
    """
    must_have_room(pieces, wish.bars, wish.steps)
    with new_folder(folder, partial=True) as aside:
        must_be_writable(folder, pieces * max(wish.steps * BYTES, LEAST))
        composed = compose_pieces(wish, pieces, corpus=corpus)
        for index, piece in enumerate(composed, start=1):
            piece.write(aside / f"{index}.mid")
    return folder


def compose_pieces(
    wish: Wish, count: int, progress: Heard | None = None, corpus: Corpus | None = None
) -> list[Composed]:
    """Pieces as wished, each with a seed of its own that follows from the wish's.

    `progress` is told, beside the bar that shows it, how many steps of how many are composed;
    without it stderr tells what of a file is given, which `Composed.given` keeps.
    `corpus` is what `primer="corpus"` draws from, by default the shipped chorales. Raises
    InputError for what cannot be done as wished.
    """
    must_have_room(count, wish.bars, wish.steps)
    loaded = _loaded(wish)
    if loaded.given and loaded.given.told and not progress:
        say(loaded.given.told)
    pieces = _composed(wish, loaded, _beginnings(wish, loaded, count, corpus), progress)
    return [_finished(wish, loaded, piece) for piece in pieces]


def _loaded(wish: Wish) -> Loaded:
    model, run = _network(wish.weights)
    machine = load_machine(shipped.weights_of(wish.mend)) if wish.mend else None
    given = _given(wish, run["reverse"])
    if given and len(given.states) >= wish.steps:
        taken = len(given.states) // wish.bar
        raise InputError(f"{wish.bars} bars: {taken} are given, so ask for {taken + 1} or more")
    return Loaded(model, run, machine, given)


def _network(weights: str | Path) -> tuple[Network, dict[str, Any]]:
    path = shipped.weights_of(weights)
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(path: Path, written: int) -> tuple[Network, dict[str, Any]]:
    """A network stays in memory until its file is written anew."""
    return load_network(path)


def _given(wish: Wish, backwards: bool) -> Given | None:
    """What the piece is given, which must be at the side that the network can go on from."""
    own = wish.primer not in ("none", "corpus")
    if wish.ending and not backwards:
        raise InputError(
            f"{wish.weights}: trained on music played forwards, so that it cannot compose towards"
            " an ending: take weights trained backwards, such as biaxial-backwards"
        )
    if own and backwards:
        raise InputError(
            f"{wish.weights}: trained on music played backwards: it composes towards an ending, so"
            " give the file as one, or take weights trained forwards, such as biaxial"
        )
    if wish.ending:
        return ending_of(wish.ending, wish.bar)
    return primer_of(wish.primer, wish.bar) if own else None


def _beginnings(wish: Wish, loaded: Loaded, count: int, corpus: Corpus | None) -> np.ndarray:
    """What the network hears first in each piece, (count, steps, ...)."""
    model, run, _, given = loaded
    if given:
        heard = model.reads.heard(shift(given.states, loaded.home))
        heard = model.reads.reverse(heard) if given.ends else heard
        return np.repeat(heard[None], count, axis=0)
    if wish.primer == "none":
        return model.reads.silence(count)
    music = corpus or shipped.chorales()
    music = prepare(music, normalise=run["normalise"], reverse=run["reverse"]).main
    return corpus_primers(model, music, count, wish.seed)


def _composed(
    wish: Wish, loaded: Loaded, beginnings: np.ndarray, progress: Heard | None
) -> np.ndarray:
    """Pieces as the network plays them, (count, steps, ...)."""
    model = loaded.model
    steps, count = model.reads.steps(wish.steps), len(beginnings)
    kind = model.conservativity if wish.conservativity is None else wish.conservativity

    def told(done: int) -> None:
        bar.to(done)
        if progress:
            progress(done, count * steps)

    try:
        with Progress(count * steps, "composing") as bar:
            return compose(
                model,
                beginnings,
                steps,
                piece_seeds(wish.seed, count),
                conservativity=kind,
                temperature=wish.temperature,
                density=wish.density,
                bar=wish.bar,
                progress=told,
            )
    except ValueError as error:
        raise InputError(str(error)) from error


def _finished(wish: Wish, loaded: Loaded, music: np.ndarray) -> Composed:
    """The piece as it is heard: turned round, mended, in its key, with what was given in place."""
    model, run, machine, given = loaded
    reads, tempo = model.reads, model.reads.tempo
    if run["reverse"]:
        music = reads.reverse(music)
    if machine or given:
        music, reads = reads.states(music), NOTE_STATES
    if machine:
        music = machine.mended(music)
    up = _interval(wish, loaded, reads.states(music))
    music = shift(music, up)
    if given:
        music = given.placed(music, up + loaded.home)
        tempo = given.tempo if model.reads is NOTE_STATES else tempo
    return Composed(music, reads, tempo, wish, given.told if given else "")


def _interval(wish: Wish, loaded: Loaded, states: np.ndarray) -> int:
    """Semitones from the network's key to that of the piece, states (T, 78, 2)."""
    if not wish.key:
        return -loaded.home
    tonic, given = key_named(wish.key).tonic, loaded.given
    if not given:
        return _shorter(estimate_key(states).tonic, tonic)
    shorter = _shorter(given.key.tonic, tonic)
    for way in (shorter, shorter + (12 if shorter < 0 else -12)):
        if shift(given.states, way).sum() == given.states.sum():
            return way - loaded.home
    raise InputError(
        f"key {wish.key}: what is given would leave the pitches 24 to 101; choose another key"
    )


def _shorter(tonic: int, wished: int) -> int:
    """Semitones from one tonic to another by the shorter way, -6 to 5."""
    return (wished - tonic + 6) % 12 - 6
