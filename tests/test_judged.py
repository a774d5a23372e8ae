"""One piece beside real music: the values are those of the metrics, quickly."""

import numpy as np
import pytest

from musiclib.base.errors import InputError
from musiclib.corpus.sets import Corpus
from musiclib.exploring import shipped
from musiclib.exploring.judged import METRICS, judged, nearest
from musiclib.music.bar_grid import bar_starts
from musiclib.music.transforms import shift


@pytest.fixture(scope="module")
def corpus():
    """Some of the chorales: all take a second more."""
    every = shipped.chorales()
    return Corpus({"main": every.main[:40], "held-out": every.held_out[:20]})


def aligned(piece):
    return piece.states[bar_starts(piece.positions)[0] :]


def row(table, name):
    return table.set_index("metric").loc[name]


def test_a_copied_chorale_is_found_out_in_another_key_too(corpus):
    piece = next(p for p in corpus.main if p.key.tonic == 7)
    stolen = shift(aligned(piece)[32 : 32 + 64], 2)
    found = nearest(stolen, corpus)
    assert found.share == 1.0 and found.training_piece == piece.name
    assert (found.training_bar - found.bar, found.interval) == (2, 2)
    table = judged(stolen, corpus)
    assert row(table, "notes in common with the nearest bar, 0 to 1")["this piece"] == "1.00"
    assert int(row(table, "bars copied in a row")["this piece"]) >= 3


def test_the_table_has_a_row_a_metric_and_real_music_lies_within_its_range(corpus):
    states = aligned(corpus.held_out[0])[:128]
    table = judged(states, corpus)
    assert list(table.columns) == ["metric", "this piece", "real music"]
    assert list(table["metric"]) == list(METRICS)
    density = row(table, "density, notes sounding per step")
    assert density["this piece"] == f"{states[..., 0].sum() / 128:.2f}"
    middle, low, _, high = density["real music"].replace("(", "").replace(")", "").split()
    assert 3 < float(low) <= float(middle) <= float(high) < 8  # four voices, now and then others


def test_noise_has_less_in_common_than_a_chorale(corpus):
    chorale = aligned(corpus.held_out[1])[:128]
    noise = np.random.default_rng(0).permuted(chorale, axis=1)
    values = [
        judged(states, corpus).set_index("metric")["this piece"] for states in (chorale, noise)
    ]
    name = "notes in common with the nearest bar, 0 to 1"
    real, random = (float(value[name]) for value in values)
    assert random < real


def test_silence_is_judged_and_less_than_a_bar_refused(corpus):
    silence = np.zeros((32, 78, 2), np.uint8)
    assert nearest(silence, corpus) is None
    table = judged(silence, corpus)
    assert row(table, "notes in common with the nearest bar, 0 to 1")["this piece"] == "0.00"
    with pytest.raises(InputError, match="15 steps: 16 are the least"):
        judged(silence[:15], corpus)
