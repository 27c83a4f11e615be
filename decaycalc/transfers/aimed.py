"""A decay of one step as the number that is aimed at, and what a rule says of it."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from decaycalc.algebra.number import about
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import Invariant
from decaycalc.conversion.inverse import value_for_shrink
from decaycalc.conversion.plan import plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import MissingQuantityError, NoEquivalentError, OutsideFitError
from decaycalc.transfers.suggested import Aim, Suggestion


def require_decay(aim: Aim) -> None:
    """Refuse a number that has no decay per step: a penalty's under an adaptive optimizer.

    Raises:
        OutsideFitError: it has none, as `convert` says of it.
    """
    step = Side(convention=find("per-step-shrink"), run=aim.run)
    try:
        plan(step, target_side(step, aim.convention))
    except NoEquivalentError as error:
        raise OutsideFitError("a suggestion", error.reason) from None


def needed(aim: Aim, *names: str) -> tuple[Fraction, ...]:
    """Return quantities of the run.

    Raises:
        MissingQuantityError: one that is unknown.
    """
    known = {name: aim.run.get(name) for name in names}
    missing = tuple(name for name, value in known.items() if value is None)
    if missing:
        raise MissingQuantityError("the rule", missing)
    return tuple(value for value in known.values() if value is not None)


def value_of(aim: Aim, shrink: float) -> float:
    """Return the convention's number for a decay of one step at peak lr.

    Raises:
        OutsideFitError: no float64 holds it.
    """
    number = exact_value(aim, shrink)
    try:
        value = float(number)
    except OverflowError:
        value = 0.0
    if number and not value:
        raise outside(f"{aim.convention.parameter} would be {about(number)}, which no float64 is")
    return value


def exact_value(aim: Aim, shrink: float) -> Fraction:
    """Return the convention's number for a decay of one step at peak lr, of any size."""
    return Fraction(value_for_shrink(aim.side, Fraction(shrink)))


def made(
    aim: Aim, rule: str, shrinks: Sequence[float], *, conditions: tuple[str, ...], **more: Any
) -> Suggestion:
    """Return a suggestion of the shrinks that are its number and the ends of its interval.

    Raises:
        OutsideFitError: one would take off more than the weight in a step.
    """
    if max(shrinks) > 1:
        shortest = f"{1 / max(shrinks):.3g} of a step"
        raise outside(f"the run is too short for it: a timescale would be {shortest}")
    value, *ends = (value_of(aim, shrink) for shrink in shrinks)
    return Suggestion(
        rule=rule, convention=aim.convention, value=value, low=min(value, *ends),
        high=max(value, *ends), conditions=(*conditions, *_estimated(aim)), **more,
    )  # fmt: skip


def _estimated(aim: Aim) -> tuple[str, ...]:
    """Return that a penalty's decay under Adam is an estimate, empty where it is exact."""
    text = "an estimate: gradient_rms stands for what every weight's gradient is divided by"
    return (text,) if aim.side.is_estimate else ()


def outside(reason: str) -> OutsideFitError:
    """Return the error of a rule outside of its conditions."""
    return OutsideFitError("the rule", reason)


def solved(aim: Aim, shrink: float) -> tuple[str, ...]:
    """Return the last line of a derivation: the number of the convention."""
    record, monomial = aim.convention, aim.side.invariant(Invariant.SHRINK)
    formula = record.formula()
    if monomial is not None:
        formula = f"shrink = {monomial.format({'value': record.parameter})}"
    return (f"{record.parameter} = {value_of(aim, shrink):.6g}, by {formula}",)
