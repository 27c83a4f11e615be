"""What a convention's number means on its side: its strength, and the decay of one step."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial

from decaycalc.algebra.number import plain
from decaycalc.algebra.quantity import Monomial, base_name
from decaycalc.conventions.forms import Form
from decaycalc.conventions.record import Convention, Invariant
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError, MissingQuantityError

Lookup = Callable[[str], Fraction | None]


def check_domain(value: Fraction, convention: Convention) -> Fraction:
    """Return a number that the convention can have.

    Raises:
        InvalidValueError: it is negative, or zero where zero means nothing.
    """
    form, monomial = convention.form, convention.monomial
    if value < 0:
        raise InvalidValueError(convention.parameter, plain(value), "must not be negative")
    if form is not None:
        _check_form_value(convention, form, value)
    if not value and monomial is not None and monomial.power_of("value") < 0:
        raise InvalidValueError(convention.parameter, 0, "must be above 0: it divides")
    return value


def strength_of(side: Side, value: Fraction) -> Fraction | None:
    """Return the strength that a number means, None where its record or run leaves it open."""
    if not side.convention.has_strength:
        return None
    monomial = side.invariant(Invariant.STRENGTH)
    if monomial is None:
        return _form_strength(side, value)
    names = {name: side.get(name) for name in monomial.names if name != "value"}
    if None in names.values():
        return None
    return monomial.evaluate({**names, "value": check_domain(value, side.convention)})


def _form_strength(side: Side, value: Fraction) -> Fraction | None:
    """Return the strength that a form's number means, by its shrink; None where that is unknown."""
    ratio = side.bridge * side.share
    try:
        return shrink_of(side, value) / evaluated(side, ratio)
    except MissingQuantityError:
        return None


def shrink_of(side: Side, value: Fraction) -> Fraction:
    """Return the first-order shrink (1/step) that a convention's number means in its run.

    Raises:
        MissingQuantityError: a quantity that it needs is unknown.
        InvalidValueError: the number means no decay.
    """
    form = side.convention.form
    monomial = side.invariant(Invariant.SHRINK)
    check_domain(value, side.convention)
    if form is not None:
        for _, factor in side.refined:
            value *= evaluated(side, factor)
        shrink = form.to_shrink(value, given(side, form.needs, partial(own_quantity, side)))
        return shrink * evaluated(side, side.share)
    assert monomial is not None  # noqa: S101  (a refusal has neither, and was refused)
    names = tuple(name for name in monomial.names if name != "value")
    return monomial.evaluate({**given(side, names), "value": value})


def evaluated(side: Side, monomial: Monomial) -> Fraction:
    """Return a monomial's value by the side's quantities.

    Raises:
        MissingQuantityError: one of them is unknown.
    """
    return monomial.evaluate(given(side, monomial.names))


def given(
    side: Side, names: tuple[str, ...], quantity: Lookup | None = None
) -> dict[str, Fraction | None]:
    """Return the quantities of those names.

    Raises:
        MissingQuantityError: one of them is unknown.
    """
    values = {name: (quantity or side.get)(name) for name in names}
    missing = tuple(name for name, value in values.items() if value is None)
    if missing:
        # An lr of the target's own is asked for as that.
        own = {"lr": "to_lr"} if "to_lr" in side.symbol("lr").names else {}
        asked = tuple(own.get(name) or base_name(name) for name in missing)
        raise MissingQuantityError(f"the decay of {side.convention.key}", asked)
    return values


def own_quantity(side: Side, name: str) -> Fraction | None:
    """Return a quantity on this side, whose lr may follow from the source's."""
    if name != "lr":
        return side.get(name)
    lr = side.symbol("lr")
    names = {symbol: side.get(symbol) for symbol in lr.names}
    return None if None in names.values() else lr.evaluate(names)


def _check_form_value(convention: Convention, form: Form, value: Fraction) -> None:
    """Refuse factors outside (0, 1] and half-lives of zero."""
    if form.zero_is_sound:
        return
    is_factor = convention.parameter == "factor"
    if value <= 0 or (is_factor and value > 1):
        domain = "above 0 and at most 1" if is_factor else "above 0"
        raise InvalidValueError(convention.parameter, plain(value), f"must be {domain}")
