"""pypianoroll: what pretty_midi reads, as piano rolls on a grid of beats; metrics of them."""

from typing import Any

import numpy as np
import peer_pretty_midi
import pypianoroll
from peer_rules import AS_IT_COMES, OF_OURS, PITCHES, Bits, painted, states_ladder
from pretty_midi import ControlChange
from pypianoroll import metrics as theirs

from musiclib.music.midi_events import Midi
from musiclib.music.note_states import LOWEST_PITCH, NOTES, PLAY, STEPS_PER_BEAT
from musiclib.music.notes import notes_of

Read = peer_pretty_midi.Read
read = peer_pretty_midi.read


def roll_at_four(midi: Read, **options: Any) -> np.ndarray:
    """Its piano roll with four steps per beat, (T, 128)."""
    return pypianoroll.from_pretty_midi(midi, STEPS_PER_BEAT, **options).blend("any")


def both(midi: Read, **options: Any) -> Bits:
    """Its two piano rolls."""
    onsets = roll_at_four(midi, collect_onsets_only=True, **options)
    return roll_at_four(midi, **options)[:, PITCHES], onsets[:, PITCHES]


def states(midi: Read, path: str, ours: Midi) -> dict[str, Bits]:
    """Play and articulate, made more and more like ours."""
    notes = peer_pretty_midi.notes(midi)
    steps = notes.copy()
    size = ours.ticks_per_beat / STEPS_PER_BEAT
    steps[:, 0], steps[:, 1] = np.round(notes[:, 0] / size), notes[:, 1] // size
    return {
        AS_IT_COMES: both(midi),
        "a beat is a quarter note in every metre": in_quarters(midi),
        "nothing is cut before the key is struck anew": painted(steps),
    } | states_ladder(notes, ours, "the end is rounded to the nearest step, not down")


def in_quarters(midi: Read) -> Bits:
    """Its two piano rolls without metres, where a beat is a quarter note."""
    metres, midi.time_signature_changes = midi.time_signature_changes, []
    controls = midi.instruments[0].control_changes
    controls.append(ControlChange(0, 0, midi.get_end_time() + 2))  # or it has no last step
    try:
        return both(midi, algorithm="custom", first_beat_time=0.0)
    finally:
        controls.pop()
        midi.time_signature_changes = metres


def metrics(midi: Read, path: str, ours: np.ndarray) -> dict[str, dict[str, float]]:
    """Its metrics of its own roll, of ours, and with what is amiss in them put right."""
    roll = np.zeros((len(ours), 128), np.uint8)
    roll[:, PITCHES] = ours[..., PLAY]
    roll = roll[: np.flatnonzero(roll.any(axis=1)).max(initial=0) + 1]
    by_class = np.zeros_like(roll)
    for pitch in range(LOWEST_PITCH, LOWEST_PITCH + NOTES):
        by_class[:, pitch % 12 * 10 + pitch // 12] = roll[:, pitch]
    lengths = np.diff(notes_of(ours)[:, :2]).ravel()
    apart = np.concatenate([[0, *[1] * length] for length in lengths] or [[0]])
    return {
        AS_IT_COMES: measured(roll_at_four(midi)),
        OF_OURS: measured(roll),
        "a pitch's class is its remainder by 12": {
            "pitch classes used": theirs.n_pitch_classes_used(by_class)
        },
        "1 less its share of beats that are not empty": {"empty beats": 1 - empty_beat_rate(roll)},
        "one note after the other": {
            "notes of two steps or more": theirs.qualified_note_rate(apart[:, None])
        },
    }


def measured(roll: np.ndarray) -> dict[str, float]:
    """What we compute too; of integers, as uint8 has no differences below 0."""
    roll = roll.astype(int)
    return {
        "pitch range": theirs.pitch_range(roll),
        "pitches used": theirs.n_pitches_used(roll),
        "pitch classes used": theirs.n_pitch_classes_used(roll.copy()),  # which adds in place
        "three or more sound": theirs.polyphonic_rate(roll),
        "empty beats": empty_beat_rate(roll),
        "notes of two steps or more": theirs.qualified_note_rate(roll),
    }


def empty_beat_rate(roll: np.ndarray) -> float:
    """What it calls so, of whole beats."""
    whole = np.pad(roll, [(0, -len(roll) % STEPS_PER_BEAT), (0, 0)])
    return theirs.empty_beat_rate(whole, STEPS_PER_BEAT)


TIMED = {"note states": lambda path: roll_at_four(read(path))}
