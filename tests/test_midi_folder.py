"""Folders of MIDI files: in which order they are read, and what is said of other metres."""

import os
from time import process_time

import numpy as np
import pytest
from strategies import hand_states
from test_note_states import metre, off, on, saved

from musiclib.base.errors import InputError
from musiclib.music.midi_folder import midi_files, read_folder
from musiclib.music.note_states import write_note_states
from musiclib.music.representations import NOTE_STATES


@pytest.fixture
def folder(tmp_path):
    for name in ("1", "2", "10"):
        write_note_states(hand_states(20 + int(name), (60, 0, 4)), tmp_path / f"{name}.mid")
    return tmp_path


def test_files_come_in_the_order_of_their_names_as_strings_and_nothing_is_said(folder, capsys):
    assert {name: len(piece) for name, piece in read_folder(folder).items()} == {
        "1.mid": 21,
        "10.mid": 30,
        "2.mid": 22,
    }
    assert capsys.readouterr().err == ""


def test_how_many_files_another_metre_cuts_short_is_said_with_an_example(folder, capsys):
    waltz = saved(folder / "waltz.mid", [metre(0, 3), on(0), off(1920)])
    assert len(read_folder(folder)["waltz.mid"]) == 1
    said = capsys.readouterr().err
    assert "cut short at a metre that is not 2 or 4: 1 of 4 files, as waltz.mid: 16 of 90" in said
    assert " of 90 steps are not read (18 %); --metre all reads them" in said  # 21 + 22 + 30 + 17
    assert len(read_folder(folder, "all")["waltz.mid"]) == 17
    assert capsys.readouterr().err == ""
    primer = NOTE_STATES.read(waltz)
    np.testing.assert_array_equal(primer, hand_states(17, (60, 0, 16)))


def test_a_folder_that_is_missing_or_holds_no_midi_is_one_sentence(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=str(place)):
            read_folder(place)


@pytest.mark.parametrize("folders", [(".",), ("a", "b", "a/c")])
def test_folders_that_link_to_each_other_are_read_once(folder, folders):
    for i, name in enumerate(folders):
        place = folder / name
        place.mkdir(exist_ok=True)
        write_note_states(hand_states(5), place / "here.mid")
        for j, other in enumerate((*folders, ".")):
            (place / f"link{i}{j}").symlink_to((folder / other).resolve())
    found = midi_files(folder)
    assert len({path.resolve() for path in found}) == len(found) == 3 + len(folders)


def test_of_the_names_of_a_folder_the_first_in_order_is_read(folder):
    (folder / "b").mkdir()
    write_note_states(hand_states(5), folder / "b" / "here.mid")
    for name in ("c", "a"):
        (folder / name).symlink_to(folder / "b")
    assert [path.relative_to(folder).as_posix() for path in midi_files(folder)] == [
        "1.mid", "10.mid", "2.mid", "a/here.mid",
    ]  # fmt: skip


def test_folders_may_lie_deep_in_each_other(tmp_path):
    places = [tmp_path]
    for _ in range(1200):
        places.append(places[-1] / "d")
        places[-1].mkdir()
    (places[-1] / "a.mid").touch()
    try:
        assert midi_files(tmp_path) == [places[-1] / "a.mid"]
    finally:  # here: what empties temporary folders recurses
        (places[-1] / "a.mid").unlink()
        for place in reversed(places[1:]):
            place.rmdir()


def test_thousands_of_folders_side_by_side_are_found_about_as_fast_as_they_are_listed(tmp_path):
    for number in range(8000):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}.mid").touch()
    began = process_time()
    listed = sum(len(names) for _, _, names in os.walk(tmp_path))
    between = process_time()
    assert len(midi_files(tmp_path)) == listed == 8000
    assert process_time() - between < 8 * (between - began)  # 20 where names are sought in a list


def test_a_linked_folder_is_followed_and_a_link_to_itself_is_a_file(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("other")
    (place / "music").symlink_to(folder)
    (place / "self.mid").symlink_to(place / "self.mid")
    assert [path.name for path in midi_files(place)] == ["1.mid", "10.mid", "2.mid", "self.mid"]
