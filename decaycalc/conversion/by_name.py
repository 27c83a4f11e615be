"""Conversions whose quantities are given by name, as the Python API takes them.

A call of the same kind as an earlier one (the same conventions and names) is a matter of a few
products: its shortcut and all but the numbers of its result are kept.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from decaycalc.algebra.quantity import EXTRAS, GIVEN
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import runs_with
from decaycalc.conversion.convert import Conversion, apply, check_value
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.kept_plans import kept_plan
from decaycalc.conversion.plan import Match
from decaycalc.conversion.shortcut import (
    NoShortcutError,
    Ratio,
    Shortcut,
    shortcut,
    size_of,
    usual_ratio,
)
from decaycalc.record import alike

_MOST = 1024  # kept at a time, more than there are conventions
_NUMBERS = frozenset(quantity.name for quantity in (*GIVEN, *EXTRAS))
# The two records are kept too: their ids are theirs as long as they live.
_Kept = tuple[Convention, Convention, Shortcut, Conversion]
_KEPT: dict[object, _Kept | None] = {}


def convert_named(
    value: Any,
    *,
    source: Convention,
    target: Convention,
    run: Run | None,
    target_run: Run | None,
    match: Match,
    quantities: Mapping[str, Any],
) -> Conversion:
    """Return a weight decay in another convention; quantities by name go before those of a run.

    Raises:
        DecaycalcError: what `convert` raises, or a name that is not a quantity's.
    """
    ratios: list[Ratio] = []
    number = _ratio(value)
    key = None
    if number is not None and run is None and target_run is None:
        key = _key(source, target, match, quantities, ratios)
        known = _KEPT.get(key)
        if known is not None and (numbers := known[2].numbers(number, ratios)):
            lr = numbers[1] if len(numbers) > 1 else None
            return alike(known[3], value=numbers[0], lr=lr)
    here, there = runs_with(run or Run(), target_run, dict(quantities))
    way = kept_plan(source, target, run=here, target_run=there, match=match)
    require_taken(way.source, (target,), there)
    made = apply(way, None if value is None else check_value(value, source))
    if key is not None and key not in _KEPT:
        if len(_KEPT) >= _MOST:
            _KEPT.clear()
        names = [name for name in quantities if name in _NUMBERS]
        try:
            short = shortcut([way], {name: place for place, name in enumerate(names)})
            _KEPT[key] = (source, target, short, made)
        except NoShortcutError:
            _KEPT[key] = None
    return made


def _key(
    source: Convention,
    target: Convention,
    match: Match,
    quantities: Mapping[str, Any],
    ratios: list[Ratio],
) -> object:
    """Return the kind of a call, and gather its quantities' ratios; None where it has none."""
    kind: list[object] = [id(source), id(target), match]
    for name, given in quantities.items():
        if name in _NUMBERS:
            ratio = _ratio(given)
            if ratio is None:
                return None
            ratios.append(ratio)
            kind += name, size_of(ratio)
        elif isinstance(given, str | bool) and not name.startswith("to_"):
            kind += name, given
        else:
            return None
    return tuple(kind)


def _ratio(number: Any) -> Ratio | None:
    """Return a number as a ratio, None where it is of another kind or unusual."""
    kind = type(number)
    if kind is float or kind is int:
        return usual_ratio(repr(number))
    if kind is str:
        return usual_ratio(number)
    return (number.numerator, number.denominator) if kind is Fraction and number > 0 else None
