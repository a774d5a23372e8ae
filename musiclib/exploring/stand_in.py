"""A folder of MIDI files for who has none at hand: the first chorales of those that are shipped."""

from pathlib import Path

from musiclib.base.files import ROOT
from musiclib.base.writing import new_folder
from musiclib.exploring import shipped
from musiclib.music.note_states import write_note_states

PIECES = 12


def stand_in(place: Path = ROOT / ".cache") -> Path:
    """A folder of 12 chorales as MIDI files, below `place`; written where it is not there yet."""
    corpus = shipped.chorales()
    folder = place / f"chorales-{corpus.checksum}"
    if not folder.exists():
        with new_folder(folder) as aside:
            for piece in corpus.main[:PIECES]:
                write_note_states(piece.states, aside / f"{Path(piece.name).stem}.mid")
    return folder
