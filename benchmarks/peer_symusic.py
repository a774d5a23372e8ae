"""symusic: notes in ticks or seconds, a piano roll of any number of steps per beat."""

import numpy as np
import symusic
from peer_rules import AS_IT_COMES, PITCHES, Bits, Ladder, notes_table, roll_of, states_ladder

from musiclib.music.midi_events import Midi
from musiclib.music.note_states import STEPS_PER_BEAT
from musiclib.music.piano_roll import KEYS, LOWEST_KEY, SECONDS

Read = symusic.core.ScoreTick


def read(path: str) -> Read:
    """A file."""
    return symusic.Score(path)


def notes(score: Read) -> np.ndarray:
    """Its notes."""
    tracks = enumerate(score.tracks)
    return notes_table((n.time, n.end, n.pitch, 16 * i) for i, t in tracks for n in t.notes)


def rolls_at_four(score: Read) -> Bits:
    """Its two piano rolls with four steps per beat, (T, 78)."""
    both = score.resample(STEPS_PER_BEAT).pianoroll(modes=["frame", "onset"]).max(axis=1)
    return both[0].T[:, PITCHES], both[1].T[:, PITCHES]


def states(score: Read, path: str, midi: Midi) -> dict[str, Bits]:
    """Play and articulate, made more and more like ours."""
    ladder = states_ladder(notes(score), midi, "the end is rounded, not the length")
    return {AS_IT_COMES: rolls_at_four(score)} | ladder


def rolls(score: Read, midi: Midi) -> Ladder:
    """Its notes in seconds, which keys sound every 0.3 s; then our rule on its ticks."""
    listed = [n for track in score.to("second").tracks for n in track.notes]
    spans = np.array([(n.start, n.end) for n in listed])
    rows = np.ceil(spans / SECONDS - 1e-6).astype(int)
    roll = np.zeros((rows.max(initial=0), KEYS), bool)
    for (first, last), note in zip(rows, listed, strict=True):
        if LOWEST_KEY <= note.pitch < LOWEST_KEY + KEYS:
            roll[first:last, note.pitch - LOWEST_KEY] = True
    tempos = np.array([(t.time, t.mspq) for t in score.tempos]).reshape(-1, 2)
    return {
        AS_IT_COMES: roll,
        "times in 64 bits, from its ticks and tempos": roll_of(notes(score), tempos, midi),
    }


TIMED = {"events": read, "note states": lambda path: rolls_at_four(read(path))}
