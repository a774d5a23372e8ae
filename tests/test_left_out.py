"""What is left out is said, in the same words everywhere, with numbers that mido counts too."""

import json
import os
import re
import socket
from contextlib import chdir

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reasons import quarters
from strategies import hand_states, random_states, scale_piece
from test_note_states import metre, on, saved

from musiclib.base.errors import InputError
from musiclib.cli import main
from musiclib.corpus import assemble, reading, shards
from musiclib.corpus import saved as saved_corpus
from musiclib.corpus.assemble import read_corpus
from musiclib.exploring.given import ending_of, primer_of
from musiclib.exploring.take import heard
from musiclib.exploring.wish import compose_wish
from musiclib.exploring.wishes import Wish
from musiclib.music.left_out import MOST_NAMED
from musiclib.music.midi_folder import look_into, midi_files, read_folder, read_whole_folder
from musiclib.music.note_states import read_note_states, write_note_states

CUT = "cut short at a metre that is not 2 or 4"


def good(path, seed=0, steps=150):
    write_note_states(random_states(steps + seed, seed, 0.1, low=20, high=60), path)


def waltz(path, seed=0):
    rng = np.random.default_rng(seed)
    saved(path, [metre(0, 3)], quarters(rng.integers(50, 80, 50)))


def later_in_3_4(path, seed=0):
    rng = np.random.default_rng(seed)
    saved(path, [metre(0, 4), metre(40 * 480, 3)], quarters(rng.integers(50, 80, 60)))


def high(path, seed=0):
    rng = np.random.default_rng(seed)
    saved(path, [metre(0, 4)], quarters([*rng.integers(60, 80, 40), 110, 127, 23, 0]))


def short(path, seed=0):
    write_note_states(random_states(3 + seed % 9, seed, 0.3), path)


def cut_off(path, seed=0):
    good(path, seed)
    path.write_bytes(path.read_bytes()[: 30 + seed])


def made_by_socket(path, seed=0):
    with chdir(path.parent), socket.socket(socket.AF_UNIX) as made:  # a long path is refused
        made.bind(path.name)


def too_many_bytes(path, seed=0):
    with path.open("wb") as file:
        file.truncate(20_000_001)


READABLE = {"good": good, "waltz": waltz, "later": later_in_3_4, "high": high, "short": short}
BAD = {
    "page": lambda path, seed=0: path.write_bytes(b"<html>404</html>"),
    "empty": lambda path, seed=0: path.touch(),
    "cut off": cut_off,
    "nowhere": lambda path, seed=0: path.symlink_to("nowhere"),
    "itself": lambda path, seed=0: path.symlink_to(path),
    "fifo": lambda path, seed=0: os.mkfifo(path),
    "device": lambda path, seed=0: path.symlink_to("/dev/zero"),
    "socket": made_by_socket,
    "too large": too_many_bytes,
    "too long": lambda path, seed=0: saved(path, [*quarters([60]), on(120 * 300_000, 60)]),
}


def counted(path, rule):
    """(steps, notes, notes out of range) of a file, by mido: up to the metre that stops reading."""
    midi = mido.MidiFile(path)
    events = sorted(
        ((tick, event) for track in midi.tracks for tick, event in ticks_of(track)),
        key=lambda pair: pair[0],
    )
    notes = outside = 0
    end = max(tick for tick, event in events)
    for tick, event in events:
        if event.type == "marker":
            end = tick  # our own files say so where their steps end
            break
        if rule == "paper" and event.type == "time_signature" and event.numerator not in (2, 4):
            end = tick
            break
        if event.type == "note_on" and event.velocity:
            notes, outside = notes + 1, outside + (not 24 <= event.note <= 101)
    size = midi.ticks_per_beat // 4
    return 1 + len(range(size // 2, end + 1, size)), notes, outside


def ticks_of(track):
    now = 0
    for event in track:
        now += event.time
        yield now, event


def number(text):
    return int(text.replace(",", ""))


@settings(max_examples=20)
@given(
    st.lists(st.sampled_from([*READABLE, *BAD]), min_size=1, max_size=30),
    st.sampled_from(["paper", "all"]),
    st.integers(0, 2**16),
)
def test_of_any_mixture_what_is_said_is_what_mido_counts(tmp_path_factory, kinds, rule, seed):
    folder = tmp_path_factory.mktemp("mixture")
    for index, kind in enumerate(kinds):
        (READABLE | BAD)[kind](folder / f"{index:02} {kind}.mid", (seed + index) % 40)
    bad = [f"{i:02} {kind}.mid" for i, kind in enumerate(kinds) if kind in BAD]
    if len(bad) == len(kinds):
        with pytest.raises(InputError, match=rf"none of {len(bad)} files? can be read: .*{bad[0]}"):
            look_into(folder, rule)
        return
    pieces, left_out = look_into(folder, rule)
    assert list(left_out.skipped) == bad
    assert sorted([*pieces, *bad]) == sorted(path.name for path in folder.iterdir())
    of = {name: counted(folder / name, rule) for name in pieces}
    whole = {name: counted(folder / name, "all")[0] for name in pieces}
    for name, states in pieces.items():
        np.testing.assert_array_equal(states, read_note_states(folder / name, rule))
        assert len(states) == of[name][0]
    lost = {name: whole[name] - of[name][0] for name in pieces if whole[name] > of[name][0]}
    assert left_out.cut == lost
    assert left_out.outside == {name: found[2] for name, found in of.items() if found[2]}
    told = "\n".join(left_out.lines())
    named = re.findall(r"^skipped, not readable: (.*?\.mid): ", told, re.MULTILINE)
    assert named == [str(folder / name) for name in bad[:MOST_NAMED]]
    assert (f"left out: {len(bad)} not readable of {len(kinds)} files" in told) == bool(bad)
    if cost := re.search(rf"{CUT}: (\S+) of (\S+) files?, as .*: (\S+) of (\S+) steps", told):
        figures = len(lost), len(kinds), sum(lost.values()), sum(whole.values())
        assert tuple(map(number, cost.groups())) == figures
    assert bool(cost) == bool(lost)
    if cost := re.search(r"out of range: (\S+) of (\S+) notes?, .*: (\S+) of (\S+) files?", told):
        outside = [found[2] for found in of.values() if found[2]]
        figures = sum(outside), sum(f[1] for f in of.values()), len(outside), len(kinds)
        assert tuple(map(number, cost.groups())) == figures
    assert bool(cost) == any(found[2] for found in of.values())


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Good music, and the same among bad files of each kind; and what is read of it in part."""
    top = tmp_path_factory.mktemp("folders")
    for place, first in {"generated": 0, "held-out": 40, "reference": 80}.items():
        for name in ("good", "mixed"):
            (top / name / place).mkdir(parents=True)
            for seed in range(first, first + 5):
                good(top / name / place / f"{seed:02}.mid", seed, 64)
        for kind, write in BAD.items():
            write(top / "mixed" / place / f"{kind}.mid")
    (top / "bad").mkdir()
    BAD["page"](top / "bad" / "a.mid")
    return top


def run(capsys, *arguments):
    """What a command prints: on stdout, and lines on stderr but for progress."""
    main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    lines = (
        line for line in err.splitlines() if not re.search(r": \d+ (of \d+ after|s so far)", line)
    )
    return out, [*lines]


JUDGES = [("isl", "--json"), ("isl", "--estimator", "mixture", "--json"), ("evaluate", "--json")]


@pytest.mark.parametrize("command", JUDGES, ids=" ".join)
def test_music_among_bad_files_is_judged_as_it_is_alone(command, folders, capsys):
    name, *options = command
    results = {}
    for kind in ("good", "mixed"):
        places = [folders / kind / place for place in ("generated", "held-out")]
        places += ["--reference", folders / kind / "reference"]
        out, results[kind, "said"] = run(capsys, name, *places, *options)
        results[kind] = json.loads(out)
    assert results["mixed"] == results["good"]
    more = [line for line in results["mixed", "said"] if "not readable" in line]
    assert len(more) == 3 * (len(BAD) + 1)
    for place in ("generated", "held-out", "reference"):
        folder = folders / "mixed" / place
        for bad in BAD:
            assert sum(f"{folder / bad}.mid: " in line for line in more) == 1
        assert f"{folder}: left out: 10 not readable of 15 files; their music is not known" in more
    rest = [line.replace("/good/", "/mixed/") for line in results["good", "said"]]
    assert [line for line in results["mixed", "said"] if line not in more] == rest


@pytest.mark.parametrize("command", JUDGES, ids=" ".join)
def test_a_folder_of_nothing_but_bad_files_is_one_sentence(command, folders, capsys):
    good_one, bad = folders / "good" / "generated", folders / "bad"
    for places in ((bad, good_one), (good_one, bad), (good_one, good_one, "--reference", bad)):
        with pytest.raises(SystemExit, match=r"^musiclib: [^\n]*bad: none of 1 file[^\n]*a\.mid"):
            main([command[0], *map(str, places), *command[1:]])
        assert capsys.readouterr().out == ""


def test_bars_that_are_not_whole_are_said_as_each_estimator_cuts_them(tmp_path, capsys):
    lengths = {"generated": (37, 16, 5), "held-out": (40, 20, 9, 32)}
    for place, steps in lengths.items():
        (tmp_path / place).mkdir()
        for index, length in enumerate(steps):
            write_note_states(scale_piece(60, length, index), tmp_path / place / f"{index}.mid")
    places = [tmp_path / place for place in lengths]
    _, apart = run(capsys, "isl", *places, "--estimator", "mixture")
    assert [line.partition(": ")[2] for line in apart] == [
        "too short: 1 file under a bar of 16 steps, as 2.mid: 5 steps",
        "last bar not whole: 1 file with an end that no bar of 16 steps holds, as 0.mid: 5 steps",
        "too short: 1 file under a bar of 16 steps, as 2.mid: 9 steps",
        "last bar not whole: 2 files with an end that no bar of 16 steps holds, as 0.mid: 12 steps",
    ]
    record, end_to_end = run(capsys, "isl", *places, "--json")
    assert [line[-22:] for line in end_to_end] == [
        "holds, as 2.mid: 10 steps"[-22:],
        "holds, as 3.mid: 13 steps"[-22:],
    ]
    assert json.loads(record)["generated_measures"] * 16 + 10 == 37 + 16 + 5
    assert json.loads(record)["held_out_measures"] * 16 + 13 == 40 + 40 + 20 + 9 + 32


@pytest.mark.parametrize("command", JUDGES, ids=" ".join)
def test_what_a_metre_cuts_is_said_and_read_where_it_is_asked_for(command, tmp_path, capsys):
    for place in ("generated", "held-out"):
        (tmp_path / place).mkdir()
        for seed in range(3):
            waltz(tmp_path / place / f"{seed}.mid", seed)
    name, *options = command
    places = [tmp_path / "generated", tmp_path / "held-out"]
    with pytest.raises(SystemExit, match=r"cuts 6 of the files short: --metre all reads on$"):
        main([name, *map(str, places), *options])
    assert CUT not in capsys.readouterr().err
    read_folder(tmp_path / "held-out")
    said = capsys.readouterr().err
    assert f"held-out: {CUT}: 3 of 3 files, as 0.mid: 600 of 603 steps are not read (100 %)" in said
    out, said = run(capsys, name, *places, *options, "--metre", "all")
    assert not any(CUT in line for line in said)
    steps = len(read_note_states(tmp_path / "generated" / "0.mid", "all"))
    bars = 3 * steps // 16 if command == JUDGES[0] else 3 * (steps // 16)
    assert f'"generated_measures": {bars},' in out or f'"bars": {bars}}}' in out


def test_mended_are_the_good_files_alone_and_what_is_left_out_of_them_is_said(
    folders, tmp_path, capsys
):
    high(folders / "good" / "generated" / "high.mid")
    high(folders / "mixed" / "generated" / "high.mid")
    _, quiet = run(capsys, "mend", "conditional-rbm", folders / "good/generated", tmp_path / "a")
    _, said = run(capsys, "mend", "conditional-rbm", folders / "mixed/generated", tmp_path / "b")
    made = [{p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in "ab"]
    assert made[0] == made[1] and len(made[0]) == 6
    assert len(said) == len(BAD) + 2 and len(quiet) == 1
    notes = sum(counted(path, "all")[1] for path in (folders / "good" / "generated").iterdir())
    words = f"out of range: 4 of {notes:,} notes, outside the pitches 24 to 101: 1 of"
    assert words in quiet[0] and words in said[-1]
    with pytest.raises(SystemExit, match=r"^musiclib: [^\n]*none of 1 file[^\n]*$"):
        main(["mend", "conditional-rbm", str(folders / "bad"), str(tmp_path / "c")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    for name in ("good", "mixed"):
        (folders / name / "generated" / "high.mid").unlink()


@pytest.fixture(scope="module")
def sixty_and_ten(tmp_path_factory):
    """60 good files, 10 bad ones of each kind there is, some in 3/4, and some too short."""
    folder = tmp_path_factory.mktemp("sixty")
    for seed in range(60):
        good(folder / f"good {seed:02}.mid", seed)
    for kind, write in BAD.items():
        write(folder / f"bad {kind}.mid")
    for seed in range(3):
        waltz(folder / f"waltz {seed}.mid", seed)
        later_in_3_4(folder / f"cut {seed}.mid", seed)
        short(folder / f"short {seed}.mid", seed)
    high(folder / "high.mid")
    return folder


def test_a_corpus_says_of_its_files_what_train_and_compose_say_too(sixty_and_ten, tmp_path, capsys):
    folder, small = sixty_and_ten, ("--profile", "smoke")
    out, said = run(capsys, "corpus", folder, *small, "--no-minutes", "--json")
    told = json.loads(out)
    assert told["reasons"]["unreadable"]["files"] + told["reasons"]["too large"]["files"] == 10
    of = {path.name: counted(path, "paper") for path in folder.iterdir() if "bad" not in path.name}
    whole = {name: counted(folder / name, "all")[0] for name in of}
    lost = {name: whole[name] - of[name][0] for name in of if whole[name] > of[name][0]}
    brief = [name for name in of if of[name][0] < 128]
    notes = sum(counted(folder / name, "all")[1] for name in of if name not in brief)
    assert [line for line in said if line.startswith("skipped")] == [
        f"skipped, not readable: {folder / f'bad {kind}.mid'}: {reason}"
        for kind in sorted(BAD)
        for reason in [next(f for f in told["files"] if f["file"] == f"bad {kind}.mid")["sentence"]]
    ]
    assert said[10:] == [
        "left out: 10 not readable of 80 files; their music is not known",
        f"{CUT}: 6 of 80 files, as cut 0.mid: {sum(lost.values()):,} of"
        f" {sum(whole.values()):,} steps are not read"
        f" ({100 * sum(lost.values()) / sum(whole.values()):.0f} %); --metre all reads them",
        "too short: 6 files under 128 steps (3 of them for being cut short), as short 0.mid:"
        f" {sum(of[name][0] for name in brief)} steps",
        f"out of range: 4 of {notes:,} notes, outside the pitches 24 to 101: 1 of 80 files, as"
        " high.mid",
    ]
    corpus = ("--corpus", folder)
    runs = ("--runs", tmp_path / "runs", "--iterations", 1)
    _, trained = run(capsys, "train", "biaxial", *small, *corpus, *runs)
    assert trained[1:] == said  # after the profile
    out = ("--bars", 1, "--out", tmp_path / "a.mid")
    _, composed = run(capsys, "compose", "--primer", "corpus", *corpus, *out)
    assert composed[:-1] == said


@pytest.mark.parametrize("suffix", [".npz", ".shards"])
def test_a_saved_corpus_says_what_had_been_left_out_of_it(suffix, sixty_and_ten, tmp_path):
    corpus, path = read_corpus(sixty_and_ten), tmp_path / f"corpus{suffix}"
    (saved_corpus.save if suffix == ".npz" else shards.write)(corpus, path)
    first, *again = read_corpus(path).complaints()
    assert first == f"{path}: when it was saved, this had been left out:"
    assert again[:10] == corpus.complaints()[:10]
    assert again[10] == "left out: 10 not readable; their music is not known"
    assert any(line.startswith("too short: 6 files under 128 steps as read in 2") for line in again)
    cut = next(line for line in again if CUT in line)
    if suffix == ".npz":
        assert cut == f"{path}: what is {CUT} is not kept in it"
    else:
        assert cut.startswith(f"{CUT}: 3 files, as cut 0.mid: 240 of ")  # of pieces that are used
        assert cut.endswith("; saved anew with --metre all it has them")
    assert read_corpus(path).checksum == corpus.checksum


def test_where_nothing_is_left_out_nothing_is_said(tmp_path, capsys):
    for seed in range(8):
        good(tmp_path / f"{seed}.mid", seed)
    assert read_corpus(tmp_path).complaints() == []
    read_folder(tmp_path)
    assert capsys.readouterr().err == ""


def test_a_folder_that_may_not_be_opened_is_named_among_the_files(tmp_path, monkeypatch, capsys):
    for seed in range(8):
        good(tmp_path / f"{seed}.mid", seed)
    (closed := tmp_path / "closed").mkdir()
    good(closed / "hidden.mid")
    scandir = os.scandir

    def refusing(place="."):
        if place == closed:
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refusing)
    assert midi_files(tmp_path)[-1] == closed
    words = f"skipped, not readable: {closed}: it cannot be opened (Permission denied); make it"
    assert read_corpus(tmp_path).complaints()[0].startswith(words)
    assert len(read_folder(tmp_path)) == 8
    assert words in capsys.readouterr().err


def test_a_file_that_goes_while_others_are_read_is_skipped(tmp_path, monkeypatch):
    for seed in range(3):
        good(tmp_path / f"{seed}.mid", seed)
    monkeypatch.setattr(
        "musiclib.music.midi_folder.midi_files",
        lambda folder: [*map(folder.joinpath, ("0.mid", "gone.mid", "2.mid"))],
    )
    pieces, left_out = look_into(tmp_path)
    assert list(pieces) == ["0.mid", "2.mid"] and list(left_out.skipped) == ["gone.mid"]


def test_any_fault_of_a_reader_is_that_of_its_file(tmp_path, monkeypatch):
    from musiclib.music import midi_folder

    for seed in range(3):
        good(tmp_path / f"{seed}.mid", seed)
    read = midi_folder.read_midi

    def failing(path):
        if path.name == "1.mid":
            raise ZeroDivisionError("by nought")
        return read(path)

    monkeypatch.setattr(midi_folder, "read_midi", failing)
    pieces, left_out = look_into(tmp_path)
    assert list(pieces) == ["0.mid", "2.mid"]
    assert (
        "1.mid: reading it failed (ZeroDivisionError: by nought); leave it out"
        in (left_out.lines()[0])
    )
    with pytest.raises(InputError, match=r"1\.mid: reading it failed"):
        read_whole_folder(tmp_path)


def test_a_line_stays_one_whatever_is_in_a_name(tmp_path):
    name = "two\nlines \x1b[31m" + os.fsdecode(b"\xff") + ".mid"
    (tmp_path / name).touch()
    good(tmp_path / "good.mid")
    first, _ = look_into(tmp_path).left_out.lines()
    assert first.isprintable() and r"two\nlines \x1b[31m\udcff.mid" in first


def test_a_cache_that_cannot_be_written_is_said_once_and_costs_nothing_else(
    tmp_path, monkeypatch, capsys
):
    for seed in range(40):
        good(tmp_path / f"{seed:02}.mid", seed)
    (tmp_path / "file").touch()
    expected = read_corpus(tmp_path)
    monkeypatch.setattr(reading, "CACHE", tmp_path / "file" / "cache")
    monkeypatch.setattr(assemble, "ON_DISK", tmp_path / "file" / "corpora")
    monkeypatch.setattr(assemble, "IN_MEMORY", 0)
    monkeypatch.setattr(reading, "IN_MEMORY", 0)
    read = read_corpus(tmp_path)
    said = capsys.readouterr().err
    assert said.count("what is read is not kept") == said.count("stays in memory, packed") == 1
    assert read.checksum == expected.checksum
    for mine, theirs in zip(read.main, expected.main, strict=True):
        np.testing.assert_array_equal(np.asarray(mine.states), theirs.states)


def drum(tick, pitch=36):
    return mido.Message("note_on", note=pitch, velocity=80, channel=9, time=tick)


def song(path, signature, bars):
    """Quarters in a metre, four of them high above, and as many drums as there are quarters."""
    count = signature * bars
    pitches = [60 + index % 12 for index in range(count)]
    pitches[-4:] = [110] * 4
    drums = [drum(0 if index == 0 else 480) for index in range(count)]
    saved(path, [metre(0, signature)], quarters(pitches), drums)
    return count


@pytest.mark.parametrize(("signature", "bar"), [(3, 16), (3, 12), (4, 16), (5, 16), (4, 12)])
@pytest.mark.parametrize("ends", [False, True])
def test_a_file_to_begin_or_end_with_says_what_of_it_is_used(signature, bar, ends, tmp_path):
    count = song(path := tmp_path / "song.mid", signature, 12)
    given = (ending_of if ends else primer_of)(str(path), bar)
    steps, own = 4 * count + 1, 4 * signature
    first, last = map(number, re.search(r"\(steps (\S+) to (\S+) of", given.told).groups())
    assert (
        f"steps {first} to {last} of {steps}, the other {steps - last + first - 1} are"
        in given.told
    )
    written = read_note_states(path, "all")[first - 1 : last]
    heard_there = written[:, 36:48]  # the tune's octave: drums lie below it
    np.testing.assert_array_equal(given.states[: len(written), 36:48], heard_there)
    assert f"it is in {signature}/4" in given.told
    assert (
        f"with bars of {own} steps, and heard in bars of {bar}: for its own give --bar {own}"
        in given.told
    ) == (own != bar)
    assert ("--metre all" in given.told) == (own not in (bar, 16))
    lost = f"{count} of drums and 4 outside the pitches 24 to 101 are left out"
    assert given.told.endswith(f"of its {2 * count} notes {lost}")
    words = "its last 2 bars end the piece" if ends else f"its bar 1 of {-(-steps // bar)} begins"
    assert given.told.startswith(f"song.mid: {words}")


def test_what_is_given_is_said_once_and_kept_with_the_piece(tmp_path, capsys):
    song(path := tmp_path / "song.mid", 3, 8)
    composed = compose_wish(Wish(primer=str(path), bars=2))
    assert capsys.readouterr().err.count(composed.given) == 1
    assert composed.given == primer_of(str(path), 16).told
    assert composed.given.split("; ")[0] in heard(composed)
    out = tmp_path / "pieces"
    main(["compose", "--primer", str(path), "--bars", "2", "--pieces", "2", "--out", str(out)])
    assert capsys.readouterr().err.count(composed.given) == 1
    plain = compose_wish(Wish(bars=1))
    assert plain.given == "" and "Given" not in heard(plain)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("option", ["--primer", "--ending"])
@pytest.mark.parametrize("kind", [*BAD, "silent", "drums", "folder"])
def test_a_file_that_gives_nothing_is_one_sentence(option, kind, tmp_path, capsys):
    path, out = tmp_path / "given.mid", tmp_path / "new"
    if kind in BAD:
        BAD[kind](path)
    elif kind == "silent":
        write_note_states(hand_states(40), path)
    elif kind == "drums":
        saved(path, [drum(0), drum(480), drum(480)])
    else:
        path.mkdir()
    with pytest.raises(SystemExit, match=r"^musiclib: [^\n]*given\.mid: [^\n]*$"):
        main(["compose", option, str(path), "--out", str(out)])
    assert not out.exists() and capsys.readouterr() == ("", "")
