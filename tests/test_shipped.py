"""What comes with the package: it is what its card says, and it learned."""

import json

import pytest

from musiclib.base.errors import InputError
from musiclib.exploring import shipped
from musiclib.models import name_of
from musiclib.models.checkpoints import load_weights
from musiclib.models.without_learning import CONSTANT
from musiclib.music.note_states import read_note_states
from musiclib.paper.shipping import RUNS, card

CARD = json.loads((shipped.FOLDER / "card.json").read_text())
NAMES = list(RUNS)


def test_every_network_is_there_and_small():
    assert shipped.names() == sorted(RUNS) == sorted(CARD)
    sizes = [path.stat().st_size for path in shipped.FOLDER.rglob("*") if path.is_file()]
    assert sum(sizes) < 6e6


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_of_the_run_that_the_card_tells(name):
    model, run = load_weights(shipped.weights_of(name))
    assert model.config == RUNS[name].model
    assert run["reverse"] == RUNS[name].reverse == ("backwards" in name)
    told = CARD[name]["configuration"]
    assert {key: told[key] for key in run} == run
    assert told["model"]["model"] == name_of(model.config)


@pytest.mark.parametrize("name", ["biaxial", "biaxial-backwards", "lstm"])
def test_networks_learned_more_than_what_needs_no_learning(name):
    without = CARD[name]["without learning"]
    assert CARD[name]["held-out loss"] < min(without.values()) < without[CONSTANT]


def test_the_music_is_that_of_the_card():
    music = shipped.chorales()
    assert {facts["corpus checksum"] for facts in CARD.values()} == {music.checksum}
    assert (len(music.main), len(music.held_out)) == (323, 81)
    assert music.metre == "all"


def test_the_page_is_made_from_the_card():
    assert (shipped.FOLDER / "README.md").read_text(encoding="utf-8") == card(shipped.FOLDER)


def test_pieces_to_hear_have_notes_from_the_first_bar_on():
    for path in shipped.pieces().values():
        states = read_note_states(path, "all")
        assert states[:16].any() and len(states) >= 128


def test_weights_that_are_not_there_end_in_a_sentence_that_names_those_that_are(tmp_path):
    with pytest.raises(InputError, match=r"choose one of biaxial, biaxial-backwards"):
        shipped.weights_of("biaxal")
    with pytest.raises(InputError, match="no file of weights"):
        shipped.weights_of(tmp_path)
    (own := tmp_path / "own.safetensors").touch()
    assert shipped.weights_of(own) == own
