"""Which corpus a run without a named one uses: the paper's piano music, where it can be had."""

import sys

from musiclib.base.errors import InputError
from musiclib.corpus.collections import MUSIC21, PIANO_MIDI
from musiclib.corpus.download import bring, folder_of, wanting
from musiclib.paper.profiles import PAPER


def chosen_corpus(profile: str, corpus: str, *, download: bool = False) -> str:
    """The corpus as named; without a name piano-midi in `paper`, else music21's scores.

    Says on stderr which one `paper` takes and why: piano-midi if it is there or, with `download`,
    can be downloaded now. A corpus that is named is never replaced.
    """
    if corpus or profile != PAPER.name:
        return corpus or MUSIC21
    try:
        _have(download)
    except (InputError, OSError) as error:
        print(f"corpus: {MUSIC21}'s scores, not {PIANO_MIDI.name}: {error}", file=sys.stderr)
        return MUSIC21
    print(f"corpus: {PIANO_MIDI.name}, in {folder_of(PIANO_MIDI)}", file=sys.stderr)
    return PIANO_MIDI.name


def _have(download: bool) -> None:
    """Raise InputError or OSError unless piano-midi is there."""
    if download:
        bring(PIANO_MIDI)
    elif missing := wanting(PIANO_MIDI):
        place = folder_of(PIANO_MIDI) / missing[0]
        raise InputError(f"no {place}; `make data` brings the files")
