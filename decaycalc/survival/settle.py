"""Settle: where the weights of normalised layers are predicted to come to rest."""

from fractions import Fraction

from decaycalc.bridge import Side, shrink_of, strength_of
from decaycalc.convention import SGD, Coupling
from decaycalc.equilibrium import (
    Equilibrium,
    adamw_equilibrium,
    lion_equilibrium,
    sgd_equilibrium,
)


def settle(side: Side, value: Fraction) -> Equilibrium | None:
    """Return the predicted equilibrium at peak lr; None where no model covers the optimizer.

    Covered are AdamW, Lion and SGD, coupled or not, with a positive decay and a known lr.
    """
    lr = side.get("lr")
    record = side.convention
    if lr is None or not value:
        return None
    decoupled = record.coupling == Coupling.DECOUPLED
    if decoupled and record.optimizer in {"adam", "lion"}:
        predict = adamw_equilibrium if record.optimizer == "adam" else lion_equilibrium
        return predict(float(lr), float(shrink_of(side, value) / lr))
    strength = strength_of(side, value) if record.optimizer == SGD else None
    if not strength:
        return None
    return sgd_equilibrium(float(lr), float(strength), momentum=float(side.get("momentum") or 0))
