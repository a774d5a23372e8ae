"""The form: what its values mean, what it offers, and what it shows; without a browser."""

import base64
import io
import re
from datetime import datetime

import numpy as np
import pytest
import soundfile

from musiclib.base.errors import InputError
from musiclib.exploring import form, trained
from musiclib.exploring.cadences import CADENCES
from musiclib.exploring.panel import Panel, panel
from musiclib.exploring.take import near
from musiclib.exploring.wish import Wish, compose_wish
from musiclib.metrics.plagiarism import Nearest
from musiclib.models import BiaxialConfig, ConditionalRBMConfig, build
from musiclib.models.checkpoints import save_weights
from musiclib.music.key_names import key_named
from musiclib.music.note_states import write_note_states
from musiclib.training.runs import RunConfig

SMALL = BiaxialConfig(time_sizes=(4,), note_sizes=(4,), iterations=20)
AS_OPENED = {
    "weights": "biaxial",
    "direction": form.FORWARD,
    "cadence": "authentic",
    "primer": "none",
    "file": "",
    "key": "",
    "bars": 8,
    "temperature": 1.0,
    "conservativity": form.NOT_SAID,
    "density": form.NOT_SAID,
    "seed": 0,
    "mend": "",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder of runs: one forwards with checkpoints, one backwards, an RBM, and what is none."""
    folder = tmp_path_factory.mktemp("runs")
    network, machine = SMALL, ConditionalRBMConfig(maps=2, reach=(1, 2))
    for name, config, labels in (
        ("biaxial-plain-1-abcdef0123", RunConfig(network, seed=1), ("2", "10", "final")),
        ("biaxial-plain-0-1234567890", RunConfig(network, reverse=True), ("final",)),
        ("conditional-rbm-plain-0-9999999999", RunConfig(machine), ("final",)),
    ):
        for label in labels:
            path = folder / name / f"weights-{label}.safetensors"
            path.parent.mkdir(exist_ok=True)
            save_weights(build(config.model), path, config.describe())
    (folder / "empty").mkdir()
    (folder / "broken").mkdir()
    (folder / "broken" / "weights-final.safetensors").write_bytes(b"no weights")
    return folder


def test_the_form_as_it_opens_means_the_usual_wish():
    assert Panel().fields.values() == AS_OPENED
    assert form.wish_of(AS_OPENED) == Wish()


def test_each_field_reaches_the_wish():
    chosen = {"key": "D major", "bars": 3, "temperature": 1.2, "seed": 5, "mend": "conditional-rbm"}
    chosen |= {"conservativity": "off", "density": 2.5, "primer": form.CORPUS, "weights": "lstm"}
    assert form.wish_of(AS_OPENED | chosen) == Wish(**chosen)


def test_an_ending_takes_the_place_of_a_primer():
    values = AS_OPENED | {"direction": form.ENDING, "primer": form.CORPUS}
    assert form.wish_of(values) == Wish(ending="authentic")
    own = values | {"cadence": form.OWN, "file": " a.mid "}
    assert form.wish_of(own) == Wish(ending="a.mid")
    with pytest.raises(InputError, match="no MIDI file is chosen"):
        form.wish_of(own | {"file": ""})


def test_all_keys_on_offer_can_be_wished():
    keys = {(key.tonic, key.mode) for key in map(key_named, filter(None, form.KEYS.values()))}
    assert len(keys) == 24


def test_what_is_trained_is_found_by_run_and_checkpoint(runs):
    every = {t.label: t for t in trained.trained(runs)}
    run = every["biaxial RNN, 20 iterations, seed 1 (abcd)"]
    assert list(run.files) == ["the end", "10", "2"]
    assert run.files["10"] == str(runs / "biaxial-plain-1-abcdef0123" / "weights-10.safetensors")
    assert not [t for t in every.values() if "broken" in str(t.files)]
    forward = form.networks([*every.values()], form.FORWARD)
    backward = form.networks([*every.values()], form.ENDING)
    assert next(iter(forward.values())).files == {"as shipped": "biaxial"}
    assert next(iter(backward.values())).files == {"as shipped": "biaxial-backwards"}
    assert [t.label for t in backward.values() if "1234" in t.label] and run.label in forward
    machines = list(form.rbms([*every.values()]).values())
    assert machines[:2] == ["", "conditional-rbm"] and "9999999999" in machines[2]


def test_fields_follow_each_other():
    fields = Panel().fields
    fields.direction.value = form.ENDING
    assert fields.weights.value == "biaxial-backwards"
    assert fields.primer.layout.display == "none" and fields.cadence.layout.display is None
    assert fields.upload.layout.display == "none"
    fields.cadence.value = form.OWN
    assert fields.upload.layout.display is None
    fields.direction.value = form.FORWARD
    assert fields.weights.value == "biaxial" and fields.upload.layout.display == "none"
    fields.next.click()
    assert fields.seed.value == 1


def test_an_uploaded_file_is_composed_from(tmp_path):
    board = Panel()
    states = compose_wish(Wish(bars=2)).states
    write_note_states(states, tmp_path / "mine.mid")
    content = memoryview((tmp_path / "mine.mid").read_bytes())
    upload = {"name": "mine.mid", "type": "audio/midi", "size": len(content), "content": content}
    board.fields.upload.value = ({**upload, "last_modified": datetime.now()},)
    board.fields.primer.value, board.fields.bars.value = form.OWN, 2
    board.compose().join()
    assert "primer" in html(board.newest) and "alert" not in board.said.value


def html(output):
    return "".join(shown["data"]["text/html"] for shown in output.outputs)


def test_a_take_can_be_heard_kept_and_compared():
    board = Panel(takes=2)
    board.fields.bars.value, board.fields.seed.value = 4, 3
    board.fields.direction.value = form.ENDING
    board.compose().join()
    [address] = set(re.findall(r'src="data:audio/\w+;base64,([^"]+)"', html(board.newest)))
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(address)))
    assert len(samples) / rate == pytest.approx(8, abs=1) and np.abs(samples).max() > 0.3
    assert html(board.newest).count(address) == 2 and "seed 3" in html(board.newest)
    assert "real music" in html(board.beside) and "earest bar" in html(board.beside)
    for _ in range(2):
        board.fields.next.click()
        board.compose().join()
    assert "seed 5" in html(board.newest)
    folded = html(board.before)
    assert folded.count("<details>") == 1 and "seed 4" in folded and "seed 3" not in folded


def test_what_cannot_be_composed_is_told_in_one_sentence(tmp_path):
    board = Panel()
    board.fields.primer.value = form.OWN
    (tmp_path / "no.mid").write_text("<html>")
    for path in ("", str(tmp_path / "nowhere.mid"), str(tmp_path / "no.mid")):
        board.fields.file.value = path
        board.compose().join()
        assert 'role="alert"' in board.said.value and "Traceback" not in board.said.value
        assert not board.newest.outputs and not board.button.disabled


def test_stop_is_heard_and_the_form_stays_of_use():
    board = Panel()
    board.fields.bars.value = 500
    worker = board.compose()
    assert board.compose() is None and board.button.disabled
    board.halt.click()
    worker.join()
    assert "stopped" in board.said.value and board.halt.disabled
    board.fields.bars.value = 1
    board.compose().join()
    assert board.newest.outputs


def test_making_ready_goes_through_all_that_composing_does():
    board = Panel()
    board.make_ready().join()
    assert "ready" in board.said.value and not board.busy.locked()


def test_without_a_front_end_it_is_a_grid_of_four_players_that_sound():
    page = panel()._repr_html_()
    addresses = re.findall(r'<audio[^>]*src="data:audio/\w+;base64,([^"]+)"', page)
    assert len(set(addresses)) == 4
    for address in addresses:
        assert np.abs(soundfile.read(io.BytesIO(base64.b64decode(address)))[0]).max() > 0.3


def test_the_nearest_bar_in_words():
    found = Nearest(0.625, 2, "bach/bwv10.7.mxl", 0, -3)
    words = "bar 3 has 62% of the notes in common with bar 1 of bach/bwv10.7.mxl, moved by -3"
    assert words in near(found)
    assert "No bar" in near(None)


def test_every_cadence_is_on_offer():
    assert {*CADENCES, form.OWN} == {*Panel().fields.cadence.options.values()}
