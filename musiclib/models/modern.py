"""The modern form of each network: what it changes of a configuration (notebook 18).

Learning rates are those of the networks of profile `quick`; wider layers learn more slowly in
proportion, since more units add to every sum that a step changes (Yang et al. 2021).
"""

from typing import Any

from musiclib.models.biaxial import BiaxialConfig
from musiclib.models.lstm import LSTMConfig

BOTH = {
    **{"optimiser": "adamw", "weight_decay": 0.01, "warm_up": 20},
    **{"cooling": 1.0, "averaging": 0.95},
}


def modern_biaxial(config: BiaxialConfig) -> dict[str, Any]:
    """AdamW at a high rate, the mean of weights, open forget gates, no clipping, less dropout."""
    rate = _rate(0.05, 48, max(config.time_sizes))
    new = {"start": "open", "clip": "none", "dropout": 0.1, "learning_rate": rate}
    return {**BOTH, **new}


def modern_lstm(config: LSTMConfig) -> dict[str, Any]:
    """AdamW, the mean of weights, and every sample as a target of the Bernoulli loss."""
    rate = _rate(0.005, 64, config.hidden)
    return {**BOTH, "loss": "bernoulli", "targets": "every", "learning_rate": rate}


def _rate(rate: float, units: int, of: int) -> float:
    """The learning rate of layers of so many units, from that of `units`; no higher where fewer."""
    return rate * min(1.0, units / of)
