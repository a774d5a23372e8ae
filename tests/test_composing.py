"""Composing: repeatable, piece by piece independent, and by the published rules."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from strategies import random_states
from torch import nn

from musiclib.base import compiled as base_compiled
from musiclib.composing import compose as composing
from musiclib.composing.compose import compose, draw_primers, piece_seeds
from musiclib.models import BiaxialConfig, LSTMConfig, build
from musiclib.models.fast_steps import CompiledSteps, GraphedSteps, PackedLSTM, fast_steps
from musiclib.models.model import Network
from musiclib.models.sampling import Coins
from musiclib.music.note_states import write_note_states
from musiclib.music.piano_roll import write_piano_roll

pytestmark = pytest.mark.processor

CONFIGS = {
    "biaxial": BiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4)),
    "lstm": LSTMConfig(hidden=9),
}
SHAPES = {"biaxial": (78, 2), "lstm": (88,)}
WRITERS = {"biaxial": write_note_states, "lstm": write_piano_roll}
PIECES, STEPS = 4, 24


@pytest.fixture(params=CONFIGS)
def kind(request):
    return request.param


@pytest.fixture
def model(kind):
    torch.manual_seed(0)
    model = build(CONFIGS[kind])
    with torch.no_grad():
        for parameter in model.parameters():  # large weights listen to every note
            parameter.mul_(5)
        (model.output if kind == "biaxial" else model.dense).bias.fill_(-1.0)
    return model


@pytest.fixture
def primers(kind):
    states = np.stack([random_states(5, seed, 0.2) for seed in range(PIECES)])
    return states if kind == "biaxial" else np.pad(states[..., 0], ((0, 0), (0, 0), (5, 5)))


def test_the_same_seed_gives_the_same_bytes(model, kind, primers, tmp_path):
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        pieces = compose(model, primers, STEPS, piece_seeds(seed, PIECES))
        for index, piece in enumerate(pieces):
            WRITERS[kind](piece, tmp_path / name / f"{index}.mid")
    for index in range(PIECES):
        one, same, other = (
            (tmp_path / name / f"{index}.mid").read_bytes() for name in ("one", "same", "other")
        )
        assert one == same != other


def test_a_piece_composed_alone_is_the_piece_composed_among_others(model, kind, primers):
    seeds = piece_seeds(3, PIECES)
    together = compose(model, primers, STEPS, seeds)
    assert together.shape == (PIECES, STEPS, *SHAPES[kind]) and together.dtype == np.uint8
    assert len(np.unique(together.reshape(PIECES, -1), axis=0)) == PIECES
    for index in range(PIECES):
        alone = compose(model, primers[index : index + 1], STEPS, seeds[index : index + 1])
        np.testing.assert_array_equal(alone[0], together[index])


def test_a_piece_begins_with_its_primer_and_goes_on_from_all_of_it(model, primers):
    """Primed with its own beginning, a piece goes on as it did."""
    seeds = piece_seeds(4, PIECES)
    piece = compose(model, primers[:, :1], STEPS, seeds, conservativity="off")
    again = compose(model, piece[:, :9], STEPS, seeds, conservativity="off")
    np.testing.assert_array_equal(again, piece)
    other = compose(model, primers, STEPS, seeds, conservativity="off")
    np.testing.assert_array_equal(other[:, :5], primers)
    assert (other[:, 5:] != piece[:, 5:]).any()


class Recorder(Network):
    """Plays so many notes as it is told, and remembers each step's power."""

    def __init__(self, counts):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.counts, self.powers = counts, []

    def begin(self, pieces):
        return 0

    def step(self, notes, step, coins):
        self.powers.append(coins.power.tolist())
        chosen = torch.arange(88) < torch.tensor(self.counts[step])[:, None]
        return chosen.float(), step + 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=80))
def test_conservativity_follows_the_published_rule(counts):
    expected = []
    for piece in range(2):
        c = 1.0
        for step in range(len(counts)):
            expected.append(c)
            c = min(c, 1) - 0.02 if counts[step][piece] < 2 else c + 0.3 * (1 - c)
    recorder = Recorder(counts)
    compose(recorder, np.zeros((2, 1, 88), np.uint8), len(counts), [0, 1])
    np.testing.assert_allclose(np.transpose(recorder.powers).ravel(), expected, atol=1e-5)


@pytest.mark.parametrize(("kind_of", "expected"), [("off", 1.0), (0.7, 0.7), (2, 2.0)])
def test_another_conservativity_stays_as_it_is(kind_of, expected):
    recorder = Recorder([(0, 3)] * 30)
    primers = np.zeros((2, 1, 88), np.uint8)
    compose(recorder, primers, 30, [0, 1], conservativity=kind_of)
    np.testing.assert_allclose(recorder.powers, expected)


def test_coins_fall_with_p_to_the_power_c_and_articulation_knows_no_power():
    noise = torch.rand(2, 88, 2, generator=torch.Generator().manual_seed(0))
    logits = torch.linspace(-6, 6, 88).expand(2, 88)
    coins = Coins(noise, torch.tensor([0.5, 1.3]), temperature=2.0)
    for note in range(88):
        p = 1 / (1 + np.exp(-logits[:, note].numpy() / 2))
        play = coins.play(logits[:, note], (note, 0))
        struck = coins.articulate(logits[:, note], (note, 1))
        assert play.tolist() == (noise[:, note, 0].numpy() < p ** [0.5, 1.3]).tolist()
        assert struck.tolist() == (noise[:, note, 1].numpy() < p).tolist()


def test_cold_music_does_not_depend_on_the_seed_and_hot_music_is_noise(model, kind, primers):
    def composed(seed, temperature):
        seeds = piece_seeds(seed, PIECES)
        return compose(model, primers, STEPS, seeds, conservativity="off", temperature=temperature)[
            :, 5:
        ]

    np.testing.assert_array_equal(composed(1, 1e-6), composed(2, 1e-6))
    play = composed(1, 1e6) if kind == "lstm" else composed(1, 1e6)[..., 0]
    assert play.mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("kind", ["biaxial"], indirect=True)
def test_what_is_struck_plays(model, primers):
    play, struck = np.moveaxis(compose(model, primers, STEPS, piece_seeds(0, PIECES)), -1, 0)
    assert struck.any() and (play >= struck).all()


def test_composing_leaves_the_random_state_alone(model, primers):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    compose(model, primers, STEPS, piece_seeds(0, PIECES))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("steps", "seeds", "temperature", "message"),
    [
        (STEPS, [1, 2], 1.0, "4 primers but 2 seeds"),
        (4, [1, 2, 3, 4], 1.0, "5 steps in a piece of 4"),
        (STEPS, [1, 2, 3, 4], 0.0, "temperature 0"),
        (STEPS, [1, 2, 3, 4], float("nan"), "temperature nan"),
    ],
)
def test_what_cannot_be_composed_is_refused_with_the_value(
    model, primers, steps, seeds, temperature, message
):
    with pytest.raises(ValueError, match=message):
        compose(model, primers, steps, seeds, temperature=temperature)


def test_an_empty_primer_is_refused(model, primers):
    with pytest.raises(ValueError, match="0 steps"):
        compose(model, primers[:, :0], STEPS, piece_seeds(0, PIECES))


def test_seeds_of_pieces_all_differ_and_do_not_depend_on_their_number():
    assert piece_seeds(7, 5) == piece_seeds(7, 9)[:5]
    assert len({seed for run in range(20) for seed in piece_seeds(run, 20)}) == 400


def test_primers_are_first_steps_of_segments_at_the_start_of_a_bar():
    pieces = [random_states(steps, seed, 0.5) for seed, steps in enumerate((176, 130))]
    starts = {p[start].tobytes() for p in pieces for start in range(0, len(p) - 127, 16)}
    drawn = draw_primers(pieces, 200, seed=0, segment=128)
    assert drawn.shape == (200, 1, 78, 2)
    assert {primer.tobytes() for primer in drawn} == starts


def test_primers_without_segment_are_the_first_steps_of_pieces():
    pieces = [random_states(steps, seed, 0.5) for seed, steps in enumerate((176, 3))]
    firsts = draw_primers(pieces, 50, seed=0)
    assert {primer.tobytes() for primer in firsts} == {piece[0].tobytes() for piece in pieces}


def loud(config):
    """A biaxial RNN whose large weights listen to every note, its initial states among them."""
    torch.manual_seed(1)
    model = build(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4).add_(torch.randn_like(parameter) * 0.1)
        model.output.bias.fill_(-1.0)
    return model.eval()


SETTINGS = {"conservativity": ["paper", "off", 0.8, 1.4], "temperature": [1.0, 0.7, 1.3, 1.0]}


def composed_alike_on_both_paths(model):
    primers = np.stack([random_states(3, seed, 0.2) for seed in range(4)])
    fast, readable = (
        compose(model, primers, STEPS, piece_seeds(9, 4), **SETTINGS, fast=fast)
        for fast in (True, False)
    )
    np.testing.assert_array_equal(fast, readable)
    return fast


@pytest.mark.parametrize(
    "config",
    [
        BiaxialConfig(),
        BiaxialConfig(time_sizes=(7,), note_sizes=(5,)),
        BiaxialConfig(time_sizes=(7, 6, 5), note_sizes=(5, 4, 3)),
    ],
    ids=["published", "one layer", "three layers"],
)
def test_the_fast_path_is_the_readable_path(config):
    """The same notes, with primers and settings that differ."""
    fast = composed_alike_on_both_paths(loud(config))
    assert fast.any(axis=(1, 2, 3)).all() and not fast[:, 3:, :, 0].all()


@torch.inference_mode()
@pytest.mark.parametrize("stepper", [fast_steps, lambda model: model], ids=["fast", "readable"])
def test_composing_has_the_chances_of_the_teacher_forced_pass(stepper):
    """Coins fall as wanted within 1e-5 on the wanted side of the chance that is expected."""
    model = loud(BiaxialConfig())
    states = torch.from_numpy(np.stack([random_states(9, seed, 0.1) for seed in range(3)]))
    expected = torch.sigmoid(model(states))
    assert isinstance(fast_steps(model), CompiledSteps)
    stepper = stepper(model)
    memory = stepper.begin(3)
    for step in range(8):
        wanted = states[:, step + 1].float()
        coins = Coins(expected[:, step] + 1e-5 * (1 - 2 * wanted), torch.ones(3), 1.0)
        chosen, memory = stepper.step(states[:, step], memory, coins)
        assert torch.equal(chosen, wanted)


def test_steps_recorded_in_place_are_the_steps_of_the_model():
    """What a CUDA graph would repeat, repeated on the processor; recording takes steps too."""
    model = loud(BiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4)))
    held = []

    def record(function):
        for _ in range(3):
            function()
        held.append([tensor.data_ptr() for tensor in tensors(stepper)])
        return function

    def tensors(stepper):
        """All that a graph would read and write: it must stay where it was when recorded."""
        coins = stepper.coins
        memory = [stepper.position, *(part for state in stepper.states for part in state)]
        return [stepper.notes, coins.noise, coins.power, coins.temperature, *memory]

    primers = np.stack([random_states(3, seed, 0.2) for seed in range(4)])
    stepper, expected = GraphedSteps(model, record), model
    for seed in (1, 2):  # the second time with the same stepper
        results = []
        for steps in (stepper, expected):
            noise = torch.rand(4, STEPS, 78, 2, generator=torch.Generator().manual_seed(seed))
            powers = composing.Powers(["paper", "off", 0.8, 1.4], torch.device("cpu"))
            known = torch.from_numpy(primers).float()
            hot = torch.tensor([1.0, 0.7, 1.3, 1.0]) + 0.1 * seed
            results.append(composing._compose(steps, known, noise, powers, hot, lambda steps: None))
        assert held[-1] == [tensor.data_ptr() for tensor in tensors(stepper)]
        np.testing.assert_array_equal(results[0][0], results[1][0])
        np.testing.assert_allclose(results[0][1], results[1][1], rtol=0, atol=1e-6)
        assert results[0][0][:, 3:].any()


@torch.inference_mode()
def test_packed_weights_and_weights_as_they_are_give_the_same():
    layer = nn.LSTM(80, 30)
    x, state = torch.randn(156, 80), (torch.randn(156, 30), torch.randn(156, 30))
    packed, plain = PackedLSTM(layer), PackedLSTM(layer)
    plain.packed = None
    assert packed.packed is not None or not torch.backends.mkldnn.is_available()
    expected = torch.lstm_cell(x, state, *layer.all_weights[0])
    for result in (packed(x, state), plain(x, state)):
        torch.testing.assert_close(result, expected, rtol=0, atol=1e-6)


def test_where_torch_steps_packed_weights_otherwise_they_are_left_as_they_are(monkeypatch):
    def other(*arguments):
        raise TypeError("mkldnn_rnn_layer takes 9 arguments")

    monkeypatch.setattr(torch.ops.aten, "mkldnn_rnn_layer", other)
    assert PackedLSTM(nn.LSTM(8, 3)).packed is None


def test_many_pieces_are_composed_some_at_a_time(model, kind, primers, monkeypatch):
    seeds = piece_seeds(3, PIECES)
    together = compose(model, primers, STEPS, seeds, **SETTINGS)
    monkeypatch.setattr(composing, "PIECES_AT_ONCE", 3)
    np.testing.assert_array_equal(compose(model, primers, STEPS, seeds, **SETTINGS), together)


def test_every_piece_has_its_own_settings(model, primers):
    together = compose(model, primers, STEPS, piece_seeds(3, PIECES), **SETTINGS)
    for i in range(PIECES):
        alone = compose(
            model,
            primers[i : i + 1],
            STEPS,
            piece_seeds(3, PIECES)[i : i + 1],
            conservativity=SETTINGS["conservativity"][i],
            temperature=SETTINGS["temperature"][i],
        )
        np.testing.assert_array_equal(alone[0], together[i])


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_are_not_one_a_piece_are_refused(model, primers, name):
    with pytest.raises(ValueError, match=f"3 values of {name} for 4 pieces"):
        compose(model, primers, STEPS, piece_seeds(0, 4), **{name: SETTINGS[name][:3]})


def test_at_published_size_a_piece_is_the_same_alone_and_among_many():
    model = loud(BiaxialConfig())
    primers = np.zeros((26, 1, 78, 2), np.uint8)
    together = compose(model, primers, 6, piece_seeds(0, 26))
    for some in (slice(0, 1), slice(24, 26)):
        alone = compose(model, primers[some], 6, piece_seeds(0, 26)[some])
        np.testing.assert_array_equal(alone, together[some])


def test_weights_that_are_not_numbers_play_nothing_on_either_path():
    model = loud(BiaxialConfig(time_sizes=(7,), note_sizes=(5,)))
    with torch.no_grad():
        model.output.weight.fill_(torch.nan)
    for fast in (True, False):
        primers = np.zeros((2, 1, 78, 2), np.uint8)
        assert not compose(model, primers, 5, piece_seeds(0, 2), fast=fast).any()


@pytest.mark.parametrize("temperature", [1, np.float32(1.0), np.array(1.0)])
def test_a_setting_may_be_any_number(model, primers, temperature):
    seeds = piece_seeds(3, PIECES)
    expected = compose(model, primers, STEPS, seeds)
    np.testing.assert_array_equal(
        compose(model, primers, STEPS, seeds, temperature=temperature), expected
    )


def test_progress_counts_the_steps_of_all_pieces(model, primers, monkeypatch):
    monkeypatch.setattr(composing, "PIECES_AT_ONCE", 3)
    heard = []
    compose(model, primers, STEPS, piece_seeds(3, PIECES), progress=heard.append)
    assert heard == [3 * i for i in range(1, STEPS + 1)] + [
        3 * STEPS + i for i in range(1, STEPS + 1)
    ]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU")
def test_on_a_gpu_a_recorded_step_composes_what_the_model_does():
    composed_alike_on_both_paths(loud(BiaxialConfig()).cuda())


def test_where_nothing_can_be_written_loops_are_compiled_all_the_same(monkeypatch):
    def without_a_place(*, cache=False, **options):
        if cache:
            raise RuntimeError("no locator available")
        return njit(**options)

    monkeypatch.setattr(base_compiled, "njit", without_a_place)
    assert base_compiled.compiled(lambda x: x + 1)(1) == 2
    assert base_compiled.compiled(fastmath=True)(lambda x: x + 1)(1) == 2


def test_chances_are_the_frequencies_of_notes():
    """Notes fall as often as the network says of them, per note within four standard errors."""
    model = loud(BiaxialConfig(time_sizes=(7, 6), note_sizes=(5, 4)))
    primers = np.zeros((300, 1, 78, 2), np.uint8)
    pieces = compose(model, primers, 9, piece_seeds(0, 300), conservativity="off")
    with torch.no_grad():
        p = torch.sigmoid(model(torch.from_numpy(pieces)))[..., 0].double().numpy()
    play = pieces[:, 1:, :, 0]
    error = np.sqrt((p * (1 - p)).sum(axis=(0, 1)))
    assert (abs(play.sum(axis=(0, 1)) - p.sum(axis=(0, 1))) < 4 * error).all()
