"""Folders of MIDI files: in which order they are read, and what is said of other metres."""

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
    assert "1 of 4 files, as waltz.mid, are read to a metre not 2 or 4" in said
    assert "16 of 90 steps are left out" in said  # 21 + 22 + 30 + 17
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


def test_a_linked_folder_is_followed_and_a_link_to_itself_is_a_file(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("other")
    (place / "music").symlink_to(folder)
    (place / "self.mid").symlink_to(place / "self.mid")
    assert [path.name for path in midi_files(place)] == ["1.mid", "10.mid", "2.mid", "self.mid"]
