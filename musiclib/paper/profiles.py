"""How large everything is: `paper` as published, `quick` and `smoke` scaled down."""

from dataclasses import dataclass
from typing import Any

from musiclib.base.errors import InputError
from musiclib.models import (
    MODELS,
    BiaxialConfig,
    ConditionalRBMConfig,
    LSTMConfig,
    RBMConfig,
    RollBiaxialConfig,
)

PUBLISHED_SIZE = BiaxialConfig()
FIGURE_5 = (1000, 5000, 9500)


@dataclass(frozen=True)
class Profile:
    """Sizes of corpus, models, training and composing."""

    name: str
    cost: str
    scores_per_group: int | None
    lstm: LSTMConfig
    biaxial: BiaxialConfig
    rbm: RBMConfig
    conditional_rbm: ConditionalRBMConfig
    biaxial_roll: RollBiaxialConfig
    pieces: int
    steps: int
    held_out_batches: int
    plateau: tuple[int, int]  # iterations of a trial of notebook 12, and of its held-out losses
    held_out_every: dict[str, int]

    def config(self, model: str) -> Any:
        """The configuration of a model of `MODELS`; its own default where the profile has none."""
        if model not in MODELS:
            raise InputError(f"unknown model {model!r}: choose one of {', '.join(MODELS)}")
        return getattr(self, model.replace("-", "_"), None) or MODELS[model].config()

    @property
    def figure_5(self) -> tuple[int, ...]:
        """The checkpoints of Figure 5: published 1000, 5000 and 9500 of 10,000 iterations."""
        return tuple(_scaled(iteration, self.biaxial.iterations) for iteration in FIGURE_5)


def published_iteration(checkpoint: int, config: BiaxialConfig) -> int:
    """The published iteration that a checkpoint of a scaled run stands for."""
    return round(checkpoint * PUBLISHED_SIZE.iterations / config.iterations)


def _scaled(iteration: int, iterations: int) -> int:
    return iteration * iterations // PUBLISHED_SIZE.iterations


def _biaxial(iterations: int, **sizes: object) -> BiaxialConfig:
    """A smaller biaxial RNN, its levels and checkpoints at the published shares of training."""
    return BiaxialConfig(
        iterations=iterations,
        level_iterations=_scaled(PUBLISHED_SIZE.level_iterations, iterations),
        checkpoints=tuple(_scaled(c, iterations) for c in PUBLISHED_SIZE.checkpoints),
        **sizes,
    )


PAPER = Profile(
    name="paper",
    cost="sizes and iterations as published: hours on a GPU, weeks without one",
    scores_per_group=None,
    lstm=LSTMConfig(),
    biaxial=PUBLISHED_SIZE,
    rbm=RBMConfig(),
    conditional_rbm=ConditionalRBMConfig(iterations=10_000),
    biaxial_roll=RollBiaxialConfig(iterations=5_000),
    pieces=25,
    steps=1280,
    held_out_batches=8,
    plateau=(1500, 20),
    held_out_every={
        "lstm": 250,
        "biaxial": 100,
        "rbm": 500,
        "conditional-rbm": 500,
        "biaxial-roll": 100,
    },
)
QUICK = Profile(
    name="quick",
    cost="scaled down, about an hour on 2 cores: its claims are as weak as its scale",
    scores_per_group=48,
    lstm=LSTMConfig(hidden=64, level_iterations=100),
    biaxial=_biaxial(600, time_sizes=(48, 48), note_sizes=(32, 16), batch=5, segment=32),
    rbm=RBMConfig(iterations=300, checkpoints=(3, 30, 300)),
    conditional_rbm=ConditionalRBMConfig(iterations=300, segment=512),
    biaxial_roll=RollBiaxialConfig(iterations=600),
    pieces=25,
    steps=320,
    held_out_batches=8,
    plateau=(120, 20),
    held_out_every={
        "lstm": 250,
        "biaxial": 50,
        "rbm": 100,
        "conditional-rbm": 100,
        "biaxial-roll": 50,
    },
)
SMOKE = Profile(
    name="smoke",
    cost="minutes: shows that everything runs, its numbers mean nothing",
    scores_per_group=6,
    lstm=LSTMConfig(hidden=16, level_iterations=3, checkpoints=(1, 2, 3)),
    biaxial=_biaxial(20, time_sizes=(12, 12), note_sizes=(8, 6), batch=2, segment=32),
    rbm=RBMConfig(hidden=30, batch=20, iterations=20, checkpoints=(2, 6, 20)),
    conditional_rbm=ConditionalRBMConfig(maps=4, reach=(2, 12), segment=128, iterations=20),
    biaxial_roll=RollBiaxialConfig(
        time_sizes=(8, 8), note_sizes=(6, 6), segment=32, iterations=20, warm_up=5
    ),
    pieces=3,
    steps=64,
    held_out_batches=2,
    plateau=(4, 2),
    held_out_every={"lstm": 10, "biaxial": 5, "rbm": 10, "conditional-rbm": 10, "biaxial-roll": 5},
)
PROFILES = {profile.name: profile for profile in (SMOKE, QUICK, PAPER)}


def profile(name: str) -> Profile:
    """The profile of a name; raises InputError for an unknown one."""
    if name not in PROFILES:
        raise InputError(f"unknown profile {name!r}: choose one of {', '.join(PROFILES)}")
    return PROFILES[name]
