"""Computed difficulty against the levels of graded pieces."""

import csv

import numpy as np
import pytest
from scipy.stats import spearmanr

from musiclib.base.files import ROOT
from musiclib.corpus.difficulty import difficulties, traits
from musiclib.music.note_states import read_note_states


def said(x, levels):
    """A rank correlation, two digits as the page has them, and its bootstrap interval."""
    drawn = np.random.default_rng(0).integers(len(x), size=(2000, len(x)))
    again = [spearmanr(x[some], levels[some]).statistic for some in drawn]
    return [f"{value:.2f}" for value in (spearmanr(x, levels).statistic, *interval(again))]


def interval(values):
    return np.percentile(values, [2.5, 97.5])


def ranks(columns):
    """Mean share of pieces that are not harder by each of some columns (pieces, columns)."""
    below = (columns[None] < columns[:, None]).mean(axis=1)
    return (below + (columns[None] <= columns[:, None]).mean(axis=1)).mean(axis=1)


@pytest.mark.shared
def test_difficulty_rises_with_the_levels_of_graded_pieces_as_the_page_says(piano_midi):
    folder = piano_midi.parent / "easy-piano"
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    pieces = [read_note_states(folder / row["path"], "all") for row in rows]
    levels = np.array([int(row["level"]) for row in rows])
    three = np.array([traits(piece) for piece in pieces])
    hard = difficulties(three)
    assert len(pieces) == 80
    assert spearmanr(hard, levels).statistic > 0.7
    means = [hard[levels == level].mean() for level in (1, 2, 3, 4)]
    assert means == sorted(means)

    page = " ".join((ROOT / "docs" / "corpus.md").read_text(encoding="utf-8").split())
    ours, low, high = said(hard, levels)
    assert f"level is {ours}, with a 95 % bootstrap interval over pieces of {low} to {high}" in page
    onsets, sounding, span = (said(column, levels)[0] for column in three.T)
    assert (
        f"range alone reaches {span}, onsets per step {onsets}, notes sounding per step {sounding}"
        in page
    )
    without, low, high = said(ranks(three[:, [0, 2]]), levels)
    assert f"would reach {without} ({low} to {high})" in page
