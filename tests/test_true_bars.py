"""Pieces whose bars follow the time signature: in the corpus, in batches, in features, composed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import hand_states, legal_states, random_states, scale_piece
from test_composing import loud
from test_features import BEAT, naive_features

from musiclib.base.errors import InputError
from musiclib.composing import compose as composing
from musiclib.composing.compose import compose, draw_primers, piece_seeds
from musiclib.corpus.batches import Segments
from musiclib.corpus.prepare import prepare, some_of
from musiclib.corpus.sets import Corpus, Piece
from musiclib.models import BiaxialConfig, LSTMConfig, RBMConfig, batches_of, build
from musiclib.models.fast_steps import GraphedSteps, fast_steps
from musiclib.models.features import features
from musiclib.training.runs import RunConfig
from musiclib.training.train import train_run

pytestmark = pytest.mark.processor

TINY = BiaxialConfig(
    time_sizes=(6, 5),
    note_sizes=(4, 3),
    batch=2,
    segment=16,
    level_iterations=2,
    checkpoints=(1,),
    iterations=3,
)


def grid(*bars):
    return np.concatenate([np.arange(bar, dtype=np.uint16) for bar in bars])


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def in_bars(seed, *bars):
    """A piece of bars of so many steps."""
    states = random_states(sum(bars), seed, 0.3)
    return Piece(str(seed), states, states[..., 0], grid(*bars))


def corpus_of(*pieces):
    return Corpus({"main": list(pieces), "held-out": list(pieces[:1])})


def test_segments_begin_at_every_true_bar_and_carry_their_positions():
    pieces = [in_bars(0, 12, 20, 6, 12, 12), in_bars(1, 40), in_bars(2, 5, 5)]
    segments = Segments([p.states for p in pieces], 4, 24, positions=[p.positions for p in pieces])
    starts = [(0, 0), (0, 12), (0, 32), (0, 38), (1, 0)]
    expected = {pieces[piece].states[at : at + 24].tobytes(): (piece, at) for piece, at in starts}
    drawn = set()
    for seed in range(30):
        batch, _ = segments.draw(seed, seeded(seed))
        assert batch.shape == (4, 24, 78, 3) and batch.dtype == torch.uint8
        for segment in batch.numpy():
            piece, at = expected[segment[..., :2].tobytes()]
            assert (segment[..., 2] == pieces[piece].positions[at : at + 24, None]).all()
            drawn.add((piece, at))
    assert drawn == set(starts)


def test_where_no_piece_has_positions_there_is_no_third_plane():
    states = random_states(64, 0)
    plain = Segments([states], 3, 32)
    for positions in (None, [None]):
        batch, _ = Segments([states], 3, 32, positions=positions).draw(0, seeded(1))
        assert batch.shape[-1] == 2 and torch.equal(batch, plain.draw(0, seeded(1))[0])


def test_a_piece_without_positions_beside_one_that_has_some_keeps_the_published_grid():
    waltz, other = in_bars(0, *[12] * 6), random_states(64, 1, 0.3)
    segments = Segments([waltz.states, other], 8, 32, positions=[waltz.positions, None])
    seen = set()
    for segment in segments.draw(0, seeded(0))[0].numpy():
        at = [k for k in range(0, 33, 16) if (segment[..., :2] == other[k : k + 32]).all()]
        bar = 16 if at else 12
        assert (segment[:, 0, 2] % bar == np.arange(32) % bar).all()
        seen.add(bar)
    assert seen == {12, 16}


def test_positions_above_255_keep_the_four_bits_that_the_beat_hears():
    piece = in_bars(0, 700)
    [[batch, _]] = Segments([piece.states], 1, 600, positions=[piece.positions]).every(1)
    assert (batch[0, :, 5, 2] & 15).tolist() == [step % 16 for step in range(600)]


def test_a_piece_in_which_no_bar_begins_early_enough_is_passed_over():
    late, fine = in_bars(0, 40), in_bars(1, 40)
    late = late._replace(positions=late.positions + 1)
    segments = Segments(
        [late.states, fine.states], 2, 32, positions=[late.positions, fine.positions]
    )
    assert (segments.draw(0, seeded(0))[0][..., :2].numpy() == fine.states[:32]).all()
    with pytest.raises(InputError, match="32 steps of a training segment"):
        Segments([late.states], 2, 32, positions=[late.positions])


@given(st.lists(st.sampled_from([6, 12, 16, 20]), min_size=3, max_size=12), st.integers(1, 30))
def test_held_out_segments_begin_at_bars_as_early_as_they_can_without_overlap(bars, steps):
    piece, lines = in_bars(0, *bars), np.cumsum([0, *bars]).tolist()
    expected, end = [], 0
    for line in lines:
        if line >= end and line + steps <= sum(bars):
            expected.append(line)
            end = line + steps
    if not expected:
        return
    batches = Segments([piece.states], 1, steps, positions=[piece.positions]).every(len(expected))
    for (batch, _), start in zip(batches, expected, strict=True):
        assert (batch[0, ..., :2].numpy() == piece.states[start : start + steps]).all()
        assert batch[0, 0, 0, 2] == 0


@settings(max_examples=10)
@given(legal_states(max_steps=4), st.lists(st.integers(0, 255), min_size=4, max_size=4))
def test_the_beat_is_that_of_the_positions_given(states, positions):
    plane = np.array(positions[: len(states)], np.uint8)[:, None, None].repeat(78, axis=1)
    computed = features(torch.from_numpy(np.concatenate([states, plane], axis=-1)))
    expected = naive_features(states)
    for step, position in enumerate(positions[: len(states)]):
        expected[step, :, BEAT] = [1 if position >> bit & 1 else -1 for bit in range(4)]
    np.testing.assert_array_equal(computed.numpy(), expected)


def with_positions(states, positions):
    """States (B, T, 78, 2) with the same positions (T,) for each."""
    plane = torch.as_tensor(positions, dtype=torch.uint8)[None, :, None, None]
    return torch.cat([states, plane.expand(*states.shape[:-1], 1)], dim=-1)


@torch.no_grad()
def test_the_network_hears_positions_and_predicts_notes_alone():
    model = loud(TINY)
    states = torch.from_numpy(np.stack([random_states(33, seed, 0.1) for seed in range(3)]))
    published = with_positions(states, np.arange(33))
    waltz = with_positions(states, np.arange(33) % 12)
    assert torch.equal(model(published), model(states))
    assert torch.equal(model.loss(published)[0], model.loss(states)[0])
    assert torch.equal(model(waltz)[:, :12], model(states)[:, :12])
    assert (model(waltz)[:, 12:] != model(states)[:, 12:]).any(dim=(2, 3)).all()


@torch.inference_mode()
@pytest.mark.parametrize("stepper", [fast_steps, lambda model: model], ids=["fast", "readable"])
def test_composing_in_bars_of_12_has_the_chances_of_training_on_them(stepper):
    """Coins fall as wanted within 1e-5 on the wanted side of the chance that is expected."""
    model = loud(TINY)
    states = torch.from_numpy(np.stack([random_states(40, seed, 0.1) for seed in range(3)]))
    expected = torch.sigmoid(model(with_positions(states, np.arange(40) % 12)))
    stepper = stepper(model)
    memory = stepper.begin(3, 12)
    for step in range(39):
        wanted = states[:, step + 1].float()
        noise = expected[:, step] + 1e-5 * (1 - 2 * wanted)
        coins = composing.Coins(noise, torch.ones(3), 1.0)
        chosen, memory = stepper.step(states[:, step], memory, coins)
        assert torch.equal(chosen, wanted)


def test_steps_recorded_in_place_count_the_same_bars():
    model = loud(TINY)
    for bar in (12, 20):
        results = []
        for steps in (GraphedSteps(model, lambda function: (function(), function)[1]), model):
            noise = torch.rand(2, 50, 78, 2, generator=seeded(bar))
            known = torch.from_numpy(np.stack([random_states(3, 5, 0.2)] * 2)).float()
            powers = composing.Powers(["off", "paper"], torch.device("cpu"))
            arguments = (known, noise, powers, torch.ones(2), lambda steps: None)
            results.append(composing._compose(steps, *arguments, bar=bar))
        np.testing.assert_array_equal(*results)


def test_a_bar_has_16_steps_unless_another_is_asked_for():
    model, primers = loud(TINY), np.stack([random_states(3, seed, 0.2) for seed in range(4)])
    for fast in (True, False):
        pieces = {
            bar: compose(model, primers, 40, piece_seeds(0, 4), fast=fast, **asked)
            for bar, asked in ((None, {}), (16, {"bar": 16}), (12, {"bar": 12}))
        }
        np.testing.assert_array_equal(pieces[16], pieces[None])
        np.testing.assert_array_equal(pieces[12][:, :13], pieces[16][:, :13])
        assert (pieces[12] != pieces[16]).any()


def test_a_bar_that_cannot_be_is_refused():
    rolls = np.zeros((1, 1, 88), np.uint8)
    with pytest.raises(ValueError, match="a bar of 12 steps: this network hears no bars"):
        compose(build(LSTMConfig(hidden=3)), rolls, 4, [0], bar=12)
    with pytest.raises(ValueError, match="a bar of 0 steps"):
        compose(loud(TINY), np.zeros((1, 1, 78, 2), np.uint8), 4, [0], bar=0)


def test_primers_are_first_steps_of_segments_that_begin_at_a_true_bar():
    pieces = [in_bars(0, 12, 20, 6, 12, 12), in_bars(1, 16, 16, 16)]
    starts = {pieces[0].states[at].tobytes() for at in (0, 12, 32, 38)}
    starts |= {pieces[1].states[at].tobytes() for at in (0, 16)}
    positions = [piece.positions for piece in pieces]
    drawn = draw_primers([piece.states for piece in pieces], 99, 0, 24, positions)
    assert {primer.tobytes() for primer in drawn} == starts


def weights_of(config, pieces, folder):
    run = train_run(RunConfig(config, held_out_every=2), corpus_of(*pieces), folder)
    return run.record["corpus"], run.losses["loss"].tolist(), run.held_out["loss"].tolist()


def test_training_hears_true_bars_and_those_of_16_steps_are_the_published_ones(tmp_path):
    states = [scale_piece(60 + seed, 160, seed) for seed in range(4)]
    pieces = [Piece(str(i), s, s[::2, :, 0].repeat(2, 1)[:, :88]) for i, s in enumerate(states)]
    named = {
        "none": pieces,
        "common": [piece._replace(positions=grid(*[16] * 10)) for piece in pieces],
        "waltz": [piece._replace(positions=grid(*[12] * 13, 4)) for piece in pieces],
    }
    trained = {n: weights_of(TINY, some, tmp_path) for n, some in named.items()}
    assert trained["common"][1:] == trained["none"][1:] != trained["waltz"][1:]
    assert len({checksum for checksum, *_ in trained.values()}) == 3


@pytest.mark.parametrize("config", [LSTMConfig(window=8, hop=3, batch=2), RBMConfig(window=8)])
def test_models_that_hear_no_bars_get_the_same_batches(config):
    pieces = [in_bars(seed, *[12] * 5) for seed in range(3)]
    pieces = [p._replace(roll=np.pad(p.roll, ((0, 0), (3, 7)))) for p in pieces]
    without = [piece._replace(positions=None) for piece in pieces]
    (one, _), (other, _) = (
        batches_of(config, some).draw(0, seeded(0)) for some in (pieces, without)
    )
    assert torch.equal(one, other)


def test_backwards_pieces_keep_true_bars_and_lose_an_incomplete_last_one():
    states = hand_states(45, (60, 0, 4), (64, 12, 4), (67, 28, 12), (72, 40, 5))
    piece = Piece("a", states, states[..., 0], grid(12, 16, 12, 5))
    turned = prepare(corpus_of(piece), normalise=False, reverse=True).main[0]
    expected = hand_states(40, (60, 36, 4), (64, 24, 4), (67, 0, 12))
    np.testing.assert_array_equal(turned.states, expected)
    np.testing.assert_array_equal(turned.positions, grid(12, 16, 12))
    np.testing.assert_array_equal(turned.roll, piece.roll[::-1])


def test_preparing_forwards_and_taking_some_keeps_the_bars():
    pieces = [in_bars(seed, 12, 12, 20) for seed in range(3)]
    for piece in prepare(corpus_of(*pieces), normalise=True).main:
        np.testing.assert_array_equal(piece.positions, grid(12, 12, 20))
    drawn = some_of(pieces, 50, seed=0)
    assert [len(p.positions) for p in drawn] == [len(p.states) for p in drawn] == [44, 6]


def test_the_checksum_sees_positions_and_is_as_before_without_them():
    plain = Piece("a", hand_states(32, (60, 0, 4)), np.zeros((16, 88), np.uint8))
    variants = [
        plain,
        plain._replace(positions=grid(16, 16)),
        plain._replace(positions=grid(12, 20)),
    ]
    assert len({corpus_of(piece).checksum for piece in variants}) == 3
    assert corpus_of(plain).checksum == "5c8140d18e4565cc"


def test_what_is_short_is_counted_in_2_or_4_time_only_where_reading_stops_there():
    short = {"short": ["b"]}
    told, true = (
        replace(corpus_of(piece), **short).complaints()[-1]
        for piece in (in_bars(0, 128)._replace(positions=None), in_bars(0, 128))
    )
    assert told == "too short: 1 file under 128 steps as read in 2 or 4 time, as b"
    assert true == "too short: 1 file under 128 steps, as b"
