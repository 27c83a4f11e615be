"""Predicted equilibrium of the weights of normalised layers: size, rotation per step, relaxation.

A layer followed by a normalisation does not care about the size of its weights, so decay does not
shrink them to 0: it balances the growth that steps at right angles to the weights cause. These are
predictions of a random-walk model for such layers at a constant lr, good to a few percent; for
other layers they mean nothing.

Notation: `lr`, `decay` the coefficient that lr multiplies (lr*decay is the shrink), `n_weights` C
the weights of a tensor or of several that settle alike, `norm` their Euclidean norm,
`rms = norm/sqrt(C)`.

Source: Kosson et al., arXiv 2305.17212 and its code epfml/REQ, shared/optimizers (rotation); Su,
kexue.fm 11307 and 11404 (AdamW's RMS and its transient); norms of Lion and Muon derived and
checked by simulation.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from decaycalc.algebra.number import finite, ratio
from decaycalc.conventions.muon import MUON_RMS, RMS_MATCHED, is_muon
from decaycalc.conventions.record import SGD, Coupling
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError
from decaycalc.survival.documents import EquilibriumJson

# Below it the number of steps to come to rest is next to the end of float64.
_LEAST_SHRINK = 1e-300
_MUON_MOMENTUM = 0.95
_MUON_RANGE = "a simulation's RMS is 0.78 to 1.0 of it (from 0.73 with Nesterov)"
_MUON_SHRINK = 0.01  # the largest that was simulated


@dataclass(frozen=True, slots=True, kw_only=True)
class Equilibrium:
    """A predicted equilibrium of a normalised layer's weights; None: not predicted from this.

    `rms` of the weights, `norm` of all the weights that the run counts as decayed (SGD's depends on
    the gradients, which no run tells), `rotation` in radians per step, `relaxation_steps` the time
    in which the size settles; `setting` names what the rotation depends on besides.
    """

    rms: float | None
    norm: float | None
    rotation: float
    relaxation_steps: float
    setting: str = ""

    @property
    def label(self) -> str:
        """What to write beside these numbers."""
        general = "prediction for normalised layers at a constant lr"
        return f"{general}, {self.setting}" if self.setting else general

    def to_dict(self) -> EquilibriumJson:
        """Return the equilibrium as JSON holds it, labelled."""
        return {
            "rms": self.rms,
            "norm": self.norm,
            "rotation": self.rotation,
            "relaxation_steps": self.relaxation_steps,
            "setting": self.setting,
            "label": self.label,
        }


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise InvalidValueError(name, value, "must be positive")


def _betas(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < 1:
            raise InvalidValueError(name, value, "must be at least 0 and below 1")


def adamw_rms(lr: float, shrink: float) -> float | None:
    """Return the RMS at which AdamW keeps weights, `lr/sqrt(2*shrink)`.

    None beyond float64, and where a step takes the whole weight: nothing settles then.
    """
    return ratio(lr, math.sqrt(2 * shrink)) if shrink < 1 else None


def _norm(rms: float | None, n_weights: float | None) -> float | None:
    if rms is None or n_weights is None:
        return None
    return ratio(rms * math.sqrt(n_weights), 1.0)


def adamw_equilibrium(
    lr: float, decay: float, *, beta1: float = 0.9, n_weights: float | None = None
) -> Equilibrium:
    """Return AdamW's equilibrium: rms `sqrt(lr/(2*decay))`.

    Rotation `sqrt(2*lr*decay*(1 - beta1)/(1 + beta1))`, relaxation `1/(2*lr*decay)`.

    >>> adamw_equilibrium(1e-3, 0.05).rms
    0.1

    Raises:
        InvalidValueError: A value that is not positive, or beta1 outside 0 to 1.
    """
    _positive(lr=lr, decay=decay)
    _betas(beta1=beta1)
    rms = adamw_rms(lr, lr * decay)
    return Equilibrium(
        rms=rms,
        norm=_norm(rms, n_weights),
        rotation=math.sqrt(2 * (lr * decay) * (1 - beta1) / (1 + beta1)),
        relaxation_steps=1 / (2 * (lr * decay)),
        setting=f"beta1 = {beta1:g}",
    )


def sgd_equilibrium(lr: float, decay: float, *, momentum: float = 0.0) -> Equilibrium:
    """Return the equilibrium of SGD with momentum and L2: rotation `sqrt(2*lr*decay/(1 + m))`.

    Relaxation `(1 - m)/(4*lr*decay)`; the norm depends on the gradients.

    Raises:
        InvalidValueError: A value that is not positive, or momentum outside 0 to 1.
    """
    _positive(lr=lr, decay=decay)
    _betas(momentum=momentum)
    return Equilibrium(
        rms=None,
        norm=None,
        rotation=math.sqrt(2 * (lr * decay) / (1 + momentum)),
        relaxation_steps=(1 - momentum) / (4 * (lr * decay)),
    )


def lion_equilibrium(
    lr: float,
    decay: float,
    *,
    beta1: float = 0.9,
    beta2: float = 0.99,
    n_weights: float | None = None,
) -> Equilibrium:
    """Return Lion's equilibrium: norm `lr*sqrt(C)/rotation`, 4 % too large at beta2 = 0.99.

    Rotation `sqrt(pi*lr*decay)*sqrt((1 - beta1)^2 + beta1^2*(1 - beta2)/(1 + beta2))`.

    Raises:
        InvalidValueError: A value that is not positive, or a beta outside 0 to 1.
    """
    _positive(lr=lr, decay=decay)
    _betas(beta1=beta1, beta2=beta2)
    spread = (1 - beta1) ** 2 + beta1**2 * (1 - beta2) / (1 + beta2)
    rotation = math.sqrt(math.pi * (lr * decay) * spread)
    rms = ratio(lr, rotation)
    return Equilibrium(
        rms=rms,
        norm=_norm(rms, n_weights),
        rotation=rotation,
        relaxation_steps=1 / (2 * (lr * decay)),
        setting=f"beta1 = {beta1:g}, beta2 = {beta2:g}",
    )


def muon_equilibrium(
    lr: float,
    decay: float,
    *,
    momentum: float = _MUON_MOMENTUM,
    update_rms: float | None = None,
    n_weights: float | None = None,
) -> Equilibrium:
    """Return Muon's equilibrium; a simulation's RMS is 0.78 to 1.0 of it, 0.73 with Nesterov.

    Simulated with a decay of up to a hundredth a step: above, the memory of the momentum outlasts
    the weights.

    RMS `update_rms*sqrt(lr/(2*decay))*sqrt((1 + momentum)/(1 - momentum))`, `update_rms` that of an
    orthogonalised update (0.2 where it is scaled to AdamW's, else that of the tensor's shape: then
    no RMS is predicted). Rotation `sqrt(2*lr*decay*(1 - momentum)/(1 + momentum))`.

    >>> round(muon_equilibrium(1e-3, 0.1, update_rms=0.2).rms, 4)
    0.0883

    Raises:
        InvalidValueError: A value that is not positive, or momentum outside 0 to 1.
    """
    _positive(lr=lr, decay=decay)
    _betas(momentum=momentum)
    rms = None
    if update_rms is not None:
        _positive(update_rms=update_rms)
        memory = (1 + momentum) / (1 - momentum)
        rms = ratio(update_rms * lr * math.sqrt(memory), math.sqrt(2 * (lr * decay)))
    return Equilibrium(
        rms=rms,
        norm=_norm(rms, n_weights),
        rotation=math.sqrt(2 * (lr * decay) * (1 - momentum) / (1 + momentum)),
        relaxation_steps=1 / (2 * (lr * decay)),
        setting=f"momentum = {momentum:g}; {_MUON_RANGE}",
    )


def predict_equilibrium(side: Side, value: Fraction) -> Equilibrium | None:
    """Return the predicted equilibrium at peak lr; None where no model covers the optimizer.

    Covered are AdamW, Lion, Muon and SGD, coupled or not, with a known lr and a decay whose steps
    a float64 can count. The norm is that of the run's `n_weights`, as if all were of such layers.
    """
    lr = _lr(side)
    record = side.convention
    if not lr or not value or not _settles(side, value):
        return None
    decoupled = record.coupling == Coupling.DECOUPLED
    if decoupled and record.optimizer in {"adam", "lion"}:
        predict = adamw_equilibrium if record.optimizer == "adam" else lion_equilibrium
        decay = finite(shrink_of(side, value) / lr, "weight decay")
        return predict(float(lr), decay, n_weights=_counted(side))
    if decoupled and is_muon(record):
        if shrink_of(side, value) > _MUON_SHRINK:
            return None
        return _of_muon(side, float(lr), finite(shrink_of(side, value) / lr, "weight decay"))
    if record.optimizer != SGD:
        return None
    momentum = side.get("momentum") or Fraction(0)
    # What every gradient step takes off, whatever the loss is of a mean: momentum repeats it.
    per_step = finite(shrink_of(side, value) * (1 - momentum) / lr, "weight decay")
    return sgd_equilibrium(float(lr), per_step, momentum=float(momentum))


def _lr(side: Side) -> Fraction | None:
    """Return the group's own lr, None where it is unknown."""
    lr, mult = side.get("lr"), side.run.given("lr_mult")
    return lr if lr is None or mult is None else lr * mult


def _counted(side: Side) -> float | None:
    """Return the number of decayed weights, None where no network was named."""
    count = side.run.given("n_weights")
    return None if count is None else finite(count, "n_weights")


def _settles(side: Side, value: Fraction) -> bool:
    """Return whether a decay leaves something to settle: it takes no whole weight in a step."""
    return not side.has_shrink or _LEAST_SHRINK <= shrink_of(side, value) < 1


def _of_muon(side: Side, lr: float, decay: float) -> Equilibrium:
    """Return the equilibrium of a record of Muon's, its momentum Muon's own unless it is given."""
    momentum = side.run.given("momentum")
    return muon_equilibrium(
        lr,
        decay,
        momentum=_MUON_MOMENTUM if momentum is None else float(momentum),
        update_rms=MUON_RMS if side.convention.optimizer in RMS_MATCHED else None,
        n_weights=_counted(side),
    )
