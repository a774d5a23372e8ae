"""Composed pieces as folders of MIDI files: of a run in a study, or on demand."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from musiclib.coins import Conservativity
from musiclib.composing import compose, draw_primers, piece_seeds
from musiclib.corpus import Piece
from musiclib.errors import InputError
from musiclib.files import must_be_new
from musiclib.measures import STEPS_PER_MEASURE
from musiclib.midi import NOTES, read_note_states, write_note_states
from musiclib.models import BiaxialRNN, Network
from musiclib.piano_roll import KEYS, SIXTEENTHS_PER_SAMPLE, read_piano_roll, write_piano_roll
from musiclib.postprocessing import load_machine, mend_folder
from musiclib.profiles import Profile
from musiclib.progress import Progress
from musiclib.runs import Run, device, load_weights
from musiclib.transforms import legal, reverse_time

Postprocess = Literal["rbm"]


def composition_folder(
    run: Run, checkpoint: int, profile: Profile, postprocess: Postprocess | None = None
) -> Path:
    """Where the pieces composed by a run at a checkpoint lie, mended or not: 1.mid, 2.mid, ..."""
    name = f"composed-{checkpoint}-{profile.pieces}x{profile.steps}"
    return run.directory / (f"{name}-{postprocess}" if postprocess else name)


def compose_run(run: Run, checkpoint: int, profile: Profile, music: Sequence[Piece]) -> Path:
    """Compose a profile's pieces as published, started by drawing from `music` as trained on.

    What was trained on music played backwards is turned round: its pieces play forward.
    """
    model, seed = run.model(checkpoint).to(device()), run.config.seed
    primers = corpus_primers(model, music, profile.pieces, seed)
    pieces = compose(
        model,
        primers,
        length(model, profile.steps),
        piece_seeds(seed, profile.pieces),
        conservativity=published_conservativity(model),
    )
    if run.config.reverse:
        pieces = np.stack([_reversed(model, piece) for piece in pieces])
    return write_pieces(pieces, composition_folder(run, checkpoint, profile), writer(model))


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
    primer_steps: int = STEPS_PER_MEASURE,
    postprocess: Path | None = None,
) -> Path:
    """Compose MIDI files into a new folder with weights from a file.

    `primer` is music to draw first steps from, a MIDI file whose first `primer_steps` steps begin
    every piece, or None for a silent step. `conservativity` (by default as published) and
    `temperature` are one for all pieces, or one a piece. If the model was trained on reversed
    music, its pieces are turned round: they play forward, and the MIDI file's last steps are their
    end.
    `postprocess` is weights of a conditional RBM that mends the pieces.
    """
    must_be_new(folder)
    if pieces < 1:
        raise InputError(f"{pieces} pieces: ask for at least one")
    model, run = load_weights(weights)
    if not isinstance(model, Network):
        raise InputError(
            f"{weights}: weights of an RBM, which does not compose: give those of a network"
        )
    machine = None if postprocess is None else load_machine(postprocess)
    model, backwards = model.to(device()), run["reverse"]
    primers = _primers(model, primer, pieces, seed, primer_steps, backwards)
    steps = length(model, steps)
    try:
        with Progress(pieces * steps, "composing") as progress:
            composed = compose(
                model,
                primers,
                steps,
                piece_seeds(seed, pieces),
                conservativity=published_conservativity(model)
                if conservativity is None
                else conservativity,
                temperature=temperature,
                progress=progress.to,
            )
    except ValueError as error:
        raise InputError(str(error)) from error
    if backwards:
        composed = np.stack([_reversed(model, piece) for piece in composed])
    if machine is None:
        return write_pieces(composed, folder, writer(model))
    with TemporaryDirectory() as aside:
        unmended = write_pieces(composed, Path(aside) / "unmended", writer(model))
        return mend_folder(machine, unmended, folder)


def published_conservativity(model: Network) -> Conservativity:
    """The biaxial RNN's adapts; the LSTM's coins are flipped as they are."""
    return "paper" if isinstance(model, BiaxialRNN) else "off"


def length(model: Network, sixteenths: int) -> int:
    """Sixteenths in the model's own steps."""
    return sixteenths if isinstance(model, BiaxialRNN) else sixteenths // SIXTEENTHS_PER_SAMPLE


def writer(model: Network) -> Callable[[np.ndarray, Path], None]:
    """What writes the model's pieces as MIDI."""
    return write_note_states if isinstance(model, BiaxialRNN) else write_piano_roll


def corpus_primers(model: Network, music: Sequence[Piece], count: int, seed: int) -> np.ndarray:
    """As published: the first step of a random segment (biaxial RNN) or of a random song (LSTM)."""
    if isinstance(model, BiaxialRNN):
        return draw_primers([p.states for p in music], count, seed, model.config.segment)
    return draw_primers([p.roll for p in music], count, seed)


def _primers(
    model: Network,
    primer: Path | Sequence[Piece] | None,
    count: int,
    seed: int,
    steps: int,
    backwards: bool,
) -> np.ndarray:
    biaxial = isinstance(model, BiaxialRNN)
    if primer is None:
        return np.zeros((count, 1, *((NOTES, 2) if biaxial else (KEYS,))), np.uint8)
    if not isinstance(primer, Path):
        return corpus_primers(model, primer, count, seed)
    music = read_note_states(primer) if biaxial else read_piano_roll(primer)
    heard = (_reversed(model, music) if backwards else music)[: length(model, steps)]
    if not len(heard):
        raise InputError(f"{primer}: no step to begin with")
    return np.repeat(heard[None], count, axis=0)


def _reversed(model: Network, piece: np.ndarray) -> np.ndarray:
    return reverse_time(legal(piece)) if isinstance(model, BiaxialRNN) else piece[::-1]


def write_pieces(
    pieces: np.ndarray, folder: Path, write: Callable[[np.ndarray, Path], None]
) -> Path:
    """Write pieces as 1.mid, 2.mid, ... into a folder that appears only once it is whole."""
    aside = folder.with_name(f".writing-{folder.name}")
    shutil.rmtree(aside, ignore_errors=True)
    for index, piece in enumerate(pieces, start=1):
        write(piece, aside / f"{index}.mid")
    aside.rename(folder)
    return folder
