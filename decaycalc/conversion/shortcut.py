"""Shortcut: the numbers of kept plans as whole numbers over whole numbers, divided once.

A plan of one monomial is a quotient of products of what was typed. Decimals are whole numbers over
powers of ten, so the quotient is one of two whole numbers, which Python divides with one correct
rounding: the float64 that the exact fractions give. The monomials are the plan's own; where one is
not enough (a named form, a quantity that follows from several, a decay so large that there is more
to say of it) there is no shortcut, and the plan itself answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from decaycalc.algebra.number import decimal_ratio
from decaycalc.algebra.quantity import QUANTITIES, Monomial
from decaycalc.conventions.record import Invariant
from decaycalc.conventions.run import BATCH
from decaycalc.conversion.kept_plans import sees_numbers
from decaycalc.conversion.momentum import calm_limit, long_run_shrink
from decaycalc.conversion.plan import Plan
from decaycalc.conversion.side import Side

Ratio = tuple[int, int]
# What follows from several of a run's numbers, unless it is given itself.
_DERIVED = frozenset({"steps", "epochs", "steps_per_epoch", "nominal_batch", "gradient_scale"})
# Ratios of such parts make no product that leaves float64's range unseen.
_LARGEST, _MOST_BELOW = 10**31, 10**60
_MOST_BITS = 300
_SMALLEST = 1e-280
# How near to its limit a shrink may come before the exact arithmetic is asked; where two decays are
# equal to first order, before the two may differ by a hundredth: by s·m/(1 - m), or s, or s/2.
_NEAR, _NEAR_TO_FIRST_ORDER = 0.999, 0.01


class NoShortcutError(Exception):
    """A plan whose numbers are not a quotient of what is given."""


def usual_ratio(text: str) -> Ratio | None:
    """Return a decimal or fraction of usual size as a ratio, None where it is another text.

    >>> usual_ratio("5e-4"), usual_ratio("1/3"), usual_ratio("1/3/3"), usual_ratio("1e-90")
    ((5, 10000), (1, 3), None, None)
    """
    numerator, slash, denominator = text.partition("/")
    if not slash:
        return _usual_decimal(text)
    above, below = _usual_decimal(numerator.strip()), _usual_decimal(denominator.strip())
    if above is None or below is None or not below[0]:
        return None
    return above[0] * below[1], above[1] * below[0]


def _usual_decimal(text: str) -> Ratio | None:
    ratio = decimal_ratio(text)
    return ratio if ratio is None or _is_usual(ratio) else None


def _is_usual(ratio: Ratio) -> bool:
    above, below = ratio
    return below <= _MOST_BELOW and above < _LARGEST * below


def size_of(ratio: Ratio) -> int:
    """Return 0, 1, or 2 for every other number: what a plan sees of it."""
    return 0 if not ratio[0] else 1 if ratio[0] == ratio[1] else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A number of the answer: `(top/bottom) · value^power · Π factor^exponent`.

    `factors` hold a quantity's place, its exponent, and whether 1 minus it is meant.
    """

    top: int
    bottom: int
    power: int
    factors: tuple[tuple[int, int, bool], ...]

    def at(self, value: Ratio, ratios: Sequence[Ratio]) -> float:
        """Return the number, rounded once.

        Raises:
            OverflowError: it is beyond float64's range.
            ZeroDivisionError: a quantity that divides is zero.
        """
        top, bottom = self.top, self.bottom
        if self.power == 1:
            top, bottom = top * value[0], bottom * value[1]
        elif self.power:
            top, bottom = top * value[1], bottom * value[0]
        for place, exponent, is_complement in self.factors:
            above, below = ratios[place]
            if is_complement:
                above = below - above
            if exponent < 0:
                above, below = below, above
            if exponent not in {1, -1}:
                above, below = above ** abs(exponent), below ** abs(exponent)
            top, bottom = top * above, bottom * below
        return top / bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """What answers values and quantities of one kind at the cost of a few products.

    `terms` are the numbers in order, `shrink` is the source's decay per step. `below_one` and
    `whole` are the places of quantities with such a domain; `batch` and `size` those of a step's
    examples and of the data set's; `momentum` and `lookahead` decide from where on a decay is
    large; `near` is the share of that limit.
    """

    terms: tuple[Term, ...]
    shrink: Term | None
    below_one: tuple[int, ...]
    whole: tuple[int, ...]
    batch: tuple[int, ...]
    size: int | None
    limit: float
    near: float
    is_linear: bool
    momentum: int | None
    dampening: int | None
    lookahead: float

    def numbers(self, value: Ratio, ratios: Sequence[Ratio]) -> list[float] | None:
        """Return the numbers, None where the plan itself has to be asked."""
        try:
            if not self.takes(value, ratios) or not self._is_calm(value, ratios):
                return None
            numbers = [term.at(value, ratios) for term in self.terms]
        except (OverflowError, ZeroDivisionError):
            return None
        return numbers if min(numbers) > _SMALLEST else None

    def takes(self, value: Ratio, ratios: Sequence[Ratio]) -> bool:
        """Return whether the value is above 0 and every quantity is sound."""
        return value[0] > 0 and self._are_sound(ratios)

    def per_step(self, first_order: float, ratios: Sequence[Ratio]) -> float | None:
        """Return the exact shrink for a first-order one (1/step), None where the side is asked."""
        if self.is_linear:
            return first_order
        if self.momentum is None:
            return None
        momentum, dampening = _float(self.momentum, ratios), _float(self.dampening, ratios)
        return long_run_shrink(
            first_order / ((1 - dampening) / (1 - momentum)),
            momentum=momentum, dampening=dampening, lookahead=self.lookahead,
        )  # fmt: skip

    def _are_sound(self, ratios: Sequence[Ratio]) -> bool:
        """Return whether every quantity is within its domain, and a step within the data set."""
        for place in self.below_one:
            if ratios[place][0] / ratios[place][1] >= 1:
                return False
        for place in self.whole:
            if ratios[place][0] % ratios[place][1]:
                return False
        if self.size is None or not self.batch:
            return True
        above, below = ratios[self.size]
        for place in self.batch:
            above, below = above * ratios[place][1], below * ratios[place][0]
        return below <= above

    def _is_calm(self, value: Ratio, ratios: Sequence[Ratio]) -> bool:
        """Return whether the decay is so usual that nothing is to be said of it."""
        if self.shrink is None:
            return True
        limit = self.limit
        if self.momentum is not None:
            limit = calm_limit(_float(self.momentum, ratios), self.lookahead)
        return _SMALLEST < self.shrink.at(value, ratios) < self.near * limit


def _float(place: int | None, ratios: Sequence[Ratio]) -> float:
    """Return a quantity, 0 where it is not given."""
    return 0.0 if place is None else ratios[place][0] / ratios[place][1]


def shortcut(ways: Sequence[Plan], given: Mapping[str, int]) -> Shortcut:
    """Return the shortcut of plans that share their source, which is one of a kind.

    `given` are the places of the quantities that its runs give.

    Raises:
        NoShortcutError: there is none.
    """
    source = ways[0].source
    if sees_numbers(source.convention):
        raise NoShortcutError
    terms: list[Term] = []
    for way in ways:
        if way.factor is None or sees_numbers(way.target.convention):
            raise NoShortcutError
        terms.append(_term(way.factor, given, way))
        if way.lr is not None and way.target_lr() is not None:
            terms.append(_term(way.lr, given, way))
    has_momentum = not source.is_linear and source.has_momentum
    to_first_order = any(way.first_order for way in ways)
    if to_first_order and _is_elsewhere(source, ways):
        raise NoShortcutError
    plain = not (source.convention.proximal or source.convention.compounds)
    return replace(
        domain(given),
        terms=tuple(terms),
        shrink=_shrink(source, given, ways[0]),
        limit=1.0 if source.is_linear else 0.5,
        near=_NEAR_TO_FIRST_ORDER if to_first_order else _NEAR,
        is_linear=source.is_linear,
        momentum=given["momentum"] if has_momentum and plain else None,
        dampening=None if "dampening" in source.convention.lacks else given.get("dampening"),
        lookahead=source.lookahead,
    )


def _is_elsewhere(source: Side, ways: Sequence[Plan]) -> bool:
    """Return whether the buffer that a decay passes through is a target's, not the source's."""
    return source.is_linear and any(not way.target.is_linear for way in ways if way.first_order)


def domain(given: Mapping[str, int]) -> Shortcut:
    """Return what quantities at these places must be, and no number yet.

    Raises:
        NoShortcutError: they may contradict each other.
    """
    if {"steps", "epochs", "dataset_size", "batch_size"} <= given.keys():
        raise NoShortcutError
    bounded = {name for name in given if QUANTITIES[name].high is not None}
    return Shortcut(
        terms=(),
        shrink=None,
        below_one=tuple(given[name] for name in given if name in bounded),
        whole=tuple(place for name, place in given.items() if QUANTITIES[name].integer),
        batch=tuple(given[name] for name in BATCH if name in given),
        size=given.get("dataset_size"),
        limit=0.0,
        near=_NEAR,
        is_linear=True,
        momentum=None,
        dampening=None,
        lookahead=0,
    )


def _shrink(source: Side, given: Mapping[str, int], way: Plan) -> Term | None:
    """Return the source's decay per step, None where it has none or it is unknown."""
    if not source.has_shrink:
        return None
    monomial = source.invariant(Invariant.SHRINK)
    if monomial is None:
        raise NoShortcutError
    if any(source.get(name) is None for name in monomial.names if name != "value"):
        return None
    return _term(monomial, given, way)


def _term(monomial: Monomial, given: Mapping[str, int], way: Plan) -> Term:
    """Return a monomial as a term: given quantities by their places, others in the coefficient."""
    power = monomial.power_of("value")
    if monomial.root != 1 or abs(power) > 1:
        raise NoShortcutError
    coefficient, factors = monomial.coefficient, []
    for name, exponent in monomial.exponents:
        if name == "value":
            continue
        places, constant = _operand(name, given, way)
        factors += [(place, exponent, name.startswith("one_minus_")) for place in places]
        coefficient *= constant**exponent
    size = coefficient.numerator.bit_length() - coefficient.denominator.bit_length()
    if abs(size) > _MOST_BITS or coefficient <= 0:
        raise NoShortcutError
    return Term(
        top=coefficient.numerator, bottom=coefficient.denominator, power=int(power),
        factors=tuple(factors),
    )  # fmt: skip


def _operand(name: str, given: Mapping[str, int], way: Plan) -> tuple[tuple[int, ...], Fraction]:
    """Return the places of the quantities whose product a name stands for, or its constant."""
    plain = name.removeprefix("one_minus_")
    if plain == "batch_size":
        return tuple(given[part] for part in BATCH if part in given), Fraction(1)
    if plain in given:
        return (given[plain],), Fraction(1)
    constant = way.quantity(name)
    if plain in _DERIVED or not constant:
        raise NoShortcutError
    return (), constant
