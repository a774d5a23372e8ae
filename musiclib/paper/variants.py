"""The kinds of runs that the paper compares, by name; a name that is not here is refused."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from musiclib.base.errors import InputError
from musiclib.models import computed_in, form_of
from musiclib.paper.profiles import Profile
from musiclib.training.precision import Precision
from musiclib.training.runs import RunConfig

KINDS = ("plain", "curriculum")
PUBLISHED, MODERN = "published", "modern"


class Variant(NamedTuple):
    """How a run differs from a plain one: in its model's configuration, and in the run's."""

    model: Mapping[str, Any] = {}
    run: Mapping[str, Any] = {}


VARIANTS = {
    "plain": Variant(),
    "curriculum": Variant(run={"curriculum": True}),
    "equal budget": Variant(run={"curriculum": True, "equal_budget": True}),
    PUBLISHED: Variant(),  # of each network its own: models.MODELS
    MODERN: Variant(),  # likewise
    "own keys": Variant(run={"normalise": False}),
    "backwards": Variant(run={"reverse": True}),
    "major": Variant(run={"mode": "major"}),
    "minor": Variant(run={"mode": "minor"}),
    "as much as major": Variant(run={"as_much_as": "major"}),
    "bernoulli": Variant(model={"loss": "bernoulli"}),
    "zero biases": Variant(model={"biases": "zero"}),
}


def run_config(
    profile: Profile, model: str, kind: str, seed: int, precision: Precision
) -> RunConfig:
    """The run of a model and a kind in a profile; raises InputError for a kind not in VARIANTS."""
    if kind not in VARIANTS:
        raise InputError(f"unknown kind of run {kind!r}: choose one of {', '.join(VARIANTS)}")
    variant = VARIANTS[kind]
    config = profile.config(model)
    changes = form_of(config, kind) if kind in (PUBLISHED, MODERN) else variant.model
    configured = replace(config, **changes)
    return RunConfig(
        configured,
        seed=seed,
        precision=computed_in(configured, precision),
        held_out_every=profile.held_out_every.get(model, 100),
        held_out_batches=profile.held_out_batches,
        **variant.run,
    )
