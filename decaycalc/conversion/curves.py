"""Curves: a convention's number as a function of the shrink, and back, for numpy's arrays."""

from collections.abc import Callable
from fractions import Fraction
from math import log

import numpy as np
from numpy.typing import NDArray

from decaycalc.conventions.record import (
    HALF_LIFE_EPOCHS,
    HALF_LIFE_STEPS,
    PER_EPOCH_FACTOR,
    PER_RUN_FACTOR,
    PER_STEP_FACTOR,
    Invariant,
)
from decaycalc.conversion.side import Side

Floats = NDArray[np.float64]


class NoCurveError(Exception):
    """A side whose number numpy cannot compute from the shrink."""


def _form(side: Side) -> str:
    """Return the text of a side's form, empty for a monomial."""
    form = side.convention.form
    return "" if form is None else form.text


Curve = Callable[[Floats], Floats]


def _scale(side: Side) -> tuple[float, float]:
    """Return what a side's curves are made of: a coefficient or number of steps, and a power.

    Raises:
        NoCurveError: there are none for this side.
    """
    form = _form(side)
    if form in {PER_EPOCH_FACTOR.text, PER_RUN_FACTOR.text}:
        name = "steps" if form == PER_RUN_FACTOR.text else "steps_per_epoch"
        return float(side.get(name) or 1), 1.0
    if form in {HALF_LIFE_STEPS.text, HALF_LIFE_EPOCHS.text}:
        size, batch = side.get("dataset_size") or 1, side.get("batch_size") or 1
        return (float(size / batch) if form == HALF_LIFE_EPOCHS.text else 1.0), 1.0
    if form == PER_STEP_FACTOR.text:
        return 1.0, 1.0
    monomial = side.invariant(Invariant.SHRINK)
    if monomial is None or not side.is_linear:
        raise NoCurveError
    names = {name: side.get(name) for name in monomial.names if name != "value"}
    coefficient = monomial.evaluate({**names, "value": Fraction(1)})
    return float(coefficient), float(monomial.power_of("value"))


def into(side: Side) -> Curve:
    """Return the shrink as a function of the side's number."""
    scale, power = _scale(side)
    curves: dict[str, Curve] = {
        PER_STEP_FACTOR.text: lambda value: 1 - value,
        HALF_LIFE_STEPS.text: lambda value: -np.expm1(-log(2) / value),
        HALF_LIFE_EPOCHS.text: lambda value: -np.expm1(-log(2) / scale / value),
        PER_EPOCH_FACTOR.text: lambda value: -np.expm1(np.log(value) / scale),
        PER_RUN_FACTOR.text: lambda value: -np.expm1(np.log(value) / scale),
    }
    straight: Curve = lambda value: value * scale  # noqa: E731  (one of many)
    bent: Curve = lambda value: value**power * scale  # noqa: E731
    return curves.get(_form(side), straight if power == 1 else bent)


def out_of(side: Side) -> Curve:
    """Return the side's number as a function of the shrink."""
    scale, power = _scale(side)
    curves: dict[str, Curve] = {
        PER_STEP_FACTOR.text: lambda shrink: 1 - shrink,
        HALF_LIFE_STEPS.text: lambda shrink: -log(2) / np.log1p(-shrink),
        HALF_LIFE_EPOCHS.text: lambda shrink: -log(2) / scale / np.log1p(-shrink),
        PER_EPOCH_FACTOR.text: lambda shrink: np.exp(scale * np.log1p(-shrink)),
        PER_RUN_FACTOR.text: lambda shrink: np.exp(scale * np.log1p(-shrink)),
    }
    straight: Curve = lambda shrink: shrink / scale  # noqa: E731  (one of many)
    bent: Curve = lambda shrink: (shrink / scale) ** (1 / power)  # noqa: E731
    return curves.get(_form(side), straight if power == 1 else bent)
