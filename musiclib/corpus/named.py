"""Which sets the collections make (2.1)."""

from musiclib.corpus.collections import PIANO_MIDI, Collection, collections_of
from musiclib.corpus.download import bring
from musiclib.corpus.levels import HELD_OUT, LEVEL_NAMES, MAIN
from musiclib.corpus.sources import Source, SourceSets

BACH = f"{PIANO_MIDI.name}/Bach/"  # held out


def collection_sources(name: str) -> SourceSets:
    """The sets of a corpus of `collections.NAMED`; what is missing is downloaded.

    Of piano-midi Bach's pieces are held out and all others main; with nottingham its tunes are the
    first level. Levels and held-out pieces that are not here are left to `division`. Raises
    InputError where files cannot be had.
    """
    sources = {collection.name: _sources(collection) for collection in collections_of(name)}
    if PIANO_MIDI.name not in sources:
        return {MAIN: sources[name]}
    pieces = sources.pop(PIANO_MIDI.name)
    return {
        **dict(zip(LEVEL_NAMES, sources.values(), strict=False)),
        MAIN: [source for source in pieces if not source.name.startswith(BACH)],
        HELD_OUT: [source for source in pieces if source.name.startswith(BACH)],
    }


def _sources(collection: Collection) -> list[Source]:
    folder = bring(collection)
    return [Source(f"{collection.name}/{path}", folder / path) for path in collection.files]
