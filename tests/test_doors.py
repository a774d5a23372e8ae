"""The doors of corpora, weights, numbers and names: each says in a sentence what is wrong.

What is accepted is what numpy, safetensors and Python themselves say.
"""

import json
import math
import os
import re
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
import torch
from hostile import (
    NUMBERS,
    PLACES,
    arrays_of,
    encrypted,
    mutants,
    npy,
    npz,
    other_arrays,
    other_json,
    safetensors_of,
    safetensors_parts,
    with_config,
    with_member,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from strategies import random_states

from musiclib.base import memory
from musiclib.base.errors import InputError
from musiclib.base.typed import Share, built, check, told_of
from musiclib.cli import main
from musiclib.composing import room
from musiclib.composing.compose import piece_seeds
from musiclib.corpus import saved, shards
from musiclib.corpus.encoding import Content, encode
from musiclib.corpus.prepare import prepare
from musiclib.corpus.reading import Wanted, cached
from musiclib.corpus.report import summary
from musiclib.corpus.report_rows import files_of
from musiclib.corpus.sets import Corpus, Piece
from musiclib.corpus.sources import Source
from musiclib.exploring.shipped import CHORALES, PIECES, chorales
from musiclib.exploring.wish import compose_folder, compose_pieces
from musiclib.exploring.wishes import Wish
from musiclib.models import MODELS, LSTMConfig, batches_of, build, describe
from musiclib.models.checkpoints import load_weights, save_weights
from musiclib.paper.profiles import SMOKE
from musiclib.training.runs import RunConfig

HARD = 60  # examples, of cheap ones
A_FILE = min(PIECES.glob("*.mid")).read_bytes()


def piece(seed, bars=True):
    states = random_states(70 + seed, seed, low=20, high=60)
    roll = np.random.default_rng(seed).integers(0, 2, (40, 88), np.uint8)
    positions = (np.arange(len(states)) % 12).astype(np.uint16)
    return Piece(f"{seed}.mid", states, roll, positions if bars else None)


CORPUS = Corpus(
    {"1-easy": [piece(0)], "main": [piece(1), piece(2, bars=False)], "held-out": [piece(3)]},
    short=["a.mid"],
    double={"b.mid": "0.mid"},
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a saved corpus."""
    saved.save(CORPUS, path := tmp_path_factory.mktemp("saved") / "c.npz")
    return path.read_bytes()


def loaded(content, scratch):
    """What is loaded of a file with this content; None where it is refused in a sentence."""
    (path := scratch / "c.npz").write_bytes(content)
    try:
        return saved.load(path)
    except InputError as error:
        assert_a_sentence(str(error), "c.npz")
        return None


def assert_a_sentence(text, *words):
    assert len(text) < 500 and "\n" not in text and "Traceback" not in text
    for word in words:
        assert word in text


def is_music(arrays):
    """Whether these are the arrays of a saved corpus, by numpy alone and one cell at a time."""
    sets, names = (arrays.get(name) for name in ("sets", "names"))
    if sets is None or names is None or {sets.dtype.kind, names.dtype.kind} != {"U"}:
        return False
    if sets.ndim != 1 or sets.shape != names.shape or not {"main", "held-out"} <= set(sets):
        return False
    if len({*zip(sets.tolist(), names.tolist(), strict=True)}) < len(names):
        return False
    known = {"sets", "names", "left_out"}
    for i in range(len(names)):
        states, roll, bars = (arrays.get(f"{kind}{i}") for kind in ("states", "roll", "positions"))
        known |= {f"states{i}", f"roll{i}", f"positions{i}"}
        if states is None or roll is None or {states.dtype, roll.dtype} != {np.dtype("u1")}:
            return False
        if states.ndim != 3 or states.shape[1:] != (78, 2) or roll.shape != (len(roll), 88):
            return False
        if not len(states) or states.max() > 1 or (len(roll) and roll.max() > 1):
            return False
        if (states[..., 1] > states[..., 0]).any():
            return False
        if bars is not None:
            if bars.dtype.newbyteorder("=") != np.uint16 or bars.shape != states.shape[:1]:
                return False
            steps = bars.astype(int).tolist()
            if any(b not in (0, a + 1) for a, b in pairwise(steps)):
                return False
            if steps[0] >= 4080:
                return False
    return known >= set(arrays)


@settings(max_examples=HARD)
@given(data=st.data())
def test_a_corpus_is_loaded_if_its_arrays_are_music_and_is_then_what_numpy_reads(
    whole, scratch, data
):
    content = npz(arrays := data.draw(other_arrays(arrays_of(whole))))
    corpus = loaded(content, scratch)
    fine = is_music(arrays) and arrays.get("left_out", np.zeros(1)).shape == ()
    fine = fine and arrays["left_out"].dtype.kind == "U" and arrays["left_out"].item()[0] == "{"
    assert (corpus is not None) == fine
    if corpus is not None:
        pieces = [piece for pieces in corpus.sets.values() for piece in pieces]
        for i, name in enumerate(arrays["names"].tolist()):
            [one] = [piece for piece in pieces if piece.name == name]
            np.testing.assert_array_equal(one.states, arrays[f"states{i}"])


@settings(max_examples=HARD)
@given(data=st.data())
def test_a_damaged_corpus_is_refused_or_is_what_numpy_reads(whole, scratch, data):
    content = data.draw(mutants(whole))
    if loaded(content, scratch) is not None:
        assert is_music(arrays_of(content))


@settings(max_examples=HARD)
@given(data=st.data())
def test_what_was_left_out_has_its_types_or_is_refused(whole, scratch, data):
    told = data.draw(other_json({**CORPUS.left_out, "skipped": {"c.mid": "it is no MIDI"}}))
    arrays = arrays_of(whole) | {"left_out": np.array(json.dumps(told))}
    corpus = loaded(npz(arrays), scratch)
    right = isinstance(told, dict) and told.keys() <= CORPUS.left_out.keys()
    for kind, of in told.items() if right else ():
        right = right and type(of) is type(getattr(CORPUS, kind))
        right = right and all(isinstance(v, str) for v in (of.values() if type(of) is dict else of))
    assert (corpus is not None) == right
    for kind in told if corpus else ():
        assert corpus.left_out[kind] == told[kind]


STATES = piece(0).states
NAMED = {
    "value 7": ("states0", npy(STATES * 7), "states0: value 7, not 0 or 1"),
    "struck alone": (
        "states0",
        npy(STATES | np.array([0, 1], np.uint8)),
        "states0: step 0 strikes a note",
    ),
    "floats": ("states0", npy(STATES.astype("f4")), "states0: float32 (70, 78, 2), not uint8"),
    "petabytes": ("states0", npy(STATES, shape=(10**13, 78, 2)), "states0: it claims"),
    "objects": ("roll1", npy(STATES, descr="|O"), "roll1: it holds object"),
    "too long": ("roll0", npy(np.zeros((200_001, 88), "u1")), "roll0: 200,001 steps"),
    "no step": ("states0", npy(STATES[:0]), "states0: 0 steps"),
    "no bars": ("positions0", npy(np.arange(70, dtype="u2")[::-1]), "positions0: step 1 has"),
    "bars of others": ("positions0", npy(np.zeros(3, "u2")), "positions0: 3 for 70 steps"),
    "one more": ("weights", npy(STATES), "weights: no array of a corpus"),
    "none held out": ("sets", npy(np.array(["main"] * 4)), "no piece is held out"),
    "none to train on": ("sets", npy(np.array(["held-out"] * 4)), "no piece is to train on"),
    "names are numbers": ("names", npy(np.arange(4)), "names: int64 (4,), not text (any)"),
    "one twice": ("names", npy(np.array(["a"] * 4)), "names: 'a' is there twice in"),
    "not json": ("left_out", npy(np.array("[")), "left_out: no JSON"),
    "deep json": ("left_out", npy(np.array("[" * 10**5)), "left_out: no JSON"),
    "another kind": ("left_out", npy(np.array('{"hidden": []}')), "left_out: 'hidden' is unknown"),
}


@pytest.mark.parametrize("wrong", NAMED)
def test_the_reason_names_the_array(whole, tmp_path, wrong):
    name, data, words = NAMED[wrong]
    (path := tmp_path / "c.npz").write_bytes(with_member(whole, name, data))
    with pytest.raises(InputError, match=re.escape(words)):
        saved.load(path)


def test_an_encrypted_corpus_and_one_of_pickles_are_refused(whole, scratch):
    assert loaded(encrypted(whole), scratch) is None
    pickles = arrays_of(whole)
    pickles["names"] = pickles["names"].astype(object)
    assert loaded(npz(pickles), scratch) is None


def test_more_pieces_than_fit_into_memory_are_refused_before_they_are_read(whole, tmp_path):
    (path := tmp_path / "c.npz").write_bytes(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("musiclib.base.arrays.free_bytes", lambda: 100_000)
        with pytest.raises(
            InputError, match=r"not in \.shards, it takes 5\d\.\d kB, and 100\.0 kB"
        ):
            saved.load(path)


def test_what_cannot_be_loaded_is_not_saved(tmp_path):
    for wrong in (
        {"states": STATES * 7},
        {"roll": piece(0).roll.astype(float)},
        {"positions": np.full(70, 3, np.uint16)},
    ):
        sets = CORPUS.sets | {"main": [piece(1), piece(2)._replace(**wrong)]}
        with pytest.raises(InputError, match=r"2\.mid: not music that can be saved \("):
            saved.save(Corpus(sets), tmp_path / "c.npz")
    assert list(tmp_path.iterdir()) == []


def test_what_was_saved_before_is_loaded_as_numpy_reads_it():
    truth = arrays_of(CHORALES.read_bytes())
    pieces = [piece for pieces in chorales().sets.values() for piece in pieces]
    for i in range(0, len(pieces), 10):
        [one] = [p for p in pieces if p.name == truth["names"][i]]
        for kind in ("states", "roll", "positions"):
            np.testing.assert_array_equal(getattr(one, kind), truth[f"{kind}{i}"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus in shards."""
    shards.write(CORPUS, place := tmp_path_factory.mktemp("shards") / "c.shards")
    return place


@settings(max_examples=HARD)
@given(data=st.data())
def test_an_index_of_shards_is_as_it_was_or_refused(folder, data):
    whole = (folder / "index.npz").read_bytes()
    arrays = arrays_of(whole)
    other = data.draw(other_arrays(arrays))
    if data.draw(st.booleans()):
        told = data.draw(other_json(json.loads(arrays["about"].item())))
        other = arrays | {"about": np.array(json.dumps(told))}
    (folder / "index.npz").write_bytes(npz(other))
    try:
        corpus = shards.read(folder)
        for pieces in corpus.sets.values():
            for one in pieces:
                assert np.asarray(one.states).shape == (len(one.states), 78, 2)
                assert one.positions is None or len(one.positions) == len(one.states)
                assert one.key and len(one.traits) == 3
        assert corpus.complaints() is not None
    except InputError as error:
        assert_a_sentence(str(error), "c.shards")
    finally:
        (folder / "index.npz").write_bytes(whole)


# Weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The bytes of weights of each model, by name."""
    folder, made = tmp_path_factory.mktemp("weights"), {}
    for name in MODELS:
        config = SMOKE.config(name)
        path = folder / f"{name}.safetensors"
        save_weights(build(config), path, RunConfig(config).describe())
        made[name] = path.read_bytes()
    return made


def load(content, scratch):
    (path := scratch / "w.safetensors").write_bytes(content)
    try:
        return load_weights(path)
    except InputError as error:
        assert_a_sentence(str(error), "w.safetensors")
        return None


def config_of(content):
    return json.loads(safetensors_parts(content)[0]["__metadata__"]["config"])


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_those_of_safetensors_and_leave_chance_as_it_was(weights, scratch, name):
    torch.manual_seed(3)
    build(SMOKE.config(name))
    once = torch.rand(3)
    torch.manual_seed(3)
    model, run = load(weights[name], scratch)
    torch.testing.assert_close(torch.rand(3), once, rtol=0, atol=0)
    assert describe(model.config) | {"model": name} == config_of(weights[name])["model"] | {
        k: tuple(v) for k, v in config_of(weights[name])["model"].items() if isinstance(v, list)
    }
    assert run["seed"] == 0
    with safe_open(scratch / "w.safetensors", "pt") as stored:
        for key, tensor in model.state_dict().items():
            torch.testing.assert_close(tensor, stored.get_tensor(key), rtol=0, atol=0)


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=HARD)
@given(data=st.data())
def test_a_configuration_is_as_it_was_written_or_refused(weights, scratch, name, data):
    config = data.draw(other_json(config_of(weights[name])))
    found = load(with_config(weights[name], config), scratch)
    if found:
        model, run = found
        assert type(model) is MODELS[config["model"]["model"]].model
        for key, value in told_of(model.config).items():
            assert (list(value) if isinstance(value, tuple) else value) == config["model"][key]
            assert type(value) is not bool or type(config["model"][key]) is bool
            assert not isinstance(value, float) or math.isfinite(value)
            assert not isinstance(value, int) or 0 <= value <= 10**9
        assert {type(run[key]) for key in ("normalise", "reverse", "curriculum")} == {bool}


@settings(max_examples=HARD)
@given(data=st.data())
def test_damaged_weights_are_refused_or_are_those_of_safetensors(weights, scratch, data):
    if found := load(data.draw(mutants(weights["lstm"])), scratch):
        with safe_open(scratch / "w.safetensors", "pt") as stored:
            for key, tensor in found[0].state_dict().items():
                assert torch.equal(tensor, stored.get_tensor(key))


def test_weights_of_half_precision_are_loaded(weights, tmp_path):
    model, run = load(weights["lstm"], tmp_path)
    run = run | {"model": describe(model.config)}
    save_weights(model.half(), tmp_path / "half.safetensors", run)
    for key, tensor in load_weights(tmp_path / "half.safetensors")[0].state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, model.state_dict()[key].float())


def changed(content, **changes):
    """Weights with a few fields of their model's configuration changed."""
    config = config_of(content)
    return with_config(content, config | {"model": config["model"] | changes})


CONFIGURED = {
    "a word for a number": ({"hidden": "16"}, "hidden: '16', not a whole number"),
    "truth for a number": ({"hidden": True}, "hidden: True, not a whole number"),
    "negative": ({"window": -1}, "window: -1, not from 1"),
    "huge": ({"hidden": 10**30}, "hidden: 1000000000"),
    "large": ({"hidden": 10**6}, r"lstm.weight_ih_l0: float32 (64, 88), not float32 (4000000, 88)"),
    "nan": ({"learning_rate": math.nan}, "learning_rate: nan"),
    "unknown word": ({"loss": "other"}, "loss: 'other', not one of categorical, bernoulli"),
    "unknown field": ({"layers": 2}, "'layers': unknown to LSTMConfig"),
    "null": ({"dropout": None}, "dropout: None, not a number"),
    "not a list": ({"checkpoints": 3}, "checkpoints: 3, not a list of whole numbers"),
    "fractions": ({"checkpoints": [1, 2.5]}, "checkpoints: 2.5, not a whole number"),
    "another model": ({"model": "gru"}, "model: 'gru', not one of lstm, biaxial"),
    "no model": ({"model": ["lstm"]}, "model: ['lstm'], not one of"),
}


@pytest.mark.parametrize("wrong", CONFIGURED)
def test_a_wrong_configuration_is_told_by_its_field(weights, tmp_path, wrong):
    changes, words = CONFIGURED[wrong]
    (path := tmp_path / "w.safetensors").write_bytes(changed(weights["lstm"], **changes))
    with pytest.raises(InputError, match=re.escape(words)):
        load_weights(path)


@pytest.mark.parametrize("missing", ["normalise", "reverse", "seed", "curriculum", "mode", "model"])
def test_a_run_that_is_not_described_is_refused(weights, tmp_path, missing):
    config = {key: v for key, v in config_of(weights["lstm"]).items() if key != missing}
    for described in (config, config | {missing: "no"}, [config], "{", "NaN"):
        (path := tmp_path / "w.safetensors").write_bytes(with_config(weights["lstm"], described))
        with pytest.raises(InputError, match=r"w\.safetensors: not weights saved by musiclib"):
            load_weights(path)


@pytest.mark.parametrize("how", ["missing", "one more", "other shape", "other dtype", "nan", "inf"])
def test_other_tensors_are_refused_by_name(weights, tmp_path, how):
    header, data = safetensors_parts(weights["lstm"])
    bias = header["dense.bias"]
    if how == "missing":
        header["other"] = header.pop("dense.bias")
    elif how == "one more":
        end = len(data)
        header["other"] = {"dtype": "U8", "shape": [1], "data_offsets": [end, end + 1]}
        data += b"\0"
    elif how == "other shape":
        bias["shape"] = [2, 44]
    elif how == "other dtype":
        bias["dtype"] = "I32"
    else:
        at = bias["data_offsets"][0]
        data = data[:at] + np.float32(how).tobytes() + data[at + 4 :]
    (path := tmp_path / "w.safetensors").write_bytes(safetensors_of(header, data))
    words = "not numbers" if how in ("nan", "inf") else r"\((dense\.bias|other): "
    with pytest.raises(InputError, match=words):
        load_weights(path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "empty"])
def test_weights_are_a_regular_file(tmp_path, kind):
    path = tmp_path / "w.safetensors"
    {"folder": path.mkdir, "empty": path.touch}.get(
        kind, lambda: os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    )()
    with pytest.raises(InputError, match=r"w\.safetensors: not weights"):
        load_weights(path)


@dataclass(frozen=True)
class OwnConfig:
    """The configuration of a network of one's own."""

    layers: int = 1
    hidden: int = 4
    share: Share = 0.5
    offset: float = -3.5
    kind: Literal["a", "b"] = "a"
    sizes: tuple[int, int] = (1, 2)
    more: str | None = None
    iterations: int = 1


class Own(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(config.hidden, config.hidden) for _ in range(config.layers)
        )
        self.register_buffer("at", torch.arange(3.0), persistent=False)


@pytest.fixture
def own(monkeypatch, tmp_path):
    """Weights of a network of one's own."""
    monkeypatch.setitem(MODELS, "own", replace_model(MODELS["lstm"]))
    path = tmp_path / "own.safetensors"
    save_weights(build(OwnConfig()), path, RunConfig(OwnConfig()).describe())
    return path


def replace_model(kind):
    return kind._replace(config=OwnConfig, model=Own, published={})


def test_a_network_of_ones_own_is_looked_at_as_well(own):
    content = own.read_bytes()
    model, _ = load_weights(own)
    assert model.config == OwnConfig() and model.at.tolist() == [0, 1, 2]
    for wrong in (
        *({"layers": 10**9}, {"hidden": 10**6}, {"layers": "1"}, {"share": 1.5}, {"kind": "c"}),
        *({"offset": math.inf}, {"sizes": [1]}, {"sizes": [1, 2, 3]}, {"more": 3}),
    ):
        own.write_bytes(changed(content, **wrong))
        with pytest.raises(InputError, match=r"own\.safetensors: not weights"):
            load_weights(own)
    own.write_bytes(changed(content, offset=-1, more="some", sizes=[3, 4]))
    assert load_weights(own)[0].config.sizes == (3, 4)


@given(st.dictionaries(st.sampled_from(sorted(asdict(LSTMConfig()))), st.none() | st.integers()))
def test_a_dataclass_is_built_of_all_its_fields_and_no_others(values):
    whole = asdict(LSTMConfig())
    assume(values.keys() != whole.keys())
    with pytest.raises(ValueError, match="it is not said"):
        built(LSTMConfig, values)
    with pytest.raises(ValueError, match="unknown"):
        built(LSTMConfig, whole | {"x": 1})
    assert built(LSTMConfig, json.loads(json.dumps(whole))) == LSTMConfig()
    check(LSTMConfig())


# Numbers


@pytest.mark.parametrize("seed", [-1, 2**32, 2**64, 10**30, 1.5, True, "3", None, math.nan])
def test_seeds_have_one_range_everywhere(seed):
    for made in (lambda: Wish(seed=seed), lambda: RunConfig(LSTMConfig(), seed=seed)):
        with pytest.raises(InputError, match="seed"):
            made()


def test_the_largest_seed_is_one():
    assert Wish(seed=2**32 - 1).seed == RunConfig(LSTMConfig(), seed=2**32 - 1).seed
    assert len(set(piece_seeds(2**32 - 1, 5))) == 5


@given(
    st.dictionaries(
        st.sampled_from(["bars", "bar", "temperature", "density", "conservativity", "seed", "key"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just([1])),
    )
)
def test_whatever_is_wished_is_a_wish_or_refused_in_a_sentence(values):
    try:
        wish = Wish(**values)
    except InputError as error:
        assert str(error)
        return
    assert 1 <= wish.steps <= 200_000 and 0 <= wish.seed < 2**32
    assert 0.01 <= wish.temperature <= 100
    assert wish.density is None or 0.1 <= wish.density <= 30


@pytest.mark.parametrize("count", [0, -1, 10**9, 10**12, 10**40, 2.5, True, "3", None, math.nan])
def test_pieces_that_do_not_fit_are_refused_with_how_many_do(count, tmp_path):
    for made in (
        lambda: compose_pieces(Wish(), count),
        lambda: compose_folder(Wish(), tmp_path / "new", count),
    ):
        with pytest.raises(InputError, match=r"(fit into the|ask for at least one)"):
            made()
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, 2**40), st.integers(1, 200_000))
def test_as_many_pieces_as_are_said_to_fit_take_no_more_than_is_free(free, steps):
    most = room._most(free, steps)

    def taken(pieces):
        return room.A_STEP * steps * (room.KEPT * pieces + room.AT_WORK * min(pieces, 25))

    assert taken(most) <= free < taken(most + 1)


def test_memory_is_there():
    assert 10**6 < memory.free_bytes() < 10**15


COUNTED = ("--pieces", "--bars", "--bar", "--seed", "--density", "--temperature")
COMMANDS = [
    *((("compose", "--weights", "none", "--out", "new"), name) for name in COUNTED),
    (("compose", "--weights", "none", "--out", "new"), "--conservativity"),
    *((("train", "none"), n) for n in ("--seed", "--iterations", "--learning-rate", "--processes")),
    (("train", "none"), "--level-iterations"),
    *((("runs", "--profile", "none"), n) for n in ("--seeds", "--task", "--workers")),
    *((("runs", "--profile", "none", "--start"), n) for n in ("--piece", "--stop-after")),
    *(((name, "none", "none"), "--seed") for name in ("isl", "evaluate")),
    (("notebook", "check", "--profile", "none"), "--seeds"),
    (("keep", "--profile", "none"), "--seeds"),
    (("affordable", "--none"), "--seeds"),
]
PLACED = [
    *((("compose", "--bars", "1"), n) for n in ("--weights", "--primer", "--ending", "--mend")),
    *((("compose", "--out", "x.mid"), name) for name in ("--audio", "--corpus")),
    (("compose", "--weights", "none"), "--out"),
    *(((name, "folder"), None) for name in ("isl", "evaluate")),
    (("mend", "conditional-rbm", "folder"), None),
    (("mend", "conditional-rbm"), None),
    (("corpus", "--no-minutes"), None),
    *((("corpus", "none"), name) for name in ("--save", "--table", "--pictures")),
    (("notebook", "check", "--profile", "none"), "--stamp"),
    (("notebook", "01-corpus"), "--stamp"),
    (("notebook",), None),
    *((("train", "lstm", "--profile", "none"), name) for name in ("--corpus", "--runs")),
]
UNSAID = ("--weights", "--primer", "--ending", "--mend", "--corpus")


def place(option, text):
    """A path as an option or an argument."""
    return [f"{option}={text}"] if option else ["--", text]


def ends(arguments):
    """The status of a command that ends with one sentence."""
    try:
        main(arguments)
    except SystemExit as ended:
        return ended.code
    return 0


def assert_one_line(code, capsys):
    """What is said last is one line, and says that it went wrong."""
    said = capsys.readouterr().err if isinstance(code, int) else f"{code}\n"
    assert code not in (0, None)
    assert said.splitlines()[-1].startswith("musiclib: ") and len(said) < 3000
    assert "Traceback" not in said


def is_number(text):
    """Whether Python takes it for a number that any command may have."""
    try:
        return math.isfinite(float(text)) and 0 <= float(text) <= 2**32
    except (ValueError, OverflowError):
        return False


@pytest.mark.parametrize(("command", "option"), COMMANDS, ids=lambda x: x if type(x) is str else "")
def test_a_number_is_taken_or_refused_in_one_line(command, option, capsys, tmp_path):
    @given(NUMBERS)
    def each(text):
        code = ends([*command, f"{option}={text}"])
        assert_one_line(code, capsys)
        if not is_number(text):
            assert code == 2 or option[2:] in str(code).lower()

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        each()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("command", "option"), PLACED, ids=lambda x: x if type(x) is str else "")
def test_a_place_of_the_wrong_kind_ends_in_one_line(command, option, capsys, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.mid").write_bytes(b"<html>404</html>")
    before = sorted(tmp_path.iterdir())

    @given(PLACES)
    def each(text):
        assume(text or (option not in UNSAID and command[0] != "corpus"))  # what is left out
        assert_one_line(ends([*command, *place(option, text)]), capsys)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        each()
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "option", ["--piec", "--piece=3", "--see=3", "--weight=lstm", "--no-such", "-x", "--Seed=3"]
)
def test_abbreviated_and_unknown_options_are_refused(option, capsys, tmp_path):
    assert ends(["compose", option, "--out", str(tmp_path / "x.mid")]) == 2
    assert option.split("=")[0] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def odd(states=200, roll=120, silent=False):
    """Five pieces that no folder of MIDI files gives, one of them held out."""
    made = []
    for seed in range(5):
        notes = np.zeros((states, 78, 2), np.uint8) if silent else random_states(states, seed, 0.1)
        keys = np.random.default_rng(seed).integers(0, 1 + (not silent), (roll, 88), np.uint8)
        made.append(Piece(" " * seed, notes, keys))
    return Corpus({"main": made[1:], "held-out": made[:1]})


ODD = {"silent": odd(silent=True), "one step": odd(1, 1), "no roll": odd(roll=0)}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("model", MODELS)
def test_of_an_odd_corpus_batches_are_drawn_or_it_is_refused(tmp_path, kind, model):
    saved.save(ODD[kind], tmp_path / "odd.npz")
    corpus = saved.load(tmp_path / "odd.npz")
    for reverse in (False, True):
        music = prepare(corpus, normalise=True, reverse=reverse)
        try:
            for batches in (batches_of(SMOKE.config(model), s) for s in music.sets.values()):
                assert len(batches.draw(0, torch.Generator().manual_seed(0))[0])
                assert batches.every(2)
        except InputError as error:
            assert_a_sentence(str(error))
    summary(corpus, files_of(corpus))


def test_a_curriculum_without_levels_is_refused(tmp_path):
    saved.save(Corpus({n: s for n, s in CORPUS.sets.items() if n != "1-easy"}), tmp_path / "c.npz")
    place = "--corpus", str(tmp_path / "c.npz"), "--runs", str(tmp_path / "runs")
    code = ends(["train", "lstm", "--profile", "smoke", "--curriculum", *place])
    assert_a_sentence(code, "--curriculum", "has no levels")


@given(other_arrays(arrays_of(encode(Content(A_FILE, ".mid", metre="all")))))
def test_what_the_cache_has_is_whole_or_counts_as_absent(scratch, arrays):
    (path := scratch / "entry.npz").write_bytes(npz(arrays))
    job = Wanted(Source("a", path), Content(A_FILE, ".mid", metre="all"), path)
    if (entry := cached(job)) is not None:
        assert entry.states.shape == (entry.facts.steps, 20)
        assert entry.roll.shape == (entry.facts.samples, 11)
        assert entry.positions.shape == (entry.facts.steps,)


def test_a_corpus_whose_pieces_share_a_name_cannot_be_saved(tmp_path):
    piece = Piece("a", STATES, np.zeros((35, 88), np.uint8))
    twice = Corpus({"main": [piece, piece], "held-out": [piece]})
    for write, name in ((saved.save, "c.npz"), (shards.write, "c.shards")):
        with pytest.raises(InputError, match=r"'a' is there twice in 'main': it cannot be saved"):
            write(twice, tmp_path / name)
    assert not list(tmp_path.iterdir())
