"""Training: clipping by tensor, killed and resumed as if nothing had happened, never done twice."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from strategies import random_states, scale_piece
from torch import nn

from musiclib.base.errors import InputError
from musiclib.corpus.batches import Corrupted, Segments, Windows
from musiclib.corpus.prepare import prepare
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import (
    PUBLISHED_FORM,
    BiaxialConfig,
    ConditionalRBMConfig,
    LSTMConfig,
    RBMConfig,
    biaxial,
    build,
)
from musiclib.models.checkpoints import load_weights
from musiclib.models.model import Model
from musiclib.paper import study
from musiclib.training import precision as precisions
from musiclib.training.curriculum import Stage
from musiclib.training.loop import Plan, held_out_loss, iterate, train
from musiclib.training.runs import RunConfig, find
from musiclib.training.state import State, losses_of
from musiclib.training.train import music_of, train_run

pytestmark = pytest.mark.processor

CONFIGS = {
    "biaxial": BiaxialConfig(
        time_sizes=(6, 5),
        note_sizes=(4, 3),
        batch=2,
        segment=16,
        level_iterations=2,
        checkpoints=(1, 3),
        iterations=4,
    ),
    "lstm": LSTMConfig(hidden=8, window=12, hop=5, batch=3, level_iterations=2, checkpoints=(1,)),
    "rbm": RBMConfig(
        hidden=5,
        window=4,
        batch=6,
        chains="persistent",
        level_iterations=2,
        checkpoints=(1, 3),
        iterations=4,
    ),
    "conditional-rbm": ConditionalRBMConfig(
        maps=2,
        reach=(1, 2),
        coupling=(1, 1),
        segment=32,
        level_iterations=2,
        checkpoints=(1, 3),
        iterations=4,
    ),
}
EASY, MAIN = 4, 5
RUN_ITERATIONS = dict.fromkeys(CONFIGS, 4) | {"lstm": 12}  # one epoch of 3 lanes of 72 rows


def plan(kind, seed=3):
    config = CONFIGS[kind]

    def batches(first):
        pieces = [random_states(64, first + i, 0.1) for i in range(3)]
        if kind == "biaxial":
            return Segments(pieces, config.batch, config.segment)
        if kind == "rbm":
            return Segments(pieces, config.batch, config.window, hop=1)
        if kind == "conditional-rbm":
            return Corrupted(pieces, config.segment, config.most_spoiled)
        return Windows([p[..., 0].repeat(2, axis=1)[:, :88] for p in pieces], 3, 12, 5)

    stages = [Stage("easy", batches(0), EASY), Stage("main", batches(10), MAIN)]
    return Plan(stages, seed, held_out=batches(20).every(2), held_out_every=2)


def trained(kind, saved, **options):
    torch.manual_seed(0)
    model = build(CONFIGS[kind])
    return model, train(model, plan(kind), saved, **options)


def train_until_killed(kind, saved, iteration):
    """Run in a process of its own: it dies as by `kill -9`, with no chance to tidy up."""

    def kill(done):
        if done == iteration:
            os.kill(os.getpid(), signal.SIGKILL)

    trained(kind, Path(saved), progress=kill, save_seconds=0)


def assert_the_same_training(resumed, uninterrupted):
    for one, other in zip(resumed[0].parameters(), uninterrupted[0].parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(losses_of(resumed[1]), losses_of(uninterrupted[1]))
    assert resumed[1].held_out == uninterrupted[1].held_out
    assert len(uninterrupted[1].losses) == EASY + MAIN


@pytest.fixture(params=CONFIGS)
def kind(request):
    return request.param


@pytest.fixture
def uninterrupted(kind, tmp_path):
    return trained(kind, tmp_path / "whole" / "state.pt")


def test_killed_and_resumed_equals_uninterrupted(kind, uninterrupted, tmp_path):
    """The first stage is not yet over when the process is killed."""
    saved = tmp_path / "state.pt"
    call = f"import test_training as t; t.train_until_killed({kind!r}, {str(saved)!r}, {EASY})"
    tests = Path(__file__).parent
    path = os.pathsep.join([str(tests), str(tests.parent)])
    one_thread = {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}  # as here: last digits depend on it
    child = subprocess.run([sys.executable, "-c", call], env=os.environ | one_thread)
    assert child.returncode == -signal.SIGKILL
    assert torch.load(saved, weights_only=True)["state"]["iteration"] == EASY - 1
    assert_the_same_training(trained(kind, saved), uninterrupted)


@pytest.mark.parametrize("after", [2, EASY, EASY + 1, EASY + 2, EASY + MAIN])
def test_interrupted_anywhere_and_resumed_equals_uninterrupted(
    kind, uninterrupted, tmp_path, after
):
    def interrupt(done):
        if done == after:
            raise KeyboardInterrupt

    saved = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        trained(kind, saved, progress=interrupt, save_seconds=0)
    iterations = []
    resumed = trained(kind, saved, progress=iterations.append, save_seconds=0)
    assert iterations == list(range(after, EASY + MAIN + 1))
    assert_the_same_training(resumed, uninterrupted)


def test_another_seed_gives_another_training(kind, uninterrupted, tmp_path):
    torch.manual_seed(0)
    state = train(build(CONFIGS[kind]), plan(kind, seed=4), tmp_path / "other.pt")
    assert not torch.equal(losses_of(state), losses_of(uninterrupted[1]))


def test_training_leaves_the_random_state_alone(kind, tmp_path):
    torch.manual_seed(0)
    model = build(CONFIGS[kind])
    expected = torch.get_rng_state()
    train(model, plan(kind), tmp_path / "state.pt")
    assert torch.equal(torch.get_rng_state(), expected)


class Sloped(Model):
    """Its gradients are known: 50 long, 13 long and 0.5 long."""

    gradients = ((30.0, 40.0), (5.0, 12.0), (0.3, 0.4))

    def __init__(self, clip_norm):
        super().__init__()
        self.clip_norm = clip_norm
        self.tensors = nn.ParameterList(nn.Parameter(torch.zeros(2)) for _ in self.gradients)

    def loss(self, batch, memory):
        terms = zip(self.tensors, self.gradients, strict=True)
        return sum((tensor * torch.tensor(g)).sum() for tensor, g in terms), None

    def rate(self, iteration, total):
        return 1.0

    def optimizer(self):
        return torch.optim.SGD(self.parameters(), lr=1.0)


class Nothing:
    def draw(self, iteration, generator):
        return torch.zeros(1), True


@pytest.mark.parametrize(
    ("clip_norm", "expected"),
    [(5.0, ((3, 4), (25 / 13, 60 / 13), (0.3, 0.4))), (None, Sloped.gradients)],
)
def test_each_tensor_is_clipped_by_its_own_norm(tmp_path, clip_norm, expected):
    model = Sloped(clip_norm)
    train(model, Plan([Stage("main", Nothing(), 1)], seed=0), tmp_path / "state.pt")
    moved = torch.stack([-tensor.detach() for tensor in model.tensors])
    torch.testing.assert_close(
        moved, torch.tensor(expected, dtype=torch.float32), rtol=1e-5, atol=0
    )


class Slowing(Sloped):
    """Its learning rate falls from 1 to nothing."""

    def rate(self, iteration, total):
        return 1.0 - iteration / total


def test_the_learning_rate_is_the_models_share_of_it_for_how_much_is_done(tmp_path):
    """Over both stages: four iterations begin with 0, 1/4, 1/2 and 3/4 done."""
    model = Slowing(clip_norm=None)
    stages = [Stage("easy", Nothing(), 3), Stage("main", Nothing(), 1)]
    train(model, Plan(stages, seed=0), tmp_path / "state.pt")
    for tensor, gradient in zip(model.tensors, Sloped.gradients, strict=True):
        expected = -(1 + 3 / 4 + 1 / 2 + 1 / 4) * torch.tensor(gradient)
        torch.testing.assert_close(tensor.detach(), expected)


def test_learning_rates_are_shares_and_those_of_the_published_networks_do_not_change(kind):
    model = build(CONFIGS[kind])
    rates = [model.rate(iteration, 1000) for iteration in range(1001)]
    assert 0 <= min(rates) <= max(rates) <= 1.02
    if kind == "lstm":
        assert set(rates) == {1}
    elif kind == "biaxial":  # four iterations of the main corpus, of which a fifth cools
        assert rates[:1000] == [1] * 1000 and rates[1000] == 0
        longer = build(replace(CONFIGS[kind], iterations=100))
        cooled = [longer.rate(iteration, 500) for iteration in (0, 480, 490, 500)]
        assert cooled == [1, 1, 0.5, 0]
        published = build(replace(CONFIGS[kind], **PUBLISHED_FORM))
        assert {published.rate(iteration, 1000) for iteration in range(1001)} == {1}
    else:
        assert max(rates) > 0.95 and rates[-1] < 0.05 and rates[500] > 0.4


class Remembering(Sloped):
    """Its memory is the number of the batch; `heard` are the memories it was given."""

    def __init__(self):
        super().__init__(None)
        self.heard = []

    def loss(self, batch, memory):
        self.heard.append(memory)
        return super().loss(batch, memory)[0], int(batch)


class Epochs:
    """Three batches an epoch."""

    def draw(self, iteration, generator):
        return torch.tensor(iteration), iteration % 3 == 0


def test_memory_is_handed_on_within_an_epoch_and_starts_anew_with_the_next_and_each_stage(tmp_path):
    model = Remembering()
    stages = [Stage("easy", Epochs(), 5), Stage("main", Epochs(), 4)]
    train(model, Plan(stages, seed=0), tmp_path / "state.pt")
    assert model.heard == [None, 0, 1, None, 3, None, 0, 1, None]


def test_adadelta_and_rmsprop_step_as_published():
    """One step from one gradient, by the formulas of their authors."""
    gradient = torch.tensor([0.3, -2.0, 1e-4])
    adadelta = -(1e-6**0.5) / (0.05 * gradient**2 + 1e-6).sqrt() * gradient
    rmsprop = -0.001 * gradient / ((0.1 * gradient**2).sqrt() + 1e-6)
    for kind, expected in (("biaxial", adadelta), ("lstm", rmsprop)):
        model = build(CONFIGS[kind])
        optimizer = model.optimizer()
        weights = next(model.parameters())
        before = weights.detach().clone()
        weights.grad = torch.zeros_like(weights)
        weights.grad.view(-1)[:3] = gradient
        optimizer.step()
        moved = (weights - before).detach().view(-1)[:3]
        torch.testing.assert_close(moved, expected, rtol=1e-3, atol=1e-7)


def test_a_batch_in_parts_has_the_gradients_of_the_whole(monkeypatch):
    torch.manual_seed(0)
    model = build(replace(CONFIGS["biaxial"], dropout=0.0))
    optimizer = model.optimizer()
    batch = torch.from_numpy(np.stack([random_states(16, seed, 0.1) for seed in range(5)]))
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    gradients, losses, sizes = [], [], []
    for at_once in (5 * 16 * 78 * 4 * 6, 2 * 16 * 78 * 4 * 6, 1):
        model.load_state_dict(weights)
        monkeypatch.setattr(biaxial, "GATES_AT_ONCE", at_once)
        monkeypatch.setattr(model, "clip_norm", None)
        state = State()
        iterate(model, optimizer, Plan([Stage("main", None, 9)], 0), state, batch, True)
        sizes.append([len(part) for part in model.parts(batch)])
        losses.append(state.losses[0])
        gradients.append([p.grad.clone() for p in model.parameters()])
    assert sizes == [[5], [2, 2, 1], [1] * 5]
    torch.testing.assert_close(losses[1:], losses[:1] * 2, rtol=1e-5, atol=0)
    for in_parts in gradients[1:]:
        torch.testing.assert_close(in_parts, gradients[0], rtol=1e-4, atol=1e-4)


def test_the_published_batch_is_trained_on_two_sequences_at_a_time():
    model = biaxial.BiaxialRNN(BiaxialConfig(time_sizes=(300, 4), note_sizes=(4, 3)))
    batch = torch.zeros(10, 128, 78, 2, dtype=torch.uint8)
    assert [len(part) for part in model.parts(batch)] == [2] * 5


class Counted:
    """Batches of numbers that remember when they were drawn; that of `limit` cannot be."""

    def __init__(self, limit=99):
        self.drawn, self.limit = [], limit

    def draw(self, iteration, generator):
        if iteration == self.limit:
            raise ValueError("no such batch")
        self.drawn.append(iteration)
        return torch.tensor(iteration), True


def test_batches_are_drawn_once_each_in_order_and_none_beyond_the_end(tmp_path):
    stages = [Stage("easy", Counted(), 3), Stage("main", Counted(), 4)]
    train(Remembering(), Plan(stages, seed=0), tmp_path / "state.pt")
    assert [stage.batches.drawn for stage in stages] == [[0, 1, 2], [0, 1, 2, 3]]


def test_a_batch_that_cannot_be_drawn_stops_training_with_its_own_error(tmp_path):
    model = Remembering()
    with pytest.raises(ValueError, match="no such batch"):
        train(model, Plan([Stage("main", Counted(3), 9)], seed=0), tmp_path / "state.pt")
    assert len(model.heard) == 3


def test_held_out_loss_is_the_mean_without_dropout_and_changes_nothing(kind):
    torch.manual_seed(0)
    model = build(CONFIGS[kind])
    batches = plan(kind).held_out
    values = [held_out_loss(model.train(), batches) for _ in range(2)]
    memory, expected = None, []
    model.eval()
    for batch, fresh in batches:
        loss, memory = model.loss(batch, None if fresh else memory)
        expected.append(loss.item())
    assert values == [pytest.approx(np.mean(expected), rel=1e-6)] * 2


@pytest.fixture(scope="module")
def corpus():
    def pieces(name, count, first):
        states = [scale_piece(60 + i, 144, first + i) for i in range(count)]
        rolls = [np.pad(s[..., 0], ((0, 0), (3, 7)))[::2] for s in states]
        return [
            Piece(f"{name}{i}", s, r) for i, (s, r) in enumerate(zip(states, rolls, strict=True))
        ]

    names = ("1", "2", "main", "held-out")
    return Corpus({name: pieces(name, 3, 10 * i) for i, name in enumerate(names)})


def contents(directory):
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in directory.iterdir()}


def test_a_finished_run_is_not_trained_again(kind, corpus, tmp_path):
    config = RunConfig(CONFIGS[kind], curriculum=True, seed=1, held_out_every=2)
    run = train_run(config, corpus, tmp_path)
    stages = [1] * 2 + [2] * 2 + ["main"] * RUN_ITERATIONS[kind]
    assert run.finished and run.losses["stage"].tolist() == list(map(str, stages))
    before = contents(run.directory)
    assert train_run(config, corpus, tmp_path) == run
    assert contents(run.directory) == before


def test_another_seed_corpus_or_setting_is_another_run(kind, corpus, tmp_path):
    config = RunConfig(CONFIGS[kind], seed=1)
    others = [
        RunConfig(CONFIGS[kind], seed=2),
        RunConfig(CONFIGS[kind], seed=1, curriculum=True),
        RunConfig(CONFIGS[kind], seed=1, reverse=True),
        RunConfig(type(CONFIGS[kind])(), seed=1),
    ]
    fewer = Corpus(corpus.sets | {"main": corpus.main[:2]})
    directories = {find(other, corpus, tmp_path).directory for other in (config, *others)}
    directories.add(find(config, fewer, tmp_path).directory)
    assert len(directories) == 6


def test_a_run_interrupted_in_its_curriculum_ends_as_if_it_had_not_been(
    kind, corpus, tmp_path, monkeypatch
):
    config = RunConfig(CONFIGS[kind], curriculum=True, held_out_every=2)
    whole = train_run(config, corpus, tmp_path / "whole")

    def impatient(*arguments, progress, **options):
        def interrupt(iteration):
            progress(iteration)
            if iteration == 3:
                raise KeyboardInterrupt

        return train(*arguments, progress=interrupt, **options | {"save_seconds": 0})

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("musiclib.training.train.train", impatient)
        train_run(config, corpus, tmp_path / "parts")
    assert not find(config, corpus, tmp_path / "parts").finished
    resumed = train_run(config, corpus, tmp_path / "parts")
    weights = [path.name for path in whole.directory.glob("*.safetensors")]
    assert len(weights) == len(CONFIGS[kind].checkpoints) + 1
    for name in ("losses.csv", "held-out.csv", *weights):
        assert (resumed.directory / name).read_bytes() == (whole.directory / name).read_bytes()


def test_a_run_in_pieces_equals_a_whole_one_and_has_a_record_after_each(kind, corpus, tmp_path):
    config = RunConfig(CONFIGS[kind], curriculum=True, held_out_every=2)
    whole = train_run(config, corpus, tmp_path / "whole")
    for done in range(1, len(whole.losses)):
        run = train_run(config, corpus, tmp_path / "pieces", seconds=0)
        assert run.begun and not run.finished and run.record["iterations"] == done
        assert run.losses["loss"].tolist() == whole.losses["loss"].tolist()[:done]
        assert load_weights(run.weights("part"))[0].config == config.model
    run = train_run(config, corpus, tmp_path / "pieces", seconds=0)
    assert run.finished
    written, expected = contents(run.directory), contents(whole.directory)
    assert written.keys() == expected.keys()
    for name in {*written} - {"run.json"}:  # which has the seconds that it took
        assert written[name][1] == expected[name][1]


def test_with_an_equal_budget_a_curriculum_trains_no_longer(kind, corpus, tmp_path):
    config = RunConfig(replace(CONFIGS[kind], level_iterations=1), curriculum=True)
    plain = train_run(replace(config, curriculum=False), corpus, tmp_path)
    equal = train_run(replace(config, equal_budget=True), corpus, tmp_path)
    assert len(equal.losses) == len(plain.losses)
    assert equal.record["stages"] == {"1": 1, "2": 1, "main": RUN_ITERATIONS[kind] - 2}
    assert "equal_budget" not in config.describe()  # runs of before are found
    greedy = replace(config, model=replace(config.model, level_iterations=9), equal_budget=True)
    with pytest.raises(InputError, match="an equal budget"):
        train_run(greedy, corpus, tmp_path)


def test_weights_carry_their_configuration(kind, corpus, tmp_path):
    run = train_run(RunConfig(CONFIGS[kind]), corpus, tmp_path)
    model, _ = load_weights(run.weights())
    assert model.config == CONFIGS[kind] and not model.training


def test_checkpoints_count_iterations_on_the_main_corpus(corpus, tmp_path):
    """A training that ends at the checkpoint has the weights of the checkpoint, uncooled."""
    config = replace(CONFIGS["biaxial"], cooling=0.0)
    longer = train_run(RunConfig(config, curriculum=True), corpus, tmp_path)
    for checkpoint in config.checkpoints:
        shorter = RunConfig(replace(config, iterations=checkpoint), curriculum=True)
        ended = train_run(shorter, corpus, tmp_path).model()
        for one, other in zip(
            longer.model(checkpoint).parameters(), ended.parameters(), strict=True
        ):
            assert torch.equal(one, other)


def test_a_run_with_another_number_of_threads_goes_on_and_says_so(tmp_path, capsys):
    def interrupt(done):
        if done == 3:
            raise KeyboardInterrupt

    saved = tmp_path / "some-run" / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        trained("biaxial", saved, progress=interrupt, save_seconds=0)
    assert not capsys.readouterr().err
    torch.set_num_threads(2)
    try:
        _, state = trained("biaxial", saved)
    finally:
        torch.set_num_threads(1)
    assert len(state.losses) == EASY + MAIN and state.threads == [1, 2]
    assert "some-run: begun with threads: 1, goes on with 2" in capsys.readouterr().err


def test_training_ends_once_the_held_out_loss_is_low_enough(tmp_path):
    torch.manual_seed(0)
    early = replace(plan("biaxial"), stop_below=1e9)
    state = train(build(CONFIGS["biaxial"]), early, tmp_path / "state.pt")
    assert len(state.losses) == early.held_out_every


def test_a_run_says_how_it_was_computed_and_what_needs_no_learning(kind, corpus, tmp_path):
    record = train_run(RunConfig(CONFIGS[kind]), corpus, tmp_path).record
    assert record["precision"] == "fp32" and record["threads"] == [1]
    assert bool(record["without_learning"]) == (kind in ("biaxial", "lstm"))


def test_what_is_asked_for_decides_the_precision_and_fp32_if_nothing_is(monkeypatch):
    assert RunConfig(CONFIGS["biaxial"]).precision == "fp32"
    assert study.Study("paper").config("lstm", "plain", 0).precision == "fp32"
    monkeypatch.setattr(study, "check_precision", lambda precision: None)
    asked = study.Study("paper", precision="bf16")
    assert asked.config("lstm", "plain", 0).precision == "bf16"
    assert asked.config("biaxial", "published", 0).precision == "fp32"  # its cell knows no other
    assert asked.config("rbm", "plain", 0).precision == "fp32"


def test_a_precision_that_is_not_here_is_refused_in_one_sentence(monkeypatch, corpus, tmp_path):
    monkeypatch.setattr(precisions, "computes_bf16", lambda: False)
    config = RunConfig(CONFIGS["biaxial"], precision="bf16")
    for refused in (lambda: study.Study("smoke", precision="bf16"),
                    lambda: train_run(config, corpus, tmp_path)):  # fmt: skip
        with pytest.raises(InputError, match=r"bf16 .*: use fp32"):
            refused()
    with pytest.raises(InputError, match="unknown precision 'fp8'"):
        study.Study("smoke", precision="fp8")


def test_a_kind_of_run_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="'curiculum'"):
        study.Study("smoke").config("biaxial", "curiculum", 0)


def test_no_learning_rate_no_learning(corpus, tmp_path):
    """A run that did not learn says so, and by what numbers."""
    for kind in ("biaxial", "lstm"):
        run = train_run(RunConfig(replace(CONFIGS[kind], learning_rate=0.0)), corpus, tmp_path)
        assert not run.verdict.learned
        assert f"{run.held_out['loss'].max():.5g}" in run.verdict.why


def test_as_much_of_all_music_as_is_in_a_mode(corpus, tmp_path):
    config = RunConfig(CONFIGS["biaxial"], as_much_as="major", seed=3)
    in_major = prepare(corpus, normalise=True, mode="major").main
    drawn = music_of(config, corpus).main
    assert sum(len(p.states) for p in drawn) == sum(len(p.states) for p in in_major)
    assert {p.name for p in drawn} <= {p.name for p in corpus.main}


bf16 = pytest.mark.skipif(not precisions.computes_bf16(), reason="no bf16 LSTM on this processor")


@bf16
@pytest.mark.parametrize("kind", ["lstm", "biaxial"])
def test_bfloat16_takes_a_step_like_that_of_float32(kind):
    """The same loss and nearly the same direction."""
    batch, _ = plan(kind).held_out[0]
    losses, gradients = [], []
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        model = build(CONFIGS[kind])
        state = State()
        one = Plan([Stage("main", None, 1)], 0, precision=precision)
        iterate(model, model.optimizer(), one, state, batch, True)
        losses.append(state.losses[0])
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    torch.testing.assert_close(*losses, rtol=0.01, atol=0)
    assert losses[0].dtype == losses[1].dtype == torch.float32
    assert not torch.equal(*gradients)
    assert torch.cosine_similarity(*gradients, dim=0) > 0.99


@bf16
@pytest.mark.parametrize("kind", ["lstm", "biaxial"])
def test_in_bfloat16_too_interrupted_and_resumed_equals_uninterrupted(kind, tmp_path):
    def run(saved, **options):
        torch.manual_seed(0)
        model = build(CONFIGS[kind])
        return model, train(model, replace(plan(kind), precision="bf16"), saved, **options)

    def interrupt(done):
        if done == EASY + 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "state.pt", progress=interrupt, save_seconds=0)
    assert_the_same_training(run(tmp_path / "state.pt"), run(tmp_path / "other.pt"))
