"""Networks from files of weights, and what trained runs compose as folders of MIDI files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.parallel import part_done
from musiclib.base.writing import new_folder
from musiclib.composing.compose import compose, draw_primers, piece_seeds
from musiclib.corpus.sets import Piece
from musiclib.models import Network
from musiclib.models.checkpoints import load_weights
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


def write_pieces(model: Network, pieces: np.ndarray, folder: Path, *, backwards: bool) -> Path:
    """Write a network's pieces as 1.mid, 2.mid, ...; turned round if it heard music backwards."""
    if backwards:
        pieces = np.stack([model.reads.reverse(piece) for piece in pieces])
    with new_folder(folder) as aside:
        for index, piece in enumerate(pieces, start=1):
            model.reads.write(piece, aside / f"{index}.mid")
    return folder
