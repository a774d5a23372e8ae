"""A file of music in both representations, as a few packed bytes that are cached and sent."""

import io
import json
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from musiclib.base.errors import InputError
from musiclib.corpus.facts import VECTORS, Facts
from musiclib.corpus.leaks import RUN
from musiclib.music.bar_grid import LARGEST_POWER, positions
from musiclib.music.midi_events import (
    KIND,
    METRE_CHANGE,
    PLACE,
    TOO_LARGE,
    VALUE,
    Midi,
    MidiError,
    parse,
)
from musiclib.music.midi_folder import midi_suffix
from musiclib.music.music21_scores import Parts, read_score
from musiclib.music.note_states import (
    NOTES,
    Metre,
    note_states,
    notes_struck,
    steps_read,
    write_note_states,
)
from musiclib.music.packed import pack, row_bytes
from musiclib.music.piano_roll import KEYS, piano_roll

ENCODER_VERSION = "4"
STATES_BYTES, ROLL_BYTES = row_bytes((NOTES, 2)), row_bytes((KEYS,))
MOST_METRES = 20  # that are told of a file


class Content(NamedTuple):
    """The bytes of a file, the suffix that says what it is, and what of it is read."""

    data: bytes
    suffix: str
    parts: Parts = "all"
    metre: Metre = "paper"

    @property
    def midi(self) -> bool:
        """Whether it is said to be MIDI; else music21 reads it."""
        return bool(midi_suffix(self.suffix))


class Encoded(NamedTuple):
    """Packed bits of note states (T, 20) and piano roll (T', 11), uint8; the facts; positions.

    With `metre="all"` the latter, uint16 (T,), tell where in its bar each step lies.
    """

    states: np.ndarray
    roll: np.ndarray
    facts: Facts
    positions: np.ndarray | None = None


def encode(content: Content) -> bytes:
    """Read a file's content: an .npz, which `decode` reads; raises InputError if it cannot be."""
    midi = parse(content.data) if content.midi else _score(content)
    states, roll = note_states(midi, content.metre), piano_roll(midi, metre=content.metre)
    facts = Facts.of(states, roll, **_said(midi))
    arrays = {
        "states": pack(states),
        "roll": pack(roll),
        "told": np.array(json.dumps(facts.told())),
    }
    arrays |= {name: getattr(facts, name) for name in VECTORS}
    if content.metre == "all":
        arrays["positions"] = positions(midi, len(states))
    np.savez_compressed(written := io.BytesIO(), **arrays)
    return written.getvalue()


def _said(midi: Midi) -> dict[str, Any]:
    """What a file says of itself that its arrays do not tell."""
    notes, outside = notes_struck(midi)
    whole = steps_read(midi, "all")
    return {"whole": whole, "metres": _metres(midi), "notes": notes, "outside": outside}


def _metres(midi: Midi) -> tuple[str, ...]:
    """The time signatures of a file, each once, as "3/4"."""
    changes = midi.events[midi.events[:, KIND] == METRE_CHANGE]
    known = changes[changes[:, PLACE] <= LARGEST_POWER]
    named = (f"{value}/{2**power}" for value, power in known[:, [VALUE, PLACE]].tolist())
    return tuple(islice(dict.fromkeys(named), MOST_METRES))


def decode(entry: bytes | Path) -> Encoded:
    """What `encode` made, from its bytes or the file that holds them.

    Raises ValueError, or another of `files.DAMAGED`, for what it did not make.
    """
    with np.load(io.BytesIO(entry) if isinstance(entry, bytes) else entry) as stored:
        told, vectors = json.loads(stored["told"].item()), [stored[name] for name in VECTORS]
        facts = Facts.from_told(told, *vectors)
        bars = stored.get("positions")
        entry = Encoded(stored["states"], stored["roll"], facts, bars)
    _must_be_whole(entry)
    return entry


def _must_be_whole(entry: Encoded) -> None:
    """Raise ValueError for arrays of other dtypes and shapes than the facts say."""
    states, roll, facts, bars = entry
    wanted = [(states, np.uint8, (facts.steps, STATES_BYTES))]
    wanted += [(roll, np.uint8, (facts.samples, ROLL_BYTES))]
    wanted += [] if bars is None else [(bars, np.uint16, (facts.steps,))]
    if any(array.dtype != dtype or array.shape != shape for array, dtype, shape in wanted):
        raise ValueError("its arrays are not as they are told of")


def compile_reader() -> None:
    """Compile the loops that read, which all later processes then find: seconds, once."""
    states = np.zeros((RUN, NOTES, 2), np.uint8)
    states[::2, 40] = 1
    with TemporaryDirectory() as folder:
        write_note_states(states, path := Path(folder) / "a.mid")
        encode(Content(path.read_bytes(), path.suffix))


def encode_some(contents: list[Content]) -> list[bytes | str]:
    """What `encode` makes of each, or why it cannot be read."""
    return [_encode_or_reason(content) for content in contents]


def _encode_or_reason(content: Content) -> bytes | str:
    try:
        return encode(content)
    except MidiError as error:
        return f"{error.reason}; {error.remedy}"
    except InputError as error:
        return str(error)
    except MemoryError:
        return f"{TOO_LARGE}reading it takes too much memory; leave it out"


def _score(content: Content) -> Any:
    """The events of a score, which music21 reads from a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"score{content.suffix}"
        path.write_bytes(content.data)
        try:
            return read_score(path, content.parts)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # whatever a reader of many formats raises
            reason = str(error).replace(str(path), path.name)  # not where it lay for a moment
            raise InputError(f"music21 cannot read it ({reason}); leave it out") from error
