"""The table of experiments names what is there, and everything that is there is named in it."""

import pytest

from musiclib.models import MODELS
from musiclib.paper import notebooks
from musiclib.paper.claims import CLAIMS
from musiclib.paper.comparisons import COMPARISONS
from musiclib.paper.experiments import EXPERIMENTS
from musiclib.paper.variants import VARIANTS

ANSWERED = {name for experiment in EXPERIMENTS.values() for name in experiment.comparisons}


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda e: e.name)
def test_what_an_experiment_names_is_there(experiment):
    assert experiment.comparisons and set(experiment.comparisons) <= COMPARISONS.keys()
    assert experiment.notebook in notebooks.names()
    assert set(experiment.kinds) <= VARIANTS.keys()
    assert experiment.model in MODELS if experiment.kinds else not experiment.model


def test_every_comparison_answers_an_experiment_and_once():
    assert COMPARISONS.keys() == ANSWERED
    listed = [name for experiment in EXPERIMENTS.values() for name in experiment.comparisons]
    assert len(listed) == len(set(listed))


def test_what_tests_a_claim_answers_an_experiment():
    for claim in CLAIMS:
        assert {*claim.tests, *claim.beside} <= ANSWERED, claim.name


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda e: e.name)
def test_an_experiments_comparisons_are_of_its_kinds(experiment):
    """Numbers that are named by model and kind: the runs that make them are the experiment's."""
    sides = [side for name in experiment.comparisons for side in
             (COMPARISONS[name].first, COMPARISONS[name].second)]  # fmt: skip
    kinds = {kind for model, kind, *_ in sides if model == experiment.model}
    assert kinds <= set(experiment.kinds)
