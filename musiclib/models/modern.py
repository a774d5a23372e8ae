"""The modern form of each network: what it changes of a configuration (notebook 18).

Learning rates are those of the networks of profile `quick`; wider layers learn more slowly in
proportion, since more units add to every sum that a step changes (Yang et al. 2021).
"""

from typing import Any

from musiclib.models.biaxial import BiaxialConfig
from musiclib.models.lstm import LSTMConfig

BOTH = {"optimiser": "adamw", "warm_up": 20, "cooling": 1.0}


def modern_biaxial(config: BiaxialConfig) -> dict[str, Any]:
    """AdamW at a rate that falls, decay and the mean of weights, no clipping, less dropout."""
    rate = _rate(0.03, 48, max(config.time_sizes))
    new = {"weight_decay": 0.01, "averaging": 0.95, "clip": "none", "dropout": 0.1}
    return {**BOTH, **new, "learning_rate": rate}


def modern_lstm(config: LSTMConfig) -> dict[str, Any]:
    """AdamW at a high rate that falls, and every sample as a target of the Bernoulli loss."""
    rate = _rate(0.005, 64, config.hidden)
    return {**BOTH, "loss": "bernoulli", "targets": "every", "learning_rate": rate}


def _rate(rate: float, units: int, of: int) -> float:
    """The learning rate of layers of so many units, from that of `units`; no higher where fewer."""
    return rate * min(1.0, units / of)
