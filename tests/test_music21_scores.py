"""Scores: what music21 ships, as MIDI."""

import mido
import numpy as np
import pytest
from music21 import converter
from real_pieces import shipped
from strategies import hand_states
from test_note_states import with_ticks

from musiclib.base.errors import InputError
from musiclib.corpus.shipped import GROUPS, corpus_name, group_of, group_paths, opening_metre
from musiclib.music.bar_grid import bar_starts, positions
from musiclib.music.midi_events import events_of
from musiclib.music.music21_scores import read_score, score_midi
from musiclib.music.note_states import note_states
from musiclib.music.piano_roll import piano_roll

# Divisions of a quarter: 4. Part 1: a quarter C5, a grace note, an eighth chord E5+G5, an eighth
# rest, a half D5 tied over the bar to a quarter. Part 2: whole notes. Part 3: C3, quarters.
SCORE = """<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="4.0"><part-list>
<score-part id="P1"><part-name>high</part-name></score-part>
<score-part id="P2"><part-name>middle</part-name></score-part>
<score-part id="P3"><part-name>low</part-name></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>4</divisions>
<time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes>
<note><pitch><step>C</step><octave>5</octave></pitch><duration>4</duration></note>
<note><grace/><pitch><step>A</step><octave>5</octave></pitch></note>
<note><pitch><step>E</step><octave>5</octave></pitch><duration>2</duration></note>
<note><chord/><pitch><step>G</step><octave>5</octave></pitch><duration>2</duration></note>
<note><rest/><duration>2</duration></note>
<note><pitch><step>D</step><octave>5</octave></pitch><duration>8</duration><tie type="start"/>
<notations><tied type="start"/></notations></note></measure>
<measure number="2"><note><pitch><step>D</step><octave>5</octave></pitch><duration>4</duration>
<tie type="stop"/><notations><tied type="stop"/></notations></note></measure></part>
<part id="P2"><measure number="1"><attributes><divisions>4</divisions></attributes>
<note><pitch><step>G</step><octave>3</octave></pitch><duration>16</duration></note></measure>
<measure number="2"><note><pitch><step>G</step><octave>3</octave></pitch><duration>4</duration>
</note></measure></part>
<part id="P3"><measure number="1"><attributes><divisions>4</divisions></attributes>
<note><pitch><step>C</step><octave>3</octave></pitch><duration>16</duration></note></measure>
<measure number="2"><note><pitch><step>C</step><octave>3</octave></pitch><duration>4</duration>
</note></measure></part></score-partwise>"""

HIGH = [(72, 0, 4), (76, 4, 2), (79, 4, 2), (74, 8, 12)]
MIDDLE = [(55, 0, 16), (55, 16, 4)]
LOW = [(48, 0, 16), (48, 16, 4)]


@pytest.fixture
def score(tmp_path):
    path = tmp_path / "score.musicxml"
    path.write_text(SCORE.format(beats=4), encoding="utf-8")
    return path


def test_ties_chords_rests_and_grace_notes_sound_as_written(score):
    states = note_states(read_score(score))
    np.testing.assert_array_equal(states, hand_states(21, *HIGH, *MIDDLE, *LOW))


def test_the_outer_parts_are_the_highest_and_the_lowest_staff(score):
    states = note_states(read_score(score, "outer"))
    np.testing.assert_array_equal(states, hand_states(21, *HIGH, *LOW))


def test_the_metre_of_a_score_is_kept(tmp_path):
    path = tmp_path / "waltz.musicxml"
    path.write_text(SCORE.format(beats=3), encoding="utf-8")
    assert len(note_states(read_score(path))) == 1


def test_an_eighth_note_lasts_one_sample_of_the_piano_roll(score):
    roll = piano_roll(read_score(score))
    assert len(roll) == 10
    assert roll[:, 74 - 21].tolist() == [0] * 4 + [1] * 6


def test_a_voice_of_a_chorale_sounds_as_music21_joins_its_ties(chorale_paths):
    for path in chorale_paths[:60:20]:
        midi = score_midi(path)
        score = converter.parse(path, forceSource=True, storePickle=False)
        for voice, track in zip(score.stripTies().parts, midi.tracks[1:], strict=True):
            alone = mido.MidiFile(ticks_per_beat=midi.ticks_per_beat, tracks=[track])
            notes = [
                (note.pitch.midi, int(note.offset * 4), int(note.quarterLength * 4))
                for note in voice.flatten().notes
            ]
            states = note_states(events_of(alone))
            np.testing.assert_array_equal(states, hand_states(len(states), *notes), path.name)


def test_a_limit_takes_scores_from_all_over_the_group():
    madrigals = next(group for group in GROUPS if group.kind == "madrigals")
    everything, some = group_paths(madrigals), group_paths(madrigals, 10)
    assert len(everything) > 35 and len(some) == 5
    places = np.diff([everything.index(path) for path in some])
    assert places.min() >= len(everything) // 5


def test_three_voices_are_the_two_highest_staves_and_the_lowest(chorale_paths):
    for path in chorale_paths[:2]:
        voices = score_midi(path).tracks[1:]
        assert len(voices) > 3
        assert score_midi(path, "three").tracks[1:] == [voices[0], voices[1], voices[-1]]


@pytest.mark.parametrize("parts", ["all", "outer", "three"])
def test_a_score_of_one_staff_is_read_once_whatever_parts_are_asked_for(tmp_path, parts):
    path = tmp_path / "tune.abc"
    path.write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|G4|\n", encoding="utf-8")
    expected = hand_states(33, *((60 + n, 4 * i, 4) for i, n in enumerate((0, 2, 4, 5))))
    states = note_states(read_score(path, parts))
    np.testing.assert_array_equal(states[:16], expected[:16])


def test_a_file_of_several_scores_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "tunes.abc"
    tune = "X:{}\nT:a tune\nM:4/4\nK:C\nCDEF GABc|\n\n"
    path.write_text(tune.format(1) + tune.format(2), encoding="utf-8")
    with pytest.raises(InputError, match=r"^2 scores in one file: split it"):
        read_score(path)


def test_a_score_without_a_staff_is_refused(tmp_path):
    path = tmp_path / "empty.musicxml"
    path.write_text(
        '<score-partwise version="4.0"><part-list></part-list></score-partwise>', encoding="utf-8"
    )
    with pytest.raises(InputError, match="no staff"):
        read_score(path)


def test_the_opening_metre_is_told_without_reading_the_score(chorale_paths):
    tunes = shipped("ryansMammoth", ".abc", 8)
    others = [shipped("mozart", ".mxl", None)[6], shipped("monteverdi", ".mxl", None)[8]]
    seen = set()
    for path in [*chorale_paths[::25], *tunes, *others]:
        metres = [e for e in with_ticks(score_midi(path).tracks[0]) if hasattr(e[1], "numerator")]
        opening = {event.numerator for tick, event in metres if tick == 0}
        assert opening in ({opening_metre(path)}, set()), path.name  # music21 leaves out M:C
        seen.add(opening_metre(path))
    assert {2, 4, 6} <= seen


def test_bars_begin_where_the_score_has_its_bar_lines_after_an_upbeat_too(chorale_paths):
    """Bars that are longer than the metre says have one line more."""
    waltz = shipped("mozart", ".mxl", None)[5]
    upbeats = 0
    for path in [*chorale_paths[::12], *shipped("ryansMammoth", ".abc", 6), waltz]:
        midi = read_score(path)
        steps = len(note_states(midi, "all"))
        bars = converter.parse(path, forceSource=True).parts[0].getElementsByClass("Measure")
        lines = {int(float(bar.offset) * 4 + 0.5) for bar in bars}
        found = set(bar_starts(positions(midi, steps)).tolist())
        assert {line for line in lines if line < steps - 1} <= found, path.name
        assert len(found - lines) <= 1, path.name
        upbeats += bars[1].offset < bars[2].offset - bars[1].offset
    assert upbeats > 4


def test_no_score_is_taken_twice_and_none_that_opens_in_another_metre():
    names = [corpus_name(path) for group in GROUPS for path in group_paths(group)]
    assert len(set(names)) == len(names) > 600
    assert "schumann_clara/polonaise_op1n1.mxl" not in names  # in 3
    assert "mozart/k458/movement1.mxl" not in names  # in 6
    assert {"bach/bwv846.mxl", "joplin/maple_leaf_rag.mxl"} <= set(names)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group.kind} {group.use}")
def test_a_limit_leaves_a_share_of_a_group_and_one_score_at_least(group):
    everything = group_paths(group)
    for limit in (1, 6, 100):
        some = group_paths(group, limit)
        assert some == sorted(some) and set(some) <= set(everything)
        assert len(some) == min(len(everything), max(1, round(limit * group.share)))
    assert {group_of(corpus_name(path)) for path in everything} == {group.kind}


def test_a_limit_leaves_the_smallest_files_of_the_costliest_groups():
    [group] = [group for group in GROUPS if group.kind == "quartets of Beethoven"]
    some = group_paths(group, 100)
    left = [path.stat().st_size for path in set(group_paths(group)) - set(some)]
    assert len(some) == 3 and max(path.stat().st_size for path in some) < min(left)


def test_releases_come_before_strikes_at_one_tick(chorale_paths):
    for track in score_midi(chorale_paths[0]).tracks[1:]:
        sounding = set()
        for _, event in with_ticks(track):
            if event.type == "note_on":
                assert event.note not in sounding
                sounding.add(event.note)
            elif event.type == "note_off":
                sounding.remove(event.note)
        assert not sounding
