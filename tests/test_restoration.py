"""What notebook 10 tries out: excerpts, the RBM without hidden units, ways of mending."""

import numpy as np
import pytest
import torch
from strategies import hand_states, random_states, repaired
from test_mend import bars_of_c_major, one_more

from musiclib.metrics.note_f1 import likeness
from musiclib.models import ConditionalRBM, ConditionalRBMConfig
from musiclib.paper.restoration import (
    EXCERPT,
    NO_HIDDEN,
    NO_MACHINE,
    NOTHING,
    WAYS,
    excerpts,
    means,
    without_hidden,
)


def small_machine():
    torch.manual_seed(0)
    return ConditionalRBM(ConditionalRBMConfig(maps=3, reach=(1, 2), coupling=(1, 1))).eval()


def test_excerpts_are_the_legal_beginnings_of_different_pieces():
    pieces = [random_states(EXCERPT + 10 * i, i, 0.1) for i in range(5)]
    drawn = excerpts(pieces, 3, seed=1)
    beginnings = [repaired(piece[:EXCERPT]) for piece in pieces]
    found = [[np.array_equal(d, b) for b in beginnings].index(True) for d in drawn]
    assert len(set(found)) == 3
    assert len(excerpts(pieces, 9, seed=1)) == 5


def test_without_hidden_units_only_biases_and_the_music_around_are_left():
    machine = small_machine()
    given = torch.from_numpy(random_states(20, 3))[None]
    deaf = without_hidden(machine)
    with torch.no_grad():
        machine.hidden_bias += 5  # would change all, if hidden units spoke
        loud = without_hidden(machine)
        assert torch.equal(deaf(given), loud(given))
        assert not torch.equal(machine(given), deaf(given))
    assert machine.coupling.abs().sum() > 0


def pieces():
    return [hand_states(64, *((48 + (5 * i) % 24, 4 * i, 3) for i in range(16)))] * 2


@pytest.mark.parametrize("music", ["anywhere", "in range", "near", "clean"])
def test_leaving_a_piece_as_it_is_gains_nothing(music):
    made = means(WAYS[NOTHING](None, None, [], 0), pieces(), music, seed=2)
    assert (made["gain"], made["gain of sounding cells"]) == (0, 0)
    assert made["notes"] == 32


def test_giving_back_the_original_gains_all_that_was_lost():
    original = pieces()[0]
    corrupted = []

    def oracle(states):
        corrupted.append(states)
        return original

    made = means(oracle, pieces(), "anywhere", seed=2)
    lost = np.mean([1 - likeness(states, original).f1 for states in corrupted])
    assert made["gain"] == pytest.approx(lost)
    assert made["gain"] > 0.05
    assert made["density"] == 1


def test_the_way_without_a_machine_needs_none():
    """A note outside the key of a bar and its neighbours goes, and nothing else does."""
    restore, music = WAYS[NO_MACHINE](None, None, [], 0), bars_of_c_major(3)
    np.testing.assert_array_equal(restore(one_more(music, 66, 20, 2)), music)


def test_a_machine_that_knows_nothing_is_tuned_to_leave_the_music_alone():
    """No thresholds gain anything on training music: keeping all and adding nothing is best."""
    machine = small_machine()
    for parameter in machine.parameters():
        parameter.data.zero_()
    restore = WAYS[NO_HIDDEN](None, machine, pieces(), 0)
    np.testing.assert_array_equal(restore(pieces()[0]), pieces()[0])


def test_the_whole_machine_mends_by_its_own_chances():
    """Before training it believes what is given; what it is sure is silent it takes away."""
    machine, states = small_machine(), pieces()[0]
    restore = WAYS["conditional RBM"](None, machine, [], 0)
    with torch.no_grad():
        machine.coupling.zero_(), machine.cells_from_recalled.weight.zero_()
        np.testing.assert_array_equal(restore(states), states)
        machine.cell_bias.fill_(-50.0)
    assert not restore(states).any()
