"""A run's folder in which anything is damaged: it is said, and training ends as if it were not."""

import errno
import fcntl
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr
from pathlib import Path

import kill_training
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from killed import train_until_left
from safetensors.torch import load_file, save_file
from strategies import scale_piece, write_scales
from toy_jobs import own_threads

from musiclib.base.cores import THREADS, threads_each
from musiclib.base.errors import InputError
from musiclib.base.parallel import side_by_side
from musiclib.cli import main
from musiclib.cli.training import _changed
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import LSTMConfig, RBMConfig, checkpoints
from musiclib.models.lstm import PianoRollLSTM
from musiclib.paper.profiles import SMOKE
from musiclib.training import loop, whole
from musiclib.training import state as states
from musiclib.training.folder import held, saved
from musiclib.training.runs import RunConfig, find
from musiclib.training.train import train_run, train_runs

pytestmark = pytest.mark.processor

LSTM = LSTMConfig(hidden=4, window=12, hop=5, batch=3, checkpoints=(1,), iterations=15)
RBM = RBMConfig(hidden=3, window=4, batch=6, chains="persistent", checkpoints=(1, 3), iterations=7)
CONFIGS = {"lstm": RunConfig(LSTM, held_out_every=4), "rbm": RunConfig(RBM, held_out_every=2)}
LEFT = {"lstm": 13, "rbm": 5}  # iterations after which training was left, its state being saved
KINDS = ("finished", "left", "part")
HOLD = "import sys, time, filelock\nwith filelock.FileLock(sys.argv[1]): print(flush=True)"
HOLD += "; time.sleep(1)"


def corpus():
    def pieces(name, count, first):
        made = [scale_piece(60 + i, 144, first + i) for i in range(count)]
        rolls = [np.pad(s[..., 0], ((0, 0), (3, 7)))[::2] for s in made]
        return [Piece(f"{name}{i}", *pair) for i, pair in enumerate(zip(made, rolls, strict=True))]

    return Corpus({name: pieces(name, 3, 10 * i) for i, name in enumerate(("main", "held-out"))})


MUSIC = corpus()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Runs that are finished, left, and trained in part, by model and kind."""
    root = tmp_path_factory.mktemp("healing")
    for model, config in CONFIGS.items():
        train_run(config, MUSIC, root / model / "finished")
        train_until_left(config, MUSIC, root / model / "left", LEFT[model])
        for _ in range(LEFT[model]):
            train_run(config, MUSIC, root / model / "part", seconds=0)
    return root


@pytest.fixture
def place(folders, tmp_path):
    """Copies of a run's folder, by model and kind."""

    def copied(model, kind):
        shutil.copytree(folders / model / kind, tmp_path / model / kind, symlinks=True)
        return find(CONFIGS[model], MUSIC, tmp_path / model / kind)

    return copied


def trained(run):
    """Train it to its end; what is said."""
    with redirect_stderr(io.StringIO()) as said:
        train_run(run.config, MUSIC, run.directory.parent)
    return said.getvalue()


def content(directory):
    """What the files hold, of the record without its seconds, and its digest with them."""
    held = {path.name: path.read_bytes() for path in directory.iterdir()}
    record = json.loads(held["run.json"])
    return held | {"run.json": {k: v for k, v in record.items() if k not in ("seconds", "digest")}}


def assert_as_undisturbed(run, folders, model):
    [whole] = (folders / model / "finished").iterdir()
    found, expected = content(run.directory), content(whole)
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []
    assert run.finished


def garbage(draw, before):
    return draw(st.binary(min_size=1, max_size=300))


def cut(draw, before):
    return before[: draw(st.integers(0, len(before) - 1))]


def flipped(draw, before):
    at, bit = draw(st.integers(0, len(before) - 1)), draw(st.integers(0, 7))
    return before[:at] + bytes([before[at] ^ 1 << bit]) + before[at + 1 :]


def other_type(draw, before):
    values = (None, 5, [], {}, "x", [1e999], {"stages": 5}, {"config": {}, "files": []})
    return json.dumps(draw(st.sampled_from(values))).encode()


def emptied(draw, before):
    return b""


def deleted(draw, before):
    return None


CHANGES = (garbage, cut, flipped, other_type, emptied, deleted)


@given(st.data())
def test_whatever_is_damaged_training_ends_as_if_it_were_not(folders, scratch, data):
    model, kind = data.draw(st.sampled_from([(m, k) for m in CONFIGS for k in KINDS]))
    shutil.rmtree(scratch / "damaged", ignore_errors=True)
    shutil.copytree(folders / model / kind, scratch / "damaged")
    run = find(CONFIGS[model], MUSIC, scratch / "damaged")
    names = sorted(p.name for p in run.directory.iterdir() if p.stat().st_size)
    path = run.directory / data.draw(st.sampled_from(names))
    change = data.draw(st.sampled_from(CHANGES))
    after = change(data.draw, before := path.read_bytes())
    path.unlink() if after is None else path.write_bytes(after)
    said = trained(run)
    damaged = after not in (None, before) and change is not flipped
    if damaged and path.name in ("state.pt", "run.json", "weights-final.safetensors"):
        assert f"{path.name} is damaged (" in said
    assert_as_undisturbed(run, folders, model)


def in_state(path, change):
    """Change what a state holds, and write it as torch does."""
    found = torch.load(path, weights_only=True)
    change(found)
    torch.save(found, path)


def set_in(part, **values):
    return lambda found: found[part].update(values)


def first_weights(found, value):
    next(iter(found["model"].values())).view(-1)[0] = value


def other_optimizer(found):
    weights = torch.nn.Parameter(torch.zeros(2))
    (adam := torch.optim.Adam([weights])).param_groups[0]["params"][0].grad = torch.ones(2)
    adam.step()
    found["optimizer"] = adam.state_dict()


def forget_steps(found):
    found["optimizer"]["state"] = {}


def shorter_memory(found):
    memory = found["state"]["memory"]
    found["state"]["memory"] = tuple(part[..., :-1] for part in memory)


DAMAGES = {
    "negative": set_in("state", iteration=-1),
    "beyond the end": lambda f: f["state"].update(iteration=99, losses=torch.zeros(99)),
    "too few losses": lambda f: f["state"].update(losses=f["state"]["losses"][:-1]),
    "losses of another kind": set_in("state", losses=[1.0] * 13),
    "a text for a number": set_in("state", iteration="13"),
    "true for a number": set_in("state", iteration=True, losses=torch.zeros(1)),
    "infinite seconds": set_in("state", seconds=float("inf")),
    "threads of another kind": set_in("state", threads=3),
    "unknown words": set_in("state", wishes=3),
    "no losses on held-out music": set_in("state", held_out=[]),
    "no memory": set_in("state", memory=None),
    "a memory of another network": shorter_memory,
    "no numbers": lambda f: first_weights(f, float("nan")),
    "infinite": lambda f: first_weights(f, float("inf")),
    "other names": lambda f: f["model"].update(more=f["model"].popitem()[1]),
    "another size": lambda f: f["model"].update({k: v[:1] for k, v in f["model"].items()}),
    "no model": lambda f: f.pop("model"),
    "no optimiser": lambda f: f.update(optimizer=None),
    "another optimiser": other_optimizer,
    "an optimiser that has forgotten": forget_steps,
    "another run": lambda f: f.update(of="lstm-plain-1-0123456789"),
    "a list": lambda f: f.clear(),
}


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_a_state_that_does_not_fit_is_not_gone_on_from(place, folders, change):
    run = place("lstm", "left")
    in_state(run.directory / "state.pt", change)
    said = trained(run)
    assert said.startswith(f"{run.directory.name}: state.pt is damaged (")
    aside = "state.pt is named state.pt-set-aside until the run is finished"
    assert said.endswith(f"): training begins anew ({aside})\n") and len(said.splitlines()) == 1
    assert_as_undisturbed(run, folders, "lstm")


class Code:
    """What opens a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("write", [lambda v, p: p.write_bytes(pickle.dumps(v)), torch.save])
def test_a_state_that_wants_to_run_code_is_no_state(place, folders, tmp_path, write):
    run = place("rbm", "left")
    write({"model": Code(tmp_path / "ran")}, run.directory / "state.pt")
    assert "state.pt is damaged (" in trained(run)
    assert not (tmp_path / "ran").exists()
    assert_as_undisturbed(run, folders, "rbm")


def a_folder(path):
    path.mkdir()


def a_full_folder(path):
    path.mkdir()
    (path / "own.txt").write_text("mine")


def a_pipe(path):
    os.mkfifo(path)


def a_link_to_itself(path):
    path.symlink_to(path)


NAMES = ("state.pt", "run.json", "progress", "curve.csv", "losses.csv", "lock")
NAMES = (*NAMES, "weights-3.safetensors")


@pytest.mark.parametrize("instead", [a_folder, a_full_folder, a_pipe, a_link_to_itself])
@pytest.mark.parametrize("kind", ["finished", "left"])
def test_what_is_no_file_is_not_in_the_way(place, folders, instead, kind):
    """Nothing of somebody else's is removed."""
    run = place("rbm", kind)
    for name in NAMES:
        (run.directory / name).unlink(missing_ok=True)
        instead(run.directory / name)
    said = trained(run)
    assert "state.pt is damaged (" in said
    assert "run.json is damaged (" in said and "progress is damaged (" in said
    aside = sorted(path for path in run.directory.iterdir() if "set-aside" in path.name)
    assert len(aside) == (len(NAMES) if instead is a_full_folder else 0)
    for path in aside:
        assert (path / "own.txt").read_text() == "mine"
        shutil.rmtree(path)
    assert_as_undisturbed(run, folders, "rbm")


@pytest.mark.parametrize("name", ["weights-final", "weights-3"])
def test_weights_of_a_finished_run_that_are_lost_or_damaged_are_made_again(place, folders, name):
    run = place("rbm", "finished")
    path = run.directory / f"{name}.safetensors"
    weights = load_file(path)
    path.unlink()
    assert not run.finished
    with pytest.raises(InputError, match=r"no weights of checkpoint \w+; train it again"):
        run.model(name.partition("-")[2])
    assert f"{path.name} is missing: training makes it anew" in trained(run)
    assert_as_undisturbed(run, folders, "rbm")
    next(iter(weights.values())).view(-1)[0] = float("nan")
    save_file(weights, path)
    assert not run.finished
    assert f"{path.name} is damaged (it is not as it was written)" in trained(run)
    assert_as_undisturbed(run, folders, "rbm")


def test_a_record_of_before_is_known_by_what_loads(place, folders):
    """Version 0.2.0 named no files."""
    run = place("rbm", "finished")
    record = {k: v for k, v in run.record.items() if k not in ("files", "digest")}
    (run.directory / "run.json").write_text(json.dumps(record))
    assert run.finished
    (run.directory / "weights-1.safetensors").write_bytes(b"no weights")
    assert not run.finished and "weights-1.safetensors is damaged" in trained(run)
    assert_as_undisturbed(run, folders, "rbm")


def test_a_state_without_its_checkpoints_begins_anew(place, folders):
    run = place("rbm", "left")
    run.weights(1).unlink()
    assert "weights-1.safetensors is missing: training begins anew" in trained(run)
    assert_as_undisturbed(run, folders, "rbm")


def test_what_a_killed_try_has_left_is_gone_and_what_others_write_stays(place, folders):
    for kind in ("finished", "left"):
        run = place("lstm", kind)
        (run.directory / ".writing-file").write_text("half")
        (run.directory / ".writing-folder").mkdir()
        (run.directory / ".writing-folder" / "1.mid").write_text("half")
        (others := run.directory / ".writing-now").mkdir()
        handle = os.open(others / ".lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if kind == "finished":
            train_runs([run.config], MUSIC, run.directory.parent)
        else:
            trained(run)
        assert list(run.directory.glob(".writing-*")) == [others]
        os.close(handle)
        shutil.rmtree(others)
        assert_as_undisturbed(run, folders, "lstm")


def test_a_full_disk_ends_training_and_loses_nothing_that_was_saved(folders, tmp_path, monkeypatch):
    written = []

    def write_until_full(path, content):
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        written.append(path.write_bytes(content))

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(states, "write_bytes", write_until_full)
        train_run(CONFIGS["lstm"], MUSIC, tmp_path, save_seconds=0)
    run = find(CONFIGS["lstm"], MUSIC, tmp_path)
    assert saved(run).iteration == 3 and not run.finished
    assert not trained(run)
    assert_as_undisturbed(run, folders, "lstm")


@pytest.mark.parametrize("name", ["state.pt", "progress", "run.json", "weights-1.safetensors"])
def test_what_has_grown_beyond_all_memory_is_not_read(place, folders, name):
    run = place("rbm", "finished" if name == "run.json" else "left")
    os.truncate(run.directory / name, 1 << 40)  # no byte of it is on the disk
    assert f"{name} is damaged" in trained(run)
    assert_as_undisturbed(run, folders, "rbm")


def test_a_state_is_told_by_how_torch_ends_it(place, monkeypatch):
    run = place("rbm", "left")
    monkeypatch.setattr(whole, "LARGE", 0)
    assert whole.read(run.directory / "state.pt")
    with (run.directory / "state.pt").open("ab") as file:
        file.write(b"more")
    with pytest.raises(whole.Damaged, match="cut off"):
        whole.read(run.directory / "state.pt")


def test_training_that_diverges_ends_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(PianoRollLSTM, "rate", lambda *_: float("inf"))
    config = CONFIGS["lstm"]
    with pytest.raises(InputError, match=r"no numbers any more: training has diverged"):
        train_run(config, MUSIC, tmp_path, save_seconds=0)
    assert not find(config, MUSIC, tmp_path).finished


def test_a_loss_that_was_infinite_once_ends_training_before_it_is_saved(tmp_path, monkeypatch):
    """That on held-out music, or one between two checks, after which all is well again."""
    held_out = loop.held_out_loss

    def infinite(*given):
        calls.append(held_out(*given))
        return float("inf") if len(calls) == 1 else calls[-1]

    def infinite_at_second(model, optimizer, plan, state, *rest):
        iterate(model, optimizer, plan, state, *rest)
        if state.iteration == 2:
            state.losses[-1] = state.losses[-1] * float("inf")

    calls, iterate = [], loop.iterate
    for name, fake in (("held_out_loss", infinite), ("iterate", infinite_at_second)):
        with monkeypatch.context() as patch, pytest.raises(InputError, match="has diverged"):
            patch.setattr(loop, name, fake)
            train_run(CONFIGS["rbm"], MUSIC, tmp_path / name)
        run = find(CONFIGS["rbm"], MUSIC, tmp_path / name)
        assert not (run.directory / "losses.csv").exists()
        assert not run.weights(3).exists()


FAILING = (
    *(OSError(n, os.strerror(n)) for n in (errno.EIO, errno.ETIMEDOUT, errno.EACCES, errno.EMFILE)),
    MemoryError(),
)


def failing(patch, name, error):
    """Let a file of this name fail whenever it is read."""
    read = Path.read_bytes

    def fail(path):
        if path.name == name:
            raise error
        return read(path)

    patch.setattr(Path, "read_bytes", fail)


@pytest.mark.parametrize("error", FAILING, ids=str)
def test_a_fault_that_passes_loses_no_state(place, folders, monkeypatch, error):
    run = place("lstm", "left")
    before = (run.directory / "state.pt").read_bytes()
    with monkeypatch.context() as patch, pytest.raises(type(error)):
        failing(patch, "state.pt", error)
        trained(run)
    assert (run.directory / "state.pt").read_bytes() == before
    assert saved(run).iteration == LEFT["lstm"] and not trained(run)
    assert_as_undisturbed(run, folders, "lstm")


@pytest.mark.parametrize("name", ["run.json", "losses.csv", "weights-final.safetensors"])
@pytest.mark.parametrize("error", FAILING, ids=str)
def test_a_fault_that_passes_unmakes_no_finished_run(place, monkeypatch, error, name):
    run = place("rbm", "finished")
    with monkeypatch.context() as patch:
        failing(patch, name, error)
        for ask in (lambda: run.finished, lambda: run.whole, lambda: trained(run)):
            with pytest.raises(type(error)):
                ask()
    assert run.finished and run.whole and not trained(run)


@pytest.mark.parametrize("error", [*FAILING, FileNotFoundError("safetensors' own")], ids=str)
def test_weights_that_cannot_be_read_now_are_not_called_damaged(place, monkeypatch, error):
    def fail(*_):
        raise error

    run = place("rbm", "finished")
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "load_model", fail)
        for ask in (lambda: run.finished, run.model):
            with pytest.raises(OSError if isinstance(error, OSError) else MemoryError):
                ask()
    assert run.finished and run.model()


def test_notes_that_cannot_be_read_stop_nothing(place, folders, monkeypatch):
    run = place("lstm", "left")
    (run.directory / "progress").write_text("13")
    with monkeypatch.context() as patch:
        failing(patch, "progress", OSError(errno.EIO, os.strerror(errno.EIO)))
        assert run.progress() == 0
        assert "progress is damaged (Input/output error): it is written anew" in trained(run)
    assert_as_undisturbed(run, folders, "lstm")


def test_a_state_that_is_refused_is_kept_until_the_run_is_finished(place, folders):
    run = place("lstm", "left")
    (state := run.directory / "state.pt").write_bytes(b"mine")
    with redirect_stderr(io.StringIO()):
        train_run(run.config, MUSIC, run.directory.parent, seconds=0)
    assert (run.directory / "state.pt-set-aside").read_bytes() == b"mine"
    assert saved(run).iteration == 1
    state.write_bytes(b"another")
    assert "state.pt-set-aside until" in trained(run)
    assert_as_undisturbed(run, folders, "lstm")


def test_to_ask_whether_a_run_is_finished_reads_no_weights_on_the_way(place, folders, monkeypatch):
    run, read = place("rbm", "finished"), []
    real = Path.read_bytes
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda path: (read.append(path.name), real(path))[1])
        assert run.finished
    assert sorted(read) == ["held-out.csv", "losses.csv", "run.json", "weights-final.safetensors"]
    path, before = run.weights(1), run.weights(1).read_bytes()
    for after in (before[:-1], before + b"0", b"", b"none"):
        path.write_bytes(after)
        assert not run.finished
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    assert run.finished and not run.whole
    assert "weights-1.safetensors is damaged (it is not as it was written)" in trained(run)
    assert_as_undisturbed(run, folders, "rbm")


def test_who_finds_a_run_being_trained_says_that_it_waits(place, folders):
    run = place("rbm", "left")
    holder = [sys.executable, "-c", HOLD, run.directory / "lock"]
    with subprocess.Popen(holder, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert held(run)
        assert trained(run) == f"another process trains {run.directory}: waiting for it\n"
    assert_as_undisturbed(run, folders, "rbm")


def test_a_disk_without_locks_stops_nobody(place, folders, monkeypatch):
    def flock(handle, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    run = place("rbm", "left")
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        assert not held(run)
        assert "no locks on this disk (No locks available)" in trained(run)
    assert_as_undisturbed(run, folders, "rbm")


@pytest.mark.parametrize(
    ("asked", "threads"),
    [("3", 3), (" 2 ", 2), ("0", 1), ("-1", 1), ("many", 1), ("4,2", 1), ("", 1), ("9" * 9, 1)],
)
def test_as_many_threads_as_are_asked_for_and_else_a_share_of_the_cores(
    monkeypatch, asked, threads
):
    monkeypatch.setenv(THREADS, asked)
    assert threads_each(1_000) == threads


def test_workers_have_the_threads_that_the_user_asks_for(monkeypatch):
    monkeypatch.setenv(THREADS, "3")
    assert side_by_side(own_threads, [(), ()], "testing") == ["3", "3"]


def test_what_cannot_be_heeded_is_refused_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "file").touch()
    for options, words in (
        (["--level-iterations", "3"], "--level-iterations: there are no levels without"),
        (["--runs", str(tmp_path / "file")], f"--runs {tmp_path / 'file'}: it is a file"),
        (["--runs", str(tmp_path / "file" / "x")], "cannot be written"),
        (["--save-every", "nan"], "is not a finite number"),
        (["--save-every", "inf"], "not in the range"),
        (["--save-every", "-1"], "not in the range"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["train", "lstm", "--corpus", str(tmp_path / "none"), *options])
        assert words in f"{ended.value} {capsys.readouterr().err}"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_checkpoints_are_spread_over_the_iterations_that_are_asked_for():
    def at(model, iterations):
        options = dict.fromkeys(("level_iterations", "loss", "learning_rate"))
        given = options | {"form": "default", "iterations": iterations}
        return _changed(model, SMOKE.config(model), given).checkpoints

    assert at("biaxial", None) == at("biaxial", 20) == SMOKE.biaxial.checkpoints
    assert at("biaxial", 200) == tuple(10 * c for c in SMOKE.biaxial.checkpoints)
    assert at("biaxial", 3) == (1, 2)
    assert at("rbm", 100) == (10, 30, 100)
    assert at("lstm", 200) == SMOKE.lstm.checkpoints  # which are epochs


@pytest.fixture(scope="module")
def scales(tmp_path_factory):
    write_scales(folder := tmp_path_factory.mktemp("scales"), keys=5)
    return folder


@pytest.mark.parametrize("model", [("lstm", "150"), ("conditional-rbm", "40")])
def test_killed_at_random_moments_training_ends_as_if_it_had_not_been(model, scales, tmp_path):
    """By hand: `python tests/kill_training.py 20 FOLDER train ...`, which must hold each time."""
    name, iterations = model
    arguments = ["train", name, "--profile", "smoke", "--corpus", str(scales)]
    arguments += ["--iterations", iterations]
    seconds, whole = kill_training.trained(arguments, tmp_path / "whole")
    draws = kill_training.random.Random(name)
    ended = kill_training.killed(arguments, tmp_path / "killed", 3, seconds, draws)
    assert [kill_training.differing(whole, left) for left in ended] == [[]] * len(ended)
    assert len(whole) > 5


@pytest.mark.parametrize("told", [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.kill)])
def test_told_to_end_it_leaves_no_worker_and_nothing_half_written(told, scales, tmp_path):
    number, tell = told
    arguments = ["train", "biaxial", "--profile", "quick", "--corpus", str(scales)]
    with (tmp_path / "err").open("wb") as errors:
        process = kill_training.begun(arguments, tmp_path / "runs", errors)
        late = time.monotonic() + 120
        while not list((tmp_path / "runs").glob("*/state.pt")):
            assert process.poll() is None and time.monotonic() < late
            time.sleep(0.05)
        tell(process.pid, number)
        process.wait(timeout=20)
    [folder] = (tmp_path / "runs").iterdir()
    with (folder / "lock").open() as lock:  # until the worker is gone
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert process.returncode and "Traceback" not in (tmp_path / "err").read_text()
    assert not list(folder.glob(".writing-*"))
