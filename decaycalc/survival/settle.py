"""Settle: where the weights of normalised layers are predicted to come to rest."""

from fractions import Fraction

from decaycalc.algebra.number import finite
from decaycalc.conventions.record import SGD, Coupling
from decaycalc.conversion.side import Side, shrink_of, strength_of
from decaycalc.survival.equilibrium import (
    Equilibrium,
    adamw_equilibrium,
    lion_equilibrium,
    sgd_equilibrium,
)

# Below it the number of steps to come to rest is next to the end of float64.
_LEAST_SHRINK = 1e-300


def settle(side: Side, value: Fraction) -> Equilibrium | None:
    """Return the predicted equilibrium at peak lr; None where no model covers the optimizer.

    Covered are AdamW, Lion and SGD, coupled or not, with a known lr and a decay whose steps a
    float64 can count.
    """
    lr = side.get("lr")
    record = side.convention
    if lr is None or not value or (side.has_shrink and shrink_of(side, value) < _LEAST_SHRINK):
        return None
    decoupled = record.coupling == Coupling.DECOUPLED
    if decoupled and record.optimizer in {"adam", "lion"}:
        predict = adamw_equilibrium if record.optimizer == "adam" else lion_equilibrium
        return predict(float(lr), finite(shrink_of(side, value) / lr, "weight decay"))
    strength = strength_of(side, value) if record.optimizer == SGD else None
    if not strength:
        return None
    momentum = float(side.get("momentum") or 0)
    return sgd_equilibrium(float(lr), finite(strength, "strength"), momentum=momentum)
