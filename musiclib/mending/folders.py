"""The optional step after composing: folders of MIDI files mended by an RBM (section 2.4.3)."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musiclib.base.device import device
from musiclib.base.errors import InputError
from musiclib.base.progress import Progress
from musiclib.base.writing import new_folder
from musiclib.mending.mend import mend
from musiclib.mending.ways import conditional
from musiclib.models import ConditionalRBM
from musiclib.models.checkpoints import load_weights
from musiclib.music.left_out import LeftOut
from musiclib.music.midi_folder import files_in, read_file
from musiclib.music.note_states import first_tempo, write_note_states


class Mender(NamedTuple):
    """A machine that mends, and whether it knows music in C major and A minor alone."""

    model: ConditionalRBM
    normalise: bool

    def mended(self, states: np.ndarray) -> np.ndarray:
        """Note states (T, 78, 2), mended."""
        return mend(states, partial(conditional, self.model), normalise=self.normalise)


def load_machine(weights: Path) -> Mender:
    """The conditional RBM in a weights file.

    Raises InputError where it holds another model, or was trained on music played backwards.
    """
    model, run = load_weights(weights)
    if not isinstance(model, ConditionalRBM):
        raise InputError(f"{weights}: not weights of a conditional RBM, which alone mends")
    if run["reverse"]:
        raise InputError(f"{weights}: trained on music played backwards: it cannot mend music")
    return Mender(model.to(device()), run["normalise"])


def mend_folder(machine: Mender, folder: Path, new: Path) -> Path:
    """Mend all MIDI files of a folder into a new one; names and first tempos stay.

    Pieces are read to their end, whatever their metre. What cannot be read is skipped; stderr tells
    that, and which notes outside the pitches 24 to 101 are left out. Raises InputError where there
    is no MIDI file, or none can be read: nothing is written then.
    """
    paths = files_in(folder)
    left_out = LeftOut(str(folder), len(paths))
    with new_folder(new, partial=True) as aside, Progress(len(paths), "mending") as progress:
        for path in paths:
            _mend_file(machine, path, path.relative_to(folder), aside, left_out)
            progress.add()
        left_out.check()
    left_out.say()
    return new


def _mend_file(machine: Mender, path: Path, name: Path, new: Path, left_out: LeftOut) -> None:
    """Mend a file into the new folder, or note why it cannot be read."""
    read = read_file(path, str(name), "all", left_out)
    if read:
        write_note_states(machine.mended(read.states), new / name, first_tempo(read.midi))
