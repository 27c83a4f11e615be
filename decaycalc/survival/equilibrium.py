"""Predicted equilibrium of the weights of normalised layers: size, rotation per step, relaxation.

A layer followed by a normalisation does not care about the size of its weights, so decay does not
shrink them to 0: it balances the growth that steps at right angles to the weights cause. These are
predictions of a random-walk model for such layers at a constant lr, good to a few percent; for
other layers they mean nothing.

Notation: `lr`, `decay` the coefficient that lr multiplies (lr*decay is the shrink), `n_weights` C
the weights of a tensor, `norm` its Euclidean norm, `rms = norm/sqrt(C)`.

Source: Kosson et al., arXiv 2305.17212 and its code epfml/REQ, shared/optimizers (rotation); Su,
kexue.fm 11307 and 11404 (AdamW's RMS and its transient); norms of SGD, Adam + L2 and Lion derived
and checked by simulation.
"""

import math
from dataclasses import dataclass

from decaycalc.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Equilibrium:
    """A predicted equilibrium of a normalised layer's weights; None: not predicted from this.

    `rms` of the weights, `norm` of the tensor, `rotation` in radians per step, `relaxation_steps`
    the time in which the size settles; `setting` names what the rotation depends on besides.
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


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise InvalidValueError(name, value, "must be positive")


def _betas(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < 1:
            raise InvalidValueError(name, value, "must be at least 0 and below 1")


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
    rms = math.sqrt(lr / (2 * decay))
    return Equilibrium(
        rms=rms,
        norm=None if n_weights is None else rms * math.sqrt(n_weights),
        rotation=math.sqrt(2 * lr * decay * (1 - beta1) / (1 + beta1)),
        relaxation_steps=1 / (2 * lr * decay),
        setting=f"beta1 = {beta1:g}",
    )


def sgd_equilibrium(
    lr: float, decay: float, *, momentum: float = 0.0, gradient_norm: float | None = None
) -> Equilibrium:
    """Return the equilibrium of SGD with momentum and L2: rotation `sqrt(2*lr*decay/(1 + m))`.

    The norm needs `gradient_norm`, G = norm of the weights times norm of the gradient, which
    scale invariance keeps constant: `norm^4 = lr*G^2/(2*decay*(1 - m))`; without momentum exactly
    `lr*G^2/(decay*(2 - lr*decay))`. Relaxation `(1 - m)/(4*lr*decay)`.

    Raises:
        InvalidValueError: A value that is not positive, or momentum outside 0 to 1.
    """
    _positive(lr=lr, decay=decay)
    _betas(momentum=momentum)
    norm = None
    if gradient_norm is not None:
        _positive(gradient_norm=gradient_norm)
        divisor = 2 * (1 - momentum) if momentum else 2 - lr * decay
        norm = (lr * gradient_norm**2 / (decay * divisor)) ** 0.25
    return Equilibrium(
        rms=None,
        norm=norm,
        rotation=math.sqrt(2 * lr * decay / (1 + momentum)),
        relaxation_steps=(1 - momentum) / (4 * lr * decay),
    )


def adam_l2_norm(lr: float, decay: float, *, n_weights: float, gradient_rms: float) -> float:
    """Return the norm under Adam with L2, `sqrt(lr*C*sigma/(2*decay))`.

    `gradient_rms` sigma is that of one weight's gradient at this norm.

    Raises:
        InvalidValueError: A value that is not positive.
    """
    _positive(lr=lr, decay=decay, n_weights=n_weights, gradient_rms=gradient_rms)
    return math.sqrt(lr * n_weights * gradient_rms / (2 * decay))


def adam_l2_norm_invariant(
    lr: float, decay: float, *, n_weights: float, gradient_rms_at_unit_norm: float
) -> float:
    """Return the same for a scale-invariant layer, whose gradient is `sigma/norm`.

    `(lr*C*sigma/(2*decay))^(1/3)`.

    Raises:
        InvalidValueError: A value that is not positive.
    """
    sigma = gradient_rms_at_unit_norm
    _positive(lr=lr, decay=decay, n_weights=n_weights, gradient_rms=sigma)
    return math.cbrt(lr * n_weights * sigma / (2 * decay))


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
    rotation = math.sqrt(math.pi * lr * decay * spread)
    rms = lr / rotation
    return Equilibrium(
        rms=rms,
        norm=None if n_weights is None else rms * math.sqrt(n_weights),
        rotation=rotation,
        relaxation_steps=1 / (2 * lr * decay),
        setting=f"beta1 = {beta1:g}, beta2 = {beta2:g}",
    )


def adamw_mean_square(lr: float, decay: float, *, start: float, n_steps: float) -> float:
    """Return AdamW's mean square weight after `n_steps` steps at constant lr.

    `f*start + (1 - f)*lr/(2*decay)` with `f = (1 - lr*decay)^(2*n_steps)`; without decay it grows
    as `start + lr^2*n_steps`. `start` is the mean square at first.

    Raises:
        InvalidValueError: A value out of its range, lr*decay of 1 or more.
    """
    _positive(lr=lr)
    if start < 0 or decay < 0 or n_steps < 0:
        raise InvalidValueError("mean square", min(start, decay, n_steps), "needs numbers from 0")
    if lr * decay >= 1:
        raise InvalidValueError("decay", decay, "times lr must stay below 1")
    if decay == 0:
        return start + lr**2 * n_steps
    exponent = 2 * n_steps * math.log1p(-lr * decay)
    return math.exp(exponent) * start - math.expm1(exponent) * lr / (2 * decay)
