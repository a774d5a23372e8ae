"""The corpus: folders of MIDI files read into levels, main corpus and held-out pieces."""

import os
from collections import Counter
from itertools import combinations
from tempfile import gettempdir

import numpy as np
import pytest
from real_pieces import shipped
from strategies import hand_states, random_states, scale_piece

from musiclib.base.errors import InputError
from musiclib.corpus import reading
from musiclib.corpus.assemble import read_corpus
from musiclib.corpus.difficulty import difficulties, easiest_first, traits
from musiclib.corpus.division import with_graded_tunes, with_held_out_kinds, without_leaks
from musiclib.corpus.leaks import leaking
from musiclib.corpus.levels import LEVEL_NAMES
from musiclib.corpus.prepare import prepare
from musiclib.corpus.reading import encode_all
from musiclib.corpus.saved import load, save
from musiclib.corpus.sets import Corpus, Piece, states_of
from musiclib.corpus.sources import Source
from musiclib.music.midi_folder import read_folder
from musiclib.music.music21_scores import read_score
from musiclib.music.note_states import note_states, write_note_states
from musiclib.music.packed import unpack

HTML = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"


@pytest.fixture(scope="module", autouse=True)
def new_cache(tmp_path_factory):
    """What an earlier version of the reader left in the cache would be compared with itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CACHE", tmp_path_factory.mktemp("cache"))
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
    assert "broken.mid: it does not begin as a MIDI file does" in corpus.skipped["main/broken.mid"]
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


def test_a_file_that_is_named_by_a_suffix_alone_is_read_as_midi(tmp_path):
    write_note_states(piece_of(1), tmp_path / ".mid")
    sources = [Source(".mid", tmp_path / ".mid"), Source("a.foo", tmp_path / "a.foo")]
    (tmp_path / "a.foo").write_bytes(HTML)
    read, failed = encode_all(sources)
    np.testing.assert_array_equal(unpack(read[sources[0]].states, (78, 2)), piece_of(1))
    assert failed[sources[1]].startswith(f"{tmp_path / 'a.foo'}: music21 cannot read it (")
    assert gettempdir() not in failed[sources[1]].removeprefix(f"{tmp_path}")


def test_too_little_music_is_refused_in_a_sentence_that_names_three_unreadable_files(tmp_path):
    for number in range(4):
        write_note_states(piece_of(number), tmp_path / f"{number}.mid")
    for number in range(5):
        (tmp_path / f"broken {number}.mid").write_bytes(HTML)
    with pytest.raises(InputError, match="only 4 usable main pieces, 5 needed") as caught:
        read_corpus(tmp_path)
    assert "\n" not in str(caught.value) and str(caught.value).count("broken") == 3
    assert "broken 0.mid: it does not begin as a MIDI file does, " in str(caught.value)
    assert " and 2 more)" in str(caught.value)


def test_a_piece_without_a_note_that_is_read_is_left_out(structured, tmp_path):
    for path in (structured / "main").rglob("*.MID"):
        os.link(path, tmp_path / path.name)
    write_note_states(hand_states(200), tmp_path / "silent.mid")
    corpus = read_corpus(tmp_path)
    assert corpus.silent == ["silent.mid"] and corpus.complaints()[-1].endswith("200 steps")
    assert "silent.mid" not in [p.name for pieces in corpus.sets.values() for p in pieces]


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


def test_sets_apart_share_nothing_and_main_then_the_harder_level_keeps_what_they_share():
    a, b, c, d, e = (piece_of(seed, density=0.2) for seed in range(5))
    pieces = {name: [Piece(name, s, s)] for name, s in zip("abcde", (a, b, c, d, e), strict=True)}
    copies = [Piece(f"copy of {n}", np.roll(p[0].states, 2, axis=1), a) for n, p in pieces.items()]
    sets = {
        "1": [*pieces["a"], *copies[1:4]],
        "2": [*pieces["b"], copies[2], copies[4]],
        "main": [*pieces["c"], copies[3]],
        "held-out": [*pieces["d"], *pieces["e"]],
    }
    kept, leaked = without_leaks(sets, apart=True)
    assert {name: names(s) for name, s in kept.items()} == {
        "1": ["a"],
        "2": ["b"],
        "main": ["c"],
        "held-out": ["d", "e"],
    }
    assert leaked == [
        *(f"1: copy of {n}" for n in "bcd"),
        *(f"2: copy of {n}" for n in "ce"),
        "main: copy of d",
    ]
    assert list(without_leaks(sets)[0]) == list(sets)
    assert names(without_leaks(sets)[0]["1"]) == ["a", "copy of b", "copy of c"]


def test_a_piece_in_fewer_voices_is_compared_in_all_of_them_too():
    whole, upper, other = piece_of(1, density=0.2), piece_of(2, density=0.2), piece_of(3)
    sets = {
        "1": [Piece("few voices", upper, upper), Piece("other", other, other)],
        "main": [Piece("whole", whole, whole)],
        "held-out": [],
    }
    assert without_leaks(sets, apart=True)[1] == []
    assert without_leaks(sets, apart=True, also={"few voices": whole})[1] == ["1: few voices"]


def test_one_piece_in_six_of_each_kind_is_held_out_and_one_of_three_at_least():
    sizes = {"bach/bwv{}.mxl": 20, "haydn/{}.mxl": 2, "mozart/{}.mxl": 3, "beethoven/{}.mxl": 9}
    states = hand_states(1)
    main = [Piece(name.format(i), states, states) for name, n in sizes.items() for i in range(n)]
    kept = with_held_out_kinds({"main": main})
    counts = Counter(piece.kind for piece in kept["held-out"])
    assert counts == {"chorales": 3, "quartets of Mozart": 1, "quartets of Beethoven": 2}
    assert sorted(names(kept["main"] + kept["held-out"])) == sorted(names(main))
    assert names(kept["main"]) == [n for n in names(main) if n not in names(kept["held-out"])]
    assert with_held_out_kinds({"main": main}) == kept


def test_tunes_are_halved_by_difficulty():
    tunes = [Piece(str(i), random_states(130, i, 0.02 * (i + 1)), None) for i in (4, 0, 3, 1, 2)]
    sets = {"tunes": tunes, "main": tunes[:1], "3-medium": tunes[1:2], "4-hard": tunes[2:3]}
    graded = with_graded_tunes(sets)
    assert list(graded) == [*LEVEL_NAMES, "main"]
    assert names(graded["1-very-easy"]) == ["0", "1", "2"]
    assert names(graded["2-easy"]) == ["4", "3"]


def test_a_piece_of_a_folder_is_of_the_kind_of_its_folder_and_a_score_of_its_group(corpus):
    assert Counter(p.kind for p in corpus.main) == {"main": 5, "deep": 1}
    kinds = {"bach/bwv846.mxl": "piano pieces", "bach/bwv10.7.mxl": "chorales"}
    kinds |= {"bach/mine.mid": "bach", "1.mid": "files"}
    assert {name: Piece(name, None, None).kind for name in kinds} == kinds


@pytest.fixture(scope="module", params=[6, 12])
def default(request):
    """The default corpus of as many scores per group."""
    return read_corpus(None, request.param)


def test_the_default_corpus_has_four_levels_a_main_corpus_and_held_out_pieces(default):
    assert list(default.sets) == [*LEVEL_NAMES, "main", "held-out"]
    assert min(map(len, default.levels.values())) >= 2
    assert len(default.main) >= 5 and len(default.held_out) >= 2
    assert not default.skipped
    assert min(len(piece.states) for pieces in default.sets.values() for piece in pieces) >= 128


def test_no_piece_of_the_default_corpus_is_in_two_sets(default):
    every = [piece.name for pieces in default.sets.values() for piece in pieces]
    assert len(set(every)) == len(every)
    for one, other in combinations(default.sets.values(), 2):
        assert leaking(states_of(one), states_of(other)) == []


def test_no_chorale_of_a_level_is_another_one_in_all_its_voices(default):
    paths = {f"bach/{path.name}": path for path in shipped("bach", ".mxl", None)}
    levels = [p for name in ("3-medium", "4-hard") for p in default.levels[name]]
    whole = [note_states(read_score(paths[piece.name])) for piece in levels[::3]]
    assert leaking(whole, states_of(default.main + default.held_out)) == []


def test_difficulty_rises_from_level_to_level_and_stays_below_main(default):
    hard = default.difficulties()
    rising = [hard[name] for name in (*LEVEL_NAMES, "main")]
    assert rising == sorted(set(rising))
    every = [(name, traits(p.states)) for name, pieces in default.sets.items() for p in pieces]
    for name in default.sets:
        shares = [
            (sum(t[i] < mine[i] for _, t in every) + sum(t[i] <= mine[i] for _, t in every) + 1)
            / (2 * len(every))
            for of, mine in every
            if of == name
            for i in range(3)
        ]
        assert hard[name] == pytest.approx(np.mean(shares))


def test_the_default_corpus_holds_out_a_share_of_every_kind(default):
    held_out = Counter(piece.kind for piece in default.held_out)
    both = held_out + Counter(piece.kind for piece in default.main)
    assert {"chorales", "madrigals"} <= set(held_out)
    for kind, count in both.items():
        assert held_out[kind] == (round(count / 6) or int(count >= 3)), kind


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
    source = Source("a", path)

    def states():
        return unpack(encode_all([source], cache=cache)[0][source].states, (78, 2))

    write_note_states(piece_of(1), path)
    for _ in range(2):
        np.testing.assert_array_equal(states(), piece_of(1))
    write_note_states(piece_of(2), path)
    np.testing.assert_array_equal(states(), piece_of(2))
    for entry in cache.rglob("*.npz"):
        entry.write_bytes(entry.read_bytes()[:-30])
    np.testing.assert_array_equal(states(), piece_of(2))


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


def test_backwards_pieces_begin_with_the_end_of_their_last_whole_bar():
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
    assert easiest_first([traits(piece) for piece in (chords, slow, fast)]) == [1, 2, 0]


def test_difficulties_are_mean_ranks_that_order_pieces_as_their_sums_do():
    some = [traits(random_states(40, seed, 0.02 * (1 + seed % 4))) for seed in range(7)]
    hard = difficulties(some)
    assert hard.min() > 0 and hard.max() <= 1
    assert np.argsort(hard, kind="stable").tolist() == easiest_first(some)
    assert difficulties([some[0], some[0]]).tolist() == [0.75, 0.75]
