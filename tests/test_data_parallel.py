"""Three processes train the network that one trains, and are killed and resumed as one is."""

import io
import json
import os
import shutil
import signal
import socket
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from multiprocessing import get_context
from unittest import mock

import numpy as np
import pytest
import torch
from strategies import repaired

from musiclib.base.errors import InputError
from musiclib.base.together import together
from musiclib.cli import main
from musiclib.corpus.batches import Segments, Windows
from musiclib.corpus.saved import save
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import (
    PUBLISHED_FORM,
    BiaxialConfig,
    ConditionalRBM,
    LSTMConfig,
    RBMConfig,
    biaxial,
    build,
)
from musiclib.training import processes
from musiclib.training.curriculum import Stage
from musiclib.training.data_parallel import ALONE, Crew, must_share
from musiclib.training.loop import Plan, train
from musiclib.training.runs import RunConfig, find
from musiclib.training.state import losses_of
from musiclib.training.train import train_run, train_runs

pytestmark = pytest.mark.processor

SIZES = {"time_sizes": (6, 5), "note_sizes": (4, 3), "segment": 16}
PROCESSES = 3  # two would add up gradients in any order to the same digits
UNEVEN = 5  # sequences
CONFIGS = {
    "biaxial": BiaxialConfig(**SIZES, batch=UNEVEN),
    "biaxial, published form": BiaxialConfig(**SIZES, batch=4, **PUBLISHED_FORM),
    "lstm": LSTMConfig(hidden=8, window=12, hop=5, batch=UNEVEN),
}
EASY, MAIN, KILLED = 2, 5, 4
RUN = RunConfig(replace(CONFIGS["biaxial"], iterations=2, checkpoints=(1,)))
WITH_DROPOUT = ("biaxial", "lstm")


def music(seed, steps=64):
    rng = np.random.default_rng(seed)
    return [(rng.random((steps, 78, 2)) < 0.1).astype(np.uint8) for _ in range(3)]


def plan(config):
    def batches(seed, batch=config.batch):
        if isinstance(config, BiaxialConfig):
            return Segments(music(seed), batch, config.segment)
        rolls = [piece[..., 0].repeat(2, axis=1)[:, :88] for piece in music(seed)]
        return Windows(rolls, batch, config.window, config.hop, shifted=True)

    stages = [Stage("easy", batches(0), EASY), Stage("main", batches(1), MAIN)]
    held_out = batches(2, batch=1).every(3)  # fewer sequences than processes
    return Plan(stages, 3, held_out=held_out, held_out_every=2)


def trained(kind, saved, crew=ALONE, *, dropout=False, **options):
    """Train in parts of one sequence each; what came of it, by name.

    Without dropout by gradient descent, since the models' own steps hardly know how long a
    gradient is.
    """
    config = CONFIGS[kind] if dropout else replace(CONFIGS[kind], dropout=0.0)
    torch.manual_seed(0)
    model = build(config)
    if not dropout:
        model.optimizer = lambda: torch.optim.SGD(model.parameters(), lr=0.02)
    with mock.patch.object(biaxial, "GATES_AT_ONCE", 1):
        state = train(model, plan(config), saved, crew=crew, save_seconds=0, **options)
    return {
        "losses": losses_of(state),
        "held_out": torch.tensor(state.held_out),
        **model.state_dict(),
    }


def until(iteration):
    """What ends training there, without this process knowing."""

    def stop(done):
        if done == iteration:
            raise KeyboardInterrupt

    return stop


def corpus():
    def pieces(seed):
        states = [repaired(piece) for piece in music(seed, 144)]
        rolls = [piece[::2, :, 0].repeat(2, axis=1)[:, :88] for piece in states]
        pairs = enumerate(zip(states, rolls, strict=True))
        return [Piece(f"{seed}{i}", *pair) for i, pair in pairs]

    return Corpus({name: pieces(seed) for seed, name in enumerate(("1", "main", "held-out"))})


def killed_in_all(folder, crew):
    """Two trainings left after KILLED iterations, and then one whose last follower is killed."""
    with pytest.raises(KeyboardInterrupt):
        trained("biaxial", folder / "biaxial.pt", crew, dropout=True, progress=until(KILLED + 1))

    def kill(done):
        if done == KILLED + 1 and crew.rank == PROCESSES - 1:
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(KeyboardInterrupt):
        trained("lstm", folder / "one goes on.pt", crew, progress=until(KILLED + 1))
    trained("lstm", folder / "lstm.pt", crew, dropout=True, progress=kill)


def as_torchrun(rank, size, port):
    """Tell this process of the others as torchrun does, by its environment."""
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    values = (rank, rank, size, size, "127.0.0.1", port)
    os.environ.update({name: str(value) for name, value in zip(names, values, strict=True)})


def started_by_torchrun(rank, size, port, arguments, folder):
    as_torchrun(rank, size, port)
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        main(arguments)
    (folder / f"{rank}.txt").write_text(out.getvalue())


def killed_by_torchrun(rank, port, folder):
    as_torchrun(rank, PROCESSES, port)
    with processes.from_environment() as crew:
        killed_in_all(folder, crew)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def trained_by_all(folder, crew):
    """All that the tests below compare, in one start of the processes."""
    results = {kind: trained(kind, folder / "a" / f"{kind}.pt", crew) for kind in CONFIGS}
    results["all go on"] = trained("lstm", folder / "all go on.pt", crew)
    for kind in WITH_DROPOUT:
        whole = folder / "b" / f"{kind}.pt"
        results[f"{kind}, whole"] = trained(kind, whole, crew, dropout=True)
        results[f"{kind}, resumed"] = trained(kind, folder / f"{kind}.pt", crew, dropout=True)
    torch.save(results, folder / f"{crew.rank}.pt")
    train_run(RUN, corpus(), folder / "runs", crew=crew)


@pytest.fixture(scope="module")
def quick_start():
    """Processes begin as copies of one that has loaded what takes seconds."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "musiclib.cli", "musiclib.training.train"])
    with mock.patch("musiclib.base.together.get_context", lambda _: context):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory, quick_start):
    """Where processes trained, one was killed, and all went on."""
    folder = tmp_path_factory.mktemp("trained")
    shown, port = {"total": 1, "done": lambda: 0}, free_port()
    with pytest.raises(BrokenProcessPool, match="killed"):
        jobs = [(rank, port, folder) for rank in range(PROCESSES)]
        together(killed_by_torchrun, jobs, "test", **shown)
    shutil.copy(folder / "lstm.pt", folder / "as killed.pt")
    with pytest.raises(KeyboardInterrupt):
        trained("lstm", folder / "all go on.pt", progress=until(KILLED + 1))
    processes.in_processes(trained_by_all, (folder,), PROCESSES, **shown)
    return folder


@pytest.fixture(scope="module")
def shared(folder):
    """What the processes came to, which is the same in all of them."""
    leads, *others = (torch.load(folder / f"{rank}.pt") for rank in range(PROCESSES))
    for other in others:
        assert_same(leads, other)
    return leads


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        same = assert_same if isinstance(value, dict) else lambda a, b: torch.equal(a, b) or 1 / 0
        same(value, other[name])


def assert_close(one, other):
    assert one["losses"].shape == (EASY + MAIN,)
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("kind", CONFIGS)
def test_several_processes_train_what_one_trains(kind, shared, tmp_path):
    """With parts, levels, memory, uneven shares, and held-out music too little to share."""
    assert_close(shared[kind], trained(kind, tmp_path / "state.pt"))


@pytest.mark.parametrize("kind", ["biaxial", "biaxial, published form"])
def test_gradients_are_clipped_meanwhile(kind, shared, tmp_path, monkeypatch):
    monkeypatch.setattr(biaxial.BiaxialRNN, "clip_norm", None)
    unclipped = trained(kind, tmp_path / "state.pt")
    with pytest.raises(AssertionError):
        assert_close(shared[kind], unclipped)


@pytest.mark.parametrize("kind", WITH_DROPOUT)
def test_killed_and_resumed_equals_uninterrupted(kind, folder, shared):
    assert_same(shared[f"{kind}, whole"], shared[f"{kind}, resumed"])
    with pytest.raises(AssertionError):  # there is dropout
        assert_close(shared[f"{kind}, whole"], shared[kind])


def test_the_memory_of_all_lanes_is_saved_and_processes_are_counted(folder):
    content = torch.load(folder / "as killed.pt", weights_only=True)["state"]
    assert content["iteration"] == KILLED and content["processes"] == [PROCESSES]
    assert [part.shape for part in content["memory"]] == [(2, UNEVEN, 8)] * 2


def test_another_number_of_processes_goes_on_and_says_so(folder, shared, tmp_path, capsys):
    """Without dropout it does as if nothing had changed."""
    whole = trained("lstm", tmp_path / "state.pt")
    assert_close(shared["all go on"], whole)
    assert not capsys.readouterr().err
    assert_close(trained("lstm", folder / "one goes on.pt"), whole)
    assert (
        f"begun with processes: {PROCESSES}, goes on with 1; it equals" in capsys.readouterr().err
    )


def test_alone_nobody_is_waited_for(monkeypatch):
    for size in (None, "1"):
        if size:
            monkeypatch.setenv("WORLD_SIZE", size)
            monkeypatch.setenv("RANK", "0")
        with processes.from_environment() as crew:
            assert crew is ALONE


def test_a_run_says_how_many_processes_trained_it_and_one_of_them_writes_it(folder, tmp_path):
    run = find(RUN, corpus(), folder / "runs")
    names = ["held-out.csv", "lock", "losses.csv", "progress", "run.json"]
    names += ["weights-1.safetensors", "weights-final.safetensors"]
    assert sorted(path.name for path in run.directory.iterdir()) == names
    assert run.record["processes"] == [PROCESSES]
    assert "processes" not in train_run(RUN, corpus(), tmp_path).record


def test_runs_are_trained_by_as_many_processes_as_are_asked_for(quick_start, tmp_path):
    configs = [RUN, replace(RUN, seed=1)]
    runs = train_runs(configs, corpus(), tmp_path, processes=2)
    assert [run.record["processes"] for run in runs] == [[2], [2]]
    assert train_runs(configs, corpus(), tmp_path, processes=2) == runs


def test_torchrun_trains_from_the_command_line_and_one_process_tells_of_it(quick_start, tmp_path):
    save(corpus(), tmp_path / "corpus.npz")
    arguments = ["train", "lstm", "--profile", "smoke", "--corpus", str(tmp_path / "corpus.npz")]
    arguments += ["--iterations", "2", "--runs", str(tmp_path / "runs")]
    port = free_port()
    jobs = [(rank, 2, port, arguments, tmp_path) for rank in range(2)]
    together(started_by_torchrun, jobs, "test", total=1, done=lambda: 0)
    leads, follows = ((tmp_path / f"{rank}.txt").read_text() for rank in range(2))
    assert "last loss" in leads and not follows
    [record] = (tmp_path / "runs").glob("*/run.json")
    assert json.loads(record.read_text())["processes"] == [2]


def test_what_cannot_be_shared_is_refused_in_one_sentence(tmp_path):
    must_share(ConditionalRBM, None, 1)
    two = Crew()
    two.size = 2
    with pytest.raises(InputError, match=r"^RBM trains in one process alone"):
        train_run(RunConfig(RBMConfig()), corpus(), tmp_path, crew=two)
    with pytest.raises(InputError, match=r"^a batch of 5 \(easy\) is too small for 6 processes"):
        must_share(biaxial.BiaxialRNN, CONFIGS["biaxial"], 6, plan(CONFIGS["biaxial"]).stages)
    assert not list(tmp_path.iterdir())
    with pytest.raises(SystemExit, match=r"^musiclib: ConditionalRBM trains in one process alone"):
        main(["train", "conditional-rbm", "--processes", "2"])
    with pytest.raises(SystemExit, match=r"^musiclib: PianoRollLSTM trains in one process alone"):
        main(["train", "lstm", "--form", "modern", "--processes", "2"])


@pytest.mark.parametrize(
    ("named", "gpus", "seen"),
    [(None, 4, ("0", "1", "2")), ("3,5,7", 3, ("3", "5", "7")), ("3,5", 2, ("",) * 3)],
)
def test_each_process_sees_its_own_gpu_or_none(named, gpus, seen, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    for rank, own in enumerate(seen):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named or "")
        assert processes.own_gpu(rank, 3) == bool(own)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == own
    assert capsys.readouterr().err.count("training on the processor") == (gpus < 3)
