"""The table of runs and their training as jobs: what is lost or fails costs nothing else."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import LocalCluster
from killed import config_of, killed_once
from strategies import write_scales

from musiclib.base import apart
from musiclib.base.errors import InputError
from musiclib.cli import main
from musiclib.corpus.assemble import read_corpus
from musiclib.paper import standing
from musiclib.paper.experiments import jobs
from musiclib.paper.profiles import QUICK, SMOKE
from musiclib.training import jobs as training_jobs
from musiclib.training import pieces
from musiclib.training.jobs import TRIES, Jobs, Task
from musiclib.training.pieces import Music, train_piece
from musiclib.training.runs import find
from musiclib.training.train import train_run

NAMES = ("biaxial-plain-0", "rbm-plain-0")
BROKEN, UNLOVED = "conditional-rbm-plain-0", "nobody likes this run"
HOLD = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]): print('held', flush=1); input()"
KILL = "import killed; killed.train_until_killed({!r}, {!r}, {!r}, 7)"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with music, and the runs of NAMES trained without any disturbance."""
    place = tmp_path_factory.mktemp("runs")
    write_scales(place / "music", keys=5)
    for name in NAMES:
        train_run(config_of(name), music(place), place / "whole")
    return place


@pytest.fixture
def runs(tmp_path):
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@pytest.fixture(autouse=True)
def one_thread_a_worker(monkeypatch):
    """As here: the last digits depend on how many there are."""
    monkeypatch.setattr(apart, "threads_each", lambda workers: 1)


def music(place):
    return read_corpus(place / "music")


def run_of(name, place, runs):
    return find(config_of(name), music(place), runs)


def standings(place, runs, results=Path("none")):
    found = standing.standing(SMOKE, music(place), 3, "fp32", runs, results)
    return {s.job.name: s for s in found}


def command(place, runs, *arguments):
    options = "--profile", "smoke", "--corpus", place / "music", "--runs", runs, *arguments
    return ["runs", *map(str, options)]


def said(capsys, arguments):
    """What a command prints, and its last sentence if it failed."""
    try:
        main(arguments)
    except SystemExit as error:
        return capsys.readouterr(), str(error)
    return capsys.readouterr(), ""


def states_of(printed):
    return {row["name"]: row["state"] for row in json.loads(printed)["runs"]}


def files_of(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*")}


def assert_trained_as_if_undisturbed(place, runs, *names):
    for name in names:
        whole, run = (run_of(name, place, root).directory for root in (place / "whole", runs))
        written = sorted(p.name for p in whole.iterdir())
        assert written == sorted(p.name for p in run.iterdir())
        for file in set(written) - {"run.json"}:  # which has the seconds that it took
            assert (run / file).read_bytes() == (whole / file).read_bytes()


def break_off(name, place, runs, monkeypatch):
    """A run that cannot be trained."""
    run = run_of(name, place, runs)

    def refuse(config, *arguments):
        if config == run.config:
            raise InputError(UNLOVED)
        return train_run(config, *arguments)

    monkeypatch.setattr(pieces, "train_run", refuse)
    return run


@contextmanager
def holding(run):
    """Another process has the run's lock."""
    run.directory.mkdir(exist_ok=True)
    holder = [sys.executable, "-c", HOLD, run.directory / "lock"]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield
        process.communicate(b"\n")


class Here(Executor):
    """Calls at once, in this process; but the first ones are lost, after what `instead` does."""

    def __init__(self, lost=0, instead=lambda: None):
        self.calls, self.lost, self.instead = 0, lost, instead

    def submit(self, function, *arguments):
        self.calls, future = self.calls + 1, Future()
        if self.calls <= self.lost:
            self.instead()
            future.set_exception(RuntimeError("lost"))
        else:
            future.set_result(function(*arguments))
        return future


def train_here(place, runs, names, executor, piece=900.0, **options):
    """How training in this process ended, by name, and what it said."""
    told = []
    work = Music(str(place / "music")), executor, 1, piece
    tasks = [Task(name, run_of(name, place, runs), 20) for name in names]
    outcomes = Jobs(*work, say=told.append, **options).train(tasks)
    return {name: outcome.ending for name, outcome in outcomes.items()}, told


def test_every_state_is_told_and_looking_changes_nothing(place, runs, tmp_path, monkeypatch):
    shutil.copytree(place / "whole", runs, dirs_exist_ok=True)
    part = train_run(config_of("biaxial-curriculum-0"), music(place), runs, seconds=0)
    whole = run_of("rbm-plain-0", place, runs)
    for name, run in (
        ("biaxial-curriculum-0", part),
        ("rbm-plain-0", whole),
        ("rbm-plain-1", whole),
    ):
        shutil.copytree(run.directory, tmp_path / "results" / "smoke" / name)
    shutil.rmtree(part.directory)
    shutil.rmtree(whole.directory)
    train_run(config_of("biaxial-plain-1"), music(place), runs, seconds=0)
    break_off(BROKEN, place, runs, monkeypatch)
    train_here(place, runs, [BROKEN], Here())
    with holding(run_of("biaxial-plain-2", place, runs)):
        run_of("lstm-plain-0", place, runs).directory.mkdir()
        before = files_of(runs)
        found = standings(place, runs, tmp_path / "results")
        assert files_of(runs) == before
    assert {name: s.state for name, s in found.items() if s.state != "missing"} == {
        "biaxial-plain-0": "done",
        "rbm-plain-0": "kept",
        "biaxial-curriculum-0": "kept, part",
        "biaxial-plain-1": "stopped",
        BROKEN: "failed",
        "biaxial-plain-2": "running",
    }
    assert found["biaxial-plain-1"].why == "goes on after iteration 1"
    assert found["biaxial-plain-1"].done == found["biaxial-curriculum-0"].done == 1
    assert found["rbm-plain-1"].why.startswith("kept of another configuration: ")  # its seed
    assert found[BROKEN].why == UNLOVED


def test_losses_and_minutes_are_those_of_records_or_of_runs_alike(place, runs):
    shutil.copytree(place / "whole", runs, dirs_exist_ok=True)
    found = standings(place, runs)
    for name in NAMES:
        whole, s = run_of(name, place, place / "whole"), found[name]
        assert s.held_out == whole.held_out["loss"].iloc[-1]
        assert s.done == s.total == len(whole.losses) and s.seconds_left == 0
        other = found[name.replace("0", "1")]
        assert other.seconds_left == whole.record["seconds"] / s.total * other.total
    unknown = {s.job.model for s in found.values() if s.seconds_left is None}
    assert unknown == {"lstm", "conditional-rbm"}
    timed = standing.measured(list(found.values()), music(place), lambda model, batches: 0.5)
    for s in timed:
        known = s.job.model not in unknown or s.total is None
        assert s.seconds_left == (found[s.job.name].seconds_left if known else s.total / 2)
    never = found["lstm-equal-budget-0"]  # of music as short as this
    assert never.total is None and never.why.startswith("an equal budget: the levels' 12 ")


def test_the_order_is_that_of_the_experiments_and_names_and_patterns_choose(place, runs):
    found = list(standings(place, runs).values())
    assert [s.job for s in found] == jobs(3)
    assert {s.state for s in found} == {"missing"} and not list(runs.iterdir())
    names = [s.job.name for s in standing.select(found, ["rbm-*", "lstm-plain-1"])]
    assert names == ["rbm-plain-0", "lstm-plain-1", "rbm-plain-1", "rbm-plain-2"]
    assert [s.job for s in standing.select(found, task=50)] == jobs(3)[50:]
    with pytest.raises(InputError, match=r"no run lstm-plane-0 .* lstm-plain-0"):
        standing.select(found, ["lstm-plane-0"])
    with pytest.raises(InputError, match=r"--task 51: there are 51 runs, 0 to 50"):
        standing.select(found, task=51)


def test_an_experiment_lacks_what_is_not_there(place, runs):
    shutil.copytree(place / "whole", runs, dirs_exist_ok=True)
    lacks = standing.lacking(list(standings(place, runs).values()), 3)
    assert lacks["windowed RBM"] == (3, ["rbm-plain-1", "rbm-plain-2"])
    assert lacks["mending"] == (3, [f"conditional-rbm-plain-{seed}" for seed in range(3)])
    assert "silence" not in lacks  # it trains nothing


def test_what_is_killed_goes_on_and_disturbs_no_other(place, runs, monkeypatch, capsys):
    """One run was killed, and so is the worker of the other."""
    tests = Path(__file__).parent
    path = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    call = KILL.format(NAMES[0], str(place / "music"), str(runs))
    child = subprocess.run([sys.executable, "-c", call], env=os.environ | path)
    assert child.returncode == -signal.SIGKILL
    printed, _ = said(capsys, command(place, runs, *NAMES, "--json"))
    told = json.loads(printed.out)
    assert states_of(printed.out) == {NAMES[0]: "stopped", NAMES[1]: "missing"}
    assert told["runs"][0]["why"] == "goes on after iteration 6"
    monkeypatch.setattr(training_jobs, "train_piece", killed_once)
    words = shlex.split(told["command"])  # the one that is printed for people
    assert words[:4] == ["python", "-m", "musiclib", "runs"] and words[-1] == "--start"
    printed, sentence = said(capsys, [*words[3:], "--workers", "2"])
    assert "2 runs: 2 done" in printed.out and not sentence
    assert f"{NAMES[1]}: its process was killed" in printed.err
    assert "it goes on after iteration 4\n" in printed.err
    assert_trained_as_if_undisturbed(place, runs, *NAMES)


def test_what_fails_says_why_is_tried_again_and_disturbs_no_other(place, runs, monkeypatch, capsys):
    monkeypatch.setattr(apart, "Apart", lambda workers: Here())
    run = break_off(BROKEN, place, runs, monkeypatch)
    start = command(place, runs, BROKEN, NAMES[1], "--start")
    printed, sentence = said(capsys, [*start, "--json"])
    assert sentence == f"musiclib: failed: {BROKEN}; the table says why"
    assert states_of(printed.out) == {NAMES[1]: "done", BROKEN: "failed"}
    reason = (run.directory / "failed").read_text().splitlines()[0]
    assert reason == standings(place, runs)[BROKEN].why
    monkeypatch.setattr(pieces, "train_run", train_run)
    printed, sentence = said(capsys, start)
    assert "2 runs: 2 done" in printed.out and not sentence
    assert not (run.directory / "failed").exists()


def test_pieces_follow_each_other_until_their_run_is_done_and_then_comes_the_next(place, runs):
    executor = Here()
    endings, told = train_here(place, runs, NAMES, executor, piece=0.0)
    assert endings == dict.fromkeys(NAMES, "done") and told == [f"{name}: done" for name in NAMES]
    assert executor.calls == sum(len(run_of(name, place, runs).losses) for name in NAMES)
    assert_trained_as_if_undisturbed(place, runs, *NAMES)


def test_a_run_that_is_lost_again_and_again_without_progress_has_failed(place, runs):
    endings, told = train_here(place, runs, NAMES, Here(lost=TRIES))
    assert endings == {NAMES[0]: "failed", NAMES[1]: "done"} and len(told) == TRIES + 1
    assert "3 times in a row after iteration 0" in standings(place, runs)[NAMES[0]].why
    run = run_of(NAMES[0], place, runs)
    further = Here(TRIES + 2, lambda: train_run(run.config, music(place), runs, seconds=0))
    assert train_here(place, runs, NAMES[:1], further)[0] == {NAMES[0]: "done"}


def test_without_its_scheduler_training_ends_and_no_run_is_said_to_have_failed(place, runs):
    class Gone(Executor):
        def submit(self, function, *arguments):
            (future := Future()).cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(InputError, match=r"^the scheduler has ended"):
        train_here(place, runs, NAMES, Gone())
    assert not list(runs.iterdir())


def test_what_another_process_trains_is_left_to_it_and_after_the_time_nothing_begins(place, runs):
    run = run_of(NAMES[0], place, runs)
    with holding(run):
        endings, _ = train_here(place, runs, NAMES[:1], Here())
    assert endings == {NAMES[0]: "elsewhere"} and not run.begun
    assert train_here(place, runs, NAMES, Here(), stop_after=0.0) == ({}, [])


def test_music_that_is_not_that_of_the_run_is_refused(place, runs, tmp_path):
    shutil.copytree(place / "music", tmp_path / "music")
    (tmp_path / "music" / "0.mid").unlink()
    outcome = train_piece(run_of(NAMES[0], place, runs), Music(str(tmp_path / "music")), 9.0)
    assert outcome.ending == "failed" and "is not the music" in outcome.why


def test_a_task_is_a_row_of_the_table_and_a_finished_one_ends_at_once(
    place, runs, monkeypatch, capsys
):
    monkeypatch.setattr(apart, "Apart", lambda workers: Here())
    shutil.copytree(place / "whole", runs, dirs_exist_ok=True)
    task = [job.name for job in jobs(3)].index(NAMES[1])
    start = command(place, runs, "--start", "--task", task)
    before = files_of(runs)
    assert "nothing to train" in said(capsys, start)[0].err and files_of(runs) == before
    shutil.rmtree(run_of(NAMES[1], place, runs).directory)
    printed, sentence = said(capsys, start)
    assert f"task {task}: {NAMES[1]}\n" in printed.err and not sentence
    assert files_of(runs).keys() == before.keys()
    assert "1 run: 1 done" in printed.out


def test_a_cluster_trains_in_one_folder_and_may_lose_a_worker(place, runs, monkeypatch, capsys):
    monkeypatch.setattr(training_jobs, "train_piece", killed_once)
    quiet = {"dashboard_address": None, "silence_logs": 50}
    with LocalCluster(n_workers=2, threads_per_worker=1, **quiet) as cluster:
        scheduler = "--scheduler", cluster.scheduler_address
        printed, _ = said(capsys, command(place, runs, *NAMES, "--start", *scheduler))
    assert "2 runs: 2 done" in printed.out and list(runs.glob("rbm-*-was-killed"))
    assert_trained_as_if_undisturbed(place, runs, *NAMES)


def test_an_interrupt_ends_it_and_its_workers_with_a_sentence(place, runs):
    arguments = command(place, runs, "biaxial-plain-0", "--start")
    arguments[arguments.index("smoke")] = "quick"  # which takes long enough

    def quick():
        every = standing.standing(QUICK, music(place), 3, "fp32", runs)
        return standing.select(every, ["biaxial-plain-0"])

    run = [sys.executable, "-m", "musiclib", *arguments]
    with subprocess.Popen(run, stderr=subprocess.PIPE, text=True, start_new_session=True) as begun:
        while not list(runs.glob("*/progress")):
            assert begun.poll() is None
            time.sleep(0.05)
        assert quick()[0].state == "running"
        os.killpg(begun.pid, signal.SIGINT)  # as a terminal does
        _, printed = begun.communicate(timeout=20)  # stderr is closed by all who have it
    assert begun.returncode == 130 and "Traceback" not in printed
    assert printed.splitlines()[-1].startswith("musiclib: stopped; what is trained is saved")
    assert quick()[0].state == "stopped"


def test_what_would_not_be_heeded_is_refused():
    with pytest.raises(SystemExit, match=r"^musiclib: --piece is for training: add --start$"):
        main(["runs", "--piece", "3"])


def test_what_is_damaged_is_named_in_its_row_and_hides_no_other(place, runs):
    name = NAMES[0]
    run = run_of(name, place, runs)
    run.directory.mkdir(parents=True)
    state = run.directory / "state.pt"
    state.write_bytes(b"PK nothing")
    found = standings(place, runs)
    anew = "state.pt is damaged (it is cut off, or no state): training begins anew"
    assert (found[name].state, found[name].why) == (standing.STOPPED, anew)
    train_run(run.config, music(place), runs, seconds=0)
    (run.directory / "part.json").write_text('{"stages": ')
    found = standings(place, runs)
    goes_on = "part.json is damaged (it is no JSON): training goes on after iteration 1"
    assert (found[name].state, found[name].why) == (standing.STOPPED, goes_on)
    assert found[NAMES[1]].state == standing.MISSING
    train_run(run.config, music(place), runs)
    assert_trained_as_if_undisturbed(place, runs, name)
