"""Composed pieces as folders of MIDI files: of a trained run, or with weights from a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.files import must_be_new, new_folder
from musiclib.base.parallel import part_done
from musiclib.base.progress import Progress
from musiclib.composing.compose import compose, draw_primers, piece_seeds
from musiclib.corpus.sets import Piece
from musiclib.models import Network
from musiclib.models.checkpoints import load_weights
from musiclib.models.sampling import Conservativity
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.training.runs import Run


def compose_run(
    run: Run, checkpoint: int, folder: Path, pieces: int, steps: int, music: Sequence[Piece]
) -> Path:
    """Compose pieces of `steps` sixteenths as published, begun as `music`, trained on, begins.

    What was trained on music played backwards is turned round: its pieces play forward.
    """
    model, seed = run.model(checkpoint).to(device()), run.config.seed
    composed = compose(
        model,
        corpus_primers(model, music, pieces, seed),
        model.reads.steps(steps),
        piece_seeds(seed, pieces),
        conservativity=model.conservativity,
        progress=lambda done: part_done(done / (pieces * model.reads.steps(steps))),
    )
    return write_pieces(model, composed, folder, backwards=run.config.reverse)


def compose_to_folder(
    weights: Path,
    folder: Path,
    *,
    pieces: int = 25,
    steps: int = 1280,
    seed: int = 0,
    conservativity: Conservativity | Sequence[Conservativity] | None = None,
    temperature: float | Sequence[float] = 1.0,
    primer: Path | Sequence[Piece] | None = None,
    primer_steps: int = STEPS_PER_BAR,
    bar: int = STEPS_PER_BAR,
) -> Path:
    """Compose MIDI files into a new folder with weights from a file.

    `primer` is music to draw first steps from, a MIDI file whose first `primer_steps` steps begin
    every piece, or None for a silent step. `conservativity` (by default as published) and
    `temperature` are one for all pieces, or one a piece; a bar has `bar` steps. If the model was
    trained on reversed music, its pieces are turned round: they play forward, and the MIDI file's
    last steps are their end.
    """
    must_be_new(folder)
    if pieces < 1:
        raise InputError(f"{pieces} pieces: ask for at least one")
    model, run = load_network(weights)
    primers = _primers(model, primer, pieces, seed, primer_steps, run["reverse"])
    steps = model.reads.steps(steps)
    try:
        with Progress(pieces * steps, "composing") as progress:
            composed = compose(
                model,
                primers,
                steps,
                piece_seeds(seed, pieces),
                conservativity=model.conservativity if conservativity is None else conservativity,
                temperature=temperature,
                bar=bar,
                progress=progress.to,
            )
    except ValueError as error:
        raise InputError(str(error)) from error
    return write_pieces(model, composed, folder, backwards=run["reverse"])


def load_network(weights: Path) -> tuple[Network, dict]:
    """The network in a weights file, where it computes, and the description of its run."""
    model, run = load_weights(weights)
    if not isinstance(model, Network):
        raise InputError(
            f"{weights}: weights of an RBM, which does not compose: give those of a network"
        )
    return model.to(device()), run


def corpus_primers(model: Network, music: Sequence[Piece], count: int, seed: int) -> np.ndarray:
    """As published: the first step of a random segment (biaxial RNN) or of a random song (LSTM)."""
    positions = [piece.positions for piece in music] if model.hears_bars else None
    return draw_primers(model.reads.of(music), count, seed, model.primer_segment, positions)


def _primers(
    model: Network,
    primer: Path | Sequence[Piece] | None,
    count: int,
    seed: int,
    steps: int,
    backwards: bool,
) -> np.ndarray:
    if primer is None:
        return model.reads.silence(count)
    if not isinstance(primer, Path):
        return corpus_primers(model, primer, count, seed)
    music = model.reads.read(primer)
    heard = (model.reads.reverse(music) if backwards else music)[: model.reads.steps(steps)]
    if not len(heard):
        raise InputError(f"{primer}: no step to begin with")
    return np.repeat(heard[None], count, axis=0)


def write_pieces(model: Network, pieces: np.ndarray, folder: Path, *, backwards: bool) -> Path:
    """Write a network's pieces as 1.mid, 2.mid, ...; turned round if it heard music backwards."""
    if backwards:
        pieces = np.stack([model.reads.reverse(piece) for piece in pieces])
    with new_folder(folder) as aside:
        for index, piece in enumerate(pieces, start=1):
            model.reads.write(piece, aside / f"{index}.mid")
    return folder
