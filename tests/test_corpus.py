"""The corpus: folders of MIDI files read into levels, main corpus and held-out pieces."""

import os

import numpy as np
import pytest
from strategies import hand_states, random_states, scale_piece

from musiclib import sources
from musiclib.corpus import Corpus, Piece, load, prepare, read_corpus, save, without_leaks
from musiclib.difficulty import easiest_first
from musiclib.errors import InputError
from musiclib.midi import write_note_states
from musiclib.sources import encode_cached, read_folder

HTML = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"


@pytest.fixture(scope="module", autouse=True)
def no_cache():
    """What an earlier version of the reader left in the cache would be compared with itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "encode_cached", sources.encode)
        yield


def piece_of(seed, steps=130, density=0.05):
    return random_states(steps, seed, density, low=20, high=60)


@pytest.fixture(scope="module")
def structured(tmp_path_factory):
    """Four levels, main and held-out, with one file too short, one broken and one leaking."""
    folder = tmp_path_factory.mktemp("structured")
    files = {f"levels/{level}/a.mid": piece_of(level) for level in range(1, 5)}
    files |= {f"main/{number}.MID": piece_of(10 + number) for number in (1, 10, 2, 3, 4)}
    files |= {"held-out/bach.midi": piece_of(30), "main/deep/er.mid": piece_of(15)}
    files |= {"main/copy.mid": np.roll(piece_of(30), 4, axis=1), "main/short.mid": piece_of(9, 127)}
    for name, states in files.items():
        write_note_states(states, folder / name)
    (folder / "main" / "broken.mid").write_bytes(HTML)
    (folder / "main" / "readme.txt").write_bytes(HTML)
    return folder


@pytest.fixture(scope="module")
def corpus(structured):
    return read_corpus(structured)


def names(pieces):
    return [piece.name.removeprefix("main/") for piece in pieces]


def test_a_folder_with_levels_main_and_held_out_is_read_as_it_is(corpus):
    assert list(corpus.sets) == ["1", "2", "3", "4", "main", "held-out"]
    assert list(corpus.levels) == ["1", "2", "3", "4"]
    assert names(corpus.main) == ["1.MID", "10.MID", "2.MID", "3.MID", "4.MID", "deep/er.mid"]
    assert names(corpus.held_out) == ["held-out/bach.midi"]
    np.testing.assert_array_equal(corpus.main[1].states, piece_of(20))
    np.testing.assert_array_equal(corpus.levels["3"][0].states, piece_of(3))


def test_an_unreadable_file_is_named_and_counted_and_the_others_are_read(corpus):
    assert list(corpus.skipped) == ["main/broken.mid"]
    assert "broken.mid: not a readable MIDI file" in corpus.skipped["main/broken.mid"]
    complaints = "\n".join(corpus.complaints())
    assert "broken.mid" in complaints and "1 not readable" in complaints


def test_short_and_leaking_pieces_are_named_and_left_out(corpus):
    assert corpus.short == ["main/short.mid"]
    assert corpus.leaked == ["main: main/copy.mid"]


def test_a_flat_folder_is_graded_and_one_piece_in_five_is_held_out(tmp_path):
    for number in range(15):
        states = random_states(130, number, 0.05 + 0.05 * number, low=20, high=25 + 2 * number)
        write_note_states(states, tmp_path / f"{number:02}.mid")
    flat = read_corpus(tmp_path)
    assert list(flat.sets) == ["1-very-easy", "2-easy", "3-medium", "4-hard", "main", "held-out"]
    assert len(flat.held_out) == 3 and len(flat.main) == 12
    assert sorted(names(flat.main + flat.held_out)) == [f"{n:02}.mid" for n in range(15)]
    levels = [name for level in flat.levels.values() for name in names(level)]
    assert levels == names(flat.main)[:6]  # the easier half: here the number is the difficulty
    assert read_corpus(tmp_path).checksum == flat.checksum


def test_a_file_that_cannot_be_opened_is_named_and_the_others_are_read(structured, tmp_path):
    for path in (structured / "main").rglob("*.MID"):
        os.link(path, tmp_path / path.name)
    write_note_states(piece_of(7), tmp_path / "7.mid")
    (tmp_path / "gone.mid").symlink_to(tmp_path / "nowhere.mid")
    assert list(read_corpus(tmp_path).skipped) == ["gone.mid"]


def test_too_little_music_is_refused_and_unreadable_files_are_named(tmp_path):
    for number in range(4):
        write_note_states(piece_of(number), tmp_path / f"{number}.mid")
    (tmp_path / "broken.mid").write_bytes(HTML)
    with pytest.raises(InputError, match=r"only 4 usable .*\n.*broken\.mid"):
        read_corpus(tmp_path)


@pytest.mark.parametrize("layout", ["", "main", "main/empty"])
def test_a_missing_or_empty_folder_is_refused(tmp_path, layout):
    with pytest.raises(InputError, match="nowhere"):
        read_corpus(tmp_path / "nowhere")
    (tmp_path / layout).mkdir(parents=True, exist_ok=True)
    (tmp_path / "notes.txt").write_text("no music here")
    with pytest.raises(InputError, match="no MIDI file"):
        read_corpus(tmp_path)


def test_a_folder_is_read_in_file_name_order_as_strings(tmp_path):
    for number in (1, 2, 10, 11, 20):
        write_note_states(hand_states(number), tmp_path / f"{number}.mid")
    assert [len(states) for states in read_folder(tmp_path).values()] == [1, 10, 11, 2, 20]


def test_without_leaks_drops_the_copy_and_nothing_else(chorales):
    some = [Piece(f"{i}", states, states) for i, states in enumerate(chorales[:6])]
    later = np.concatenate([np.zeros((7, 78, 2), np.uint8), np.roll(some[0].states, -3, axis=1)])
    sets = {"1": some[1:3], "main": [*some[3:], Piece("copy", later, later)], "held-out": some[:1]}
    kept, leaked = without_leaks(sets)
    assert leaked == ["main: copy"]
    assert kept == {"1": some[1:3], "main": some[3:], "held-out": some[:1]}
    with pytest.raises(InputError, match="every piece of main"):
        without_leaks({"main": sets["main"][-1:], "held-out": some[:1]})


def test_what_is_saved_loads_with_the_same_checksum(corpus, tmp_path):
    save(corpus, tmp_path / "corpus.npz")
    loaded = read_corpus(tmp_path / "corpus.npz")
    assert loaded.checksum == corpus.checksum
    assert list(loaded.sets) == list(corpus.sets)
    np.testing.assert_array_equal(loaded.main[2].roll, corpus.main[2].roll)


@pytest.mark.parametrize("damage", ["missing", "empty", "html", "cut", "another array"])
def test_what_is_not_a_saved_corpus_is_refused_by_name(corpus, tmp_path, damage):
    path = tmp_path / "corpus.npz"
    save(corpus, path)
    whole = path.read_bytes()
    path.unlink()
    if damage == "another array":
        np.savez(path, weights=np.zeros(3))
    elif damage != "missing":
        path.write_bytes({"empty": b"", "html": HTML, "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(InputError, match=r"corpus\.npz"):
        load(path)


def test_the_checksum_sees_every_note_name_and_set(corpus):
    first = corpus.main[0]
    louder = first._replace(states=np.where(np.arange(78)[:, None] == 5, 1, first.states))
    changed = [
        {"main": [louder, *corpus.main[1:]]},
        {"main": [first._replace(roll=1 - first.roll), *corpus.main[1:]]},
        {"main": [first._replace(name="other"), *corpus.main[1:]]},
        {"main": corpus.main[::-1]},
        {"1": corpus.sets["2"], "2": corpus.sets["1"]},
    ]
    checksums = {Corpus(corpus.sets | change).checksum for change in changed}
    assert len(checksums | {corpus.checksum}) == 6


def test_the_cache_gives_the_same_piece_and_follows_the_content(tmp_path):
    path, cache = tmp_path / "a.mid", tmp_path / "cache"
    source = sources.Source("a", path)
    write_note_states(piece_of(1), path)
    read, cached = encode_cached(source, cache), encode_cached(source, cache)
    for one, other in zip(read, cached, strict=True):
        np.testing.assert_array_equal(one, other)
    write_note_states(piece_of(2), path)
    np.testing.assert_array_equal(encode_cached(source, cache).states, piece_of(2))


def keyed_corpus(*intervals):
    pieces = []
    for interval in intervals:
        states = scale_piece(60 + interval)
        pieces.append(Piece(str(interval), states, np.pad(states[..., 0], ((0, 0), (3, 7)))))
    return Corpus({"main": pieces, "held-out": pieces})


def test_key_normalisation_moves_states_and_roll_to_c_major():
    corpus = keyed_corpus(0, 2, -1, 5)
    home = scale_piece(60)
    roll = np.pad(home[..., 0], ((0, 0), (3, 7)))
    for pieces in prepare(corpus, normalise=True).sets.values():
        for piece in pieces:
            np.testing.assert_array_equal(piece.states, home)
            np.testing.assert_array_equal(piece.roll, roll)
    for kept, piece in zip(prepare(corpus, normalise=False).main, corpus.main, strict=True):
        np.testing.assert_array_equal(kept.states, piece.states)


def test_only_pieces_of_a_mode_can_be_asked_for():
    minor = hand_states(16, *((57 + n, 0, 16) for n in (0, 3, 7, -12)))
    both = [keyed_corpus(2).main[0], Piece("minor", minor, minor[..., 0])]
    corpus = Corpus({"main": both, "held-out": both[:1]})
    assert names(prepare(corpus, normalise=True, mode="all").main) == ["2", "minor"]
    assert names(prepare(corpus, normalise=True, mode="major").main) == ["2"]
    assert prepare(corpus, normalise=True, mode="minor").held_out == []
    only_major = Corpus({"main": both[:1], "held-out": both})
    with pytest.raises(InputError, match="main is in minor"):
        prepare(only_major, normalise=True, mode="minor")


def test_backwards_pieces_begin_with_the_end_of_their_last_whole_measure():
    states = hand_states(36, (60, 0, 4), (64, 28, 4), (67, 30, 6))
    roll = np.arange(18 * 88, dtype=np.uint8).reshape(18, 88)
    piece = Piece("a", states, roll)
    corpus = Corpus({"main": [piece], "held-out": [piece]})
    backwards = prepare(corpus, normalise=False, reverse=True).main[0]
    expected = hand_states(32, (60, 28, 4), (64, 0, 4), (67, 0, 2))
    np.testing.assert_array_equal(backwards.states, expected)
    np.testing.assert_array_equal(backwards.roll, roll[::-1])


def test_pieces_are_graded_by_notes_speed_and_range():
    slow = hand_states(32, (60, 0, 16), (62, 16, 16))
    fast = hand_states(32, *((60 + 2 * (step % 3), step, 1) for step in range(32)))
    chords = hand_states(
        32, *((40 + 7 * n + step % 3, step, 1) for step in range(32) for n in range(5))
    )
    assert easiest_first([chords, slow, fast]) == [1, 2, 0]
