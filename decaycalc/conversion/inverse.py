"""From an invariant back to a convention's number."""

from fractions import Fraction
from functools import partial

from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.forms import Form
from decaycalc.conventions.record import (
    Convention,
    Invariant,
)
from decaycalc.conversion.shrinks import Lookup, evaluated, given, own_quantity
from decaycalc.conversion.side import Side
from decaycalc.errors import NoEquivalentError


def value_for_shrink(side: Side, shrink: Fraction, *, quantity: Lookup | None = None) -> Fraction:
    """Return the convention's number for a first-order shrink (1/step).

    `quantity` finds what the side's symbols stand for where the source's run differs.

    Raises:
        NoEquivalentError: nothing halves without decay, an averaging time would be endless.
        MissingQuantityError: a quantity that it needs is unknown.
    """
    form = side.convention.form
    if form is not None:
        _require_halving(side, form, shrink)
        own = shrink / evaluated(side, side.share)
        number = form.from_shrink(own, given(side, form.needs, partial(own_quantity, side)))
        if number < 0 and form.zero_is_sound:
            raise NoEquivalentError("this decay", side.convention.key, "at 0 it decays more")
        return number
    inverse = solved(side, Invariant.SHRINK)
    if not shrink and inverse.power_of("shrink") < 0:
        raise NoEquivalentError("no decay", side.convention.key, endless(side.convention))
    names = tuple(name for name in inverse.names if name != "shrink")
    return inverse.evaluate({**given(side, names, quantity), "shrink": shrink})


def value_for_strength(side: Side, strength: Fraction, *, quantity: Lookup) -> Fraction:
    """Return the convention's number for a strength, by its form or its monomial.

    `quantity` finds what the side's symbols stand for.

    Raises:
        MissingQuantityError: a quantity that it needs is unknown.
        NoEquivalentError: it has no number for this strength.
    """
    if side.convention.form is not None:
        ratio = side.bridge * side.share
        shrink = strength * ratio.evaluate(given(side, ratio.names, quantity))
        return value_for_shrink(side, shrink)
    inverse = solved(side, Invariant.STRENGTH)
    names = tuple(name for name in inverse.names if name != "strength")
    return inverse.evaluate({**given(side, names, quantity), "strength": strength})


def _require_halving(side: Side, form: Form, shrink: Fraction) -> None:
    """Refuse a half-life where nothing is ever halved, or all is gone at once.

    Raises:
        NoEquivalentError: there is none.
    """
    if not form.inverse.startswith("-ln"):
        return
    if shrink <= 0 or shrink >= 2:  # noqa: PLR2004
        what = "no decay" if not shrink else "this decay"
        raise NoEquivalentError(what, side.convention.key, "nothing is ever halved")
    if shrink == 1:
        raise NoEquivalentError("this decay", side.convention.key, "one step leaves nothing")


def endless(convention: Convention) -> str:
    """Return why a convention has no number for no decay."""
    return f"without decay {convention.parameter} would be infinite"


def solved(side: Side, held: Invariant) -> Monomial:
    """Return the side's number as a monomial of the held invariant, by its name."""
    monomial = side.invariant(held)
    assert monomial is not None  # noqa: S101  (forms do not come here)
    power = monomial.power_of("value")
    rest = monomial / Monomial.of(value=1) ** power
    return (Monomial.of(**{held.value: 1}) / rest) ** (1 / power)
