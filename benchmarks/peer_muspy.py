"""MusPy: notes in ticks, a piano roll of any number of steps per beat, metrics."""

import muspy
import numpy as np
from peer_rules import (
    AS_IT_COMES,
    OF_OURS,
    PITCHES,
    Bits,
    Ladder,
    notes_table,
    roll_of,
    states_ladder,
)

from musiclib.music.midi_events import Midi
from musiclib.music.note_states import LOWEST_PITCH, STEPS_PER_BEAT
from musiclib.music.notes import notes_of
from musiclib.music.piano_roll import KEYS, LOWEST_KEY, SECONDS

Read = muspy.Music
HALF_UP = "half a step is rounded up, not to even"


def read(path: str) -> Read:
    """A file."""
    return muspy.read_midi(path)


def notes(music: Read) -> np.ndarray:
    """Its notes."""
    tracks = enumerate(music.tracks)
    return notes_table((n.time, n.end, n.pitch, 16 * i) for i, t in tracks for n in t.notes)


def roll_at_four(path: str) -> np.ndarray:
    """Its piano roll with four steps per beat, (T, 128)."""
    music = read(path).adjust_resolution(STEPS_PER_BEAT)
    return muspy.to_pianoroll_representation(music, encode_velocity=False)


def states(music: Read, path: str, midi: Midi) -> dict[str, Bits]:
    """Play and articulate, made more and more like ours."""
    at_four = notes(read(path).adjust_resolution(STEPS_PER_BEAT))
    play = roll_at_four(path)
    struck = np.zeros_like(play)
    struck[at_four[:, 0], at_four[:, 2]] = True
    return {AS_IT_COMES: (play[:, PITCHES], struck[:, PITCHES])} | states_ladder(
        notes(music), midi, HALF_UP
    )


def rolls(music: Read, midi: Midi) -> Ladder:
    """Its roll in ticks, looked at every 0.3 s by its tempos; then our rule on its notes."""
    play = muspy.to_pianoroll_representation(music, encode_velocity=False)
    tempos = np.array([(t.time, round(6e7 / t.qpm)) for t in music.tempos]).reshape(-1, 2)
    tempo = np.full(len(play), 500_000)
    for tick, microseconds in tempos:
        tempo[tick:] = microseconds
    seconds = np.concatenate([[0], np.cumsum(tempo / 1e6 / music.resolution)])
    samples = np.arange(0, seconds[-1], SECONDS)
    sampled = play[np.searchsorted(seconds[:-1], samples + 1e-6, side="right") - 1]
    return {
        AS_IT_COMES: sampled[:, LOWEST_KEY : LOWEST_KEY + KEYS],
        "a release ends every strike of its key, not the first": roll_of(
            notes(music), tempos, midi
        ),
    }


def metrics(music: Read, path: str, ours: np.ndarray) -> dict[str, dict[str, float]]:
    """Its metrics of its own music at four steps per beat, and of our note states."""
    own = read(path).adjust_resolution(STEPS_PER_BEAT)
    shorter = music_of(ours, cut=1)
    found = {AS_IT_COMES: measured(own), OF_OURS: measured(music_of(ours))}
    found["a note that ends on a beat does not sound in it"] = {
        "empty beats": muspy.empty_beat_rate(shorter)
    }
    return found


def measured(music: Read) -> dict[str, float]:
    """What we compute too."""
    return {
        "pitch range": muspy.pitch_range(music),
        "pitches used": muspy.n_pitches_used(music),
        "pitch classes used": muspy.n_pitch_classes_used(music),
        "polyphony": muspy.polyphony(music),
        "three or more sound": muspy.polyphony_rate(music),
        "pitch-class entropy": muspy.pitch_class_entropy(music),
        "empty beats": muspy.empty_beat_rate(music),
    }


def music_of(ours: np.ndarray, cut: int = 0) -> Read:
    """Our note states (T, 78, 2) as its music, every note `cut` steps shorter."""
    listed = [
        muspy.Note(int(onset), int(pitch) + LOWEST_PITCH, int(end - onset) - cut)
        for onset, end, pitch in notes_of(ours)
    ]
    return muspy.Music(resolution=STEPS_PER_BEAT, tracks=[muspy.Track(notes=listed)])


TIMED = {"events": read, "note states": roll_at_four}
