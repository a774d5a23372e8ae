"""Which corpus a run without a named one uses: the paper's piano music, where it can be had."""

import sys

from musiclib.base.errors import InputError
from musiclib.base.files import expanded
from musiclib.corpus.collections import MUSIC21, NOTTINGHAM, PIANO_MIDI, is_named
from musiclib.corpus.download import bring, folder_of, wanting
from musiclib.corpus.shards import SUFFIX
from musiclib.paper.profiles import PAPER

BOTH = f"{PIANO_MIDI.name}+{NOTTINGHAM.name}"
LEVELS_OF_MAIN = "the easier half of main by computed difficulty; these pieces stay in main, too"
DRAWN = f"one piece in five is held out, by a draw, and the levels are {LEVELS_OF_MAIN}"
SITE = (
    "the piano pieces of piano-midi.de, from which the paper took 256 that it does not list. Bach's"
    " are held out, all others are main"
)
WORDS = {
    MUSIC21: "music21's scores. Main and held-out are Bach's chorales, Monteverdi's madrigals,"
    " quartets by Mozart, Haydn, Beethoven and Schumann, a song of his, and the few piano pieces"
    " that are there; the levels are fiddle tunes and other chorales. It is real music, but hardly"
    " any of it is for the piano",
    PIANO_MIDI.name: f"{SITE}; the levels are {LEVELS_OF_MAIN}",
    BOTH: f"{SITE}; the first level is folk tunes of the Nottingham Music Database, the others are"
    f" {LEVELS_OF_MAIN}",
    NOTTINGHAM.name: f"folk tunes of the Nottingham Music Database: {DRAWN}",
}


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


def described(corpus: str) -> str:
    """What is read, in a sentence or two, of a corpus as `chosen_corpus` names it."""
    if corpus == MUSIC21 or is_named(corpus):
        return f"We read {WORDS[corpus]}."
    path = expanded(corpus)
    name = path.resolve().name
    if path.suffix in (".npz", SUFFIX):
        return f"We read the saved corpus {name}, in the sets that it was saved in."
    return (
        f"We read the MIDI files of the folder {name}: its main/, levels/ and held-out/ where it"
        f" has them, else {DRAWN}."
    )


def _have(download: bool) -> None:
    """Raise InputError or OSError unless piano-midi is there."""
    if download:
        bring(PIANO_MIDI)
    elif missing := wanting(PIANO_MIDI):
        place = folder_of(PIANO_MIDI) / missing[0]
        raise InputError(f"no {place}; `make data` brings the files")
