"""The named forms and the exact decays for numpy's arrays, element by element in one expression.

Each is the float64 side of what `conventions.forms.Form` and `conversion.side.Side` do with one
exact number. What they cannot hold (a decay of 1 or more, a momentum's limit) comes out as a
number outside ]0, 1[ or not finite, for the caller to see.
"""

from collections.abc import Callable, Mapping
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from decaycalc.conventions.forms import (
    BESIDE_LAMBD,
    HALF_LIFE_EPOCHS,
    HALF_LIFE_STEPS,
    PER_EPOCH_FACTOR,
    PER_RUN_FACTOR,
    PER_STEP_FACTOR,
)

Floats = NDArray[np.float64]
# Quantities by name: arrays, or one number for all elements.
Numbers = Mapping[str, Any]
_LN_2 = log(2)

TO_SHRINK: dict[str, Callable[[Floats, Numbers], Floats]] = {
    PER_STEP_FACTOR.text: lambda value, _: 1 - value,
    HALF_LIFE_STEPS.text: lambda value, _: -np.expm1(-_LN_2 / value),
    HALF_LIFE_EPOCHS.text: lambda value, q: (
        -np.expm1(-_LN_2 * q["batch_size"] / (q["dataset_size"] * value))
    ),
    PER_EPOCH_FACTOR.text: lambda value, q: -np.expm1(np.log(value) / q["steps_per_epoch"]),
    PER_RUN_FACTOR.text: lambda value, q: -np.expm1(np.log(value) / q["steps"]),
    BESIDE_LAMBD.text: lambda value, q: q["lr"] * (value + q["lambd"]),
}


def _log_left(shrink: Floats, out: Floats) -> Floats:
    """Write the logarithm of what a step leaves to `out` and return it."""
    return np.log1p(np.negative(shrink, out=out), out=out)


def _power_left(shrink: Floats, n_steps: Any, out: Floats) -> Floats:
    """Write what some steps leave to `out` and return it."""
    np.multiply(_log_left(shrink, out), n_steps, out=out)
    return np.exp(out, out=out)


# The last argument is the array that the numbers are written to.
FROM_SHRINK: dict[str, Callable[[Floats, Numbers, Floats], Floats]] = {
    PER_STEP_FACTOR.text: lambda shrink, _, out: np.subtract(1, shrink, out=out),
    HALF_LIFE_STEPS.text: lambda shrink, _, out: np.divide(-_LN_2, _log_left(shrink, out), out=out),
    HALF_LIFE_EPOCHS.text: lambda shrink, q, out: np.divide(
        -_LN_2 * q["batch_size"],
        np.multiply(_log_left(shrink, out), q["dataset_size"], out=out),
        out=out,
    ),
    PER_EPOCH_FACTOR.text: lambda shrink, q, out: _power_left(shrink, q["steps_per_epoch"], out),
    PER_RUN_FACTOR.text: lambda shrink, q, out: _power_left(shrink, q["steps"], out),
    BESIDE_LAMBD.text: lambda shrink, q, out: np.subtract(
        np.divide(shrink, q["lr"], out=out), q["lambd"], out=out
    ),
}


def _gain(momentum: Any, lookahead: float) -> Any:
    """Return `1 + m + ... + m^lookahead`, as `momentum` does."""
    if isinstance(lookahead, float):
        return -np.expm1((lookahead + 1) * np.log(momentum)) / (1 - momentum)
    return sum((momentum**power for power in range(1, lookahead + 1)), 1.0)


def _half_power(momentum: Any, lookahead: float) -> Any:
    root = np.sqrt(momentum)
    return root ** (lookahead + 1) if lookahead else root


def long_run_shrinks(first_order: Floats, momentum: Any, lookahead: float) -> Floats:
    """Return the exact shrinks for first-order ones, `momentum.long_run_shrink` of their steps.

    The dampening is in the first-order shrink already.
    """
    rest, top = 1 - momentum, 1 + _half_power(momentum, lookahead)
    e, limit = first_order * rest, rest / top
    if lookahead:
        gain = _gain(momentum, lookahead)
        ahead, b = e * gain**2, rest + gain * e
    else:
        ahead, b = e, rest + e
    discriminant = (e - limit * limit) * (ahead - top * top)
    real = 2 * e / (b + np.sqrt(np.maximum(discriminant, 0)))
    if np.any(b > 2):  # noqa: PLR2004  (the root of the largest modulus is another one)
        real = np.where(b > 2, np.nan, real)  # noqa: PLR2004
    turning = limit
    if lookahead:
        again = momentum * _gain(momentum, lookahead - 1)
        turning = (rest + again * e) / (1 + np.sqrt(np.maximum(momentum - again * e, 0)))
    shrinks: Floats = np.where(discriminant < 0, turning, real)
    return shrinks


def first_order_shrinks(shrink: Floats, momentum: Any, lookahead: float) -> Floats:
    """Return the first-order shrinks for exact ones, nan where momentum only oscillates so fast."""
    rest, gain = 1 - momentum, _gain(momentum, lookahead)
    limit = rest / (1 + _half_power(momentum, lookahead))
    first_order: Floats = shrink * (rest - shrink) / ((1 - gain * shrink) * rest)
    return first_order if np.all(shrink < limit) else np.where(shrink < limit, first_order, np.nan)
