"""Answerers: what rows of one kind share, made ready so that a row costs one division.

A monomial conversion of a decimal is an integer over an integer, which Python divides with one
correct rounding: the same float64 as the exact fractions of the single command give. What is near
the border of what is sound (a shrink near 1, numbers near float64's range) is left to that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from decaycalc.errors import DecaycalcError

_LONGEST = 60  # digits of a decimal that is read here; longer ones take the exact way
_TENS = tuple(10**power for power in range(200))
# Powers of ten by what stands behind the `e` of a decimal.
_EXPONENTS = {
    f"{sign}{digits}": -power if sign == "-" else power
    for power in range(100)
    for sign in ("", "+", "-")
    for digits in {str(power), f"{power:02}"}
}
# Values and quantities between these keep every intermediate number within float64's range.
_SMALLEST, _LARGEST = 1e-60, 1e60
_SMALLEST_QUANTITY, _LARGEST_QUANTITY = 1e-30, 1e30
# How far two floats must lie apart for their order to be that of the decimals.
_MARGIN = 1 + 1e-12


def ratio_of(text: str) -> tuple[int, int] | None:
    """Return a plain decimal as numerator and denominator, None where it is not so plain.

    >>> ratio_of("5e-4"), ratio_of("0.25"), ratio_of("1/3")
    ((5, 10000), (25, 100), None)
    """
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if digits.isdecimal() and len(digits) <= _LONGEST:
        return int(digits), _TENS[len(fraction)]
    mantissa, _, exponent = text.partition("e")
    power = _EXPONENTS.get(exponent)
    number = None if power is None else ratio_of(mantissa)
    if number is None or power is None:
        return None
    top, bottom = number
    return (top * _TENS[power], bottom) if power >= 0 else (top, bottom * _TENS[-power])


def _remembered(text: str) -> tuple[int, int] | None:
    """Return `ratio_of` a quantity, of which few occur again and again."""
    number = _QUANTITIES.get(text)
    if number is None:
        if len(_QUANTITIES) >= _MOST:
            _QUANTITIES.clear()
        number = ratio_of(text)
        if number is not None:
            _QUANTITIES[text] = number
    return number


_QUANTITIES: dict[str, tuple[int, int]] = {}
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Term:
    """A number of the answer: `(top/bottom) · value^power · Π quantity^exponent`, rounded once.

    `free` pairs a free quantity's place with its exponent; `power` is 1, -1, or 0 for a number
    that the value does not enter. `exactly` replaces all this by a function of the value.
    """

    top: int
    bottom: int
    power: int
    free: tuple[tuple[int, int], ...] = ()
    exactly: Callable[[Fraction], float] | None = None

    def at(self, top: int, bottom: int, free: Sequence[str]) -> float | None:
        """Return the number for the value `top/bottom`, None where a quantity is no decimal."""
        if self.exactly is not None:
            return self.exactly(Fraction(top, bottom))
        above, below = self.top, self.bottom
        if self.power == 1:
            above, below = above * top, below * bottom
        elif self.power:
            above, below = above * bottom, below * top
        for place, exponent in self.free:
            number = _remembered(free[place])
            if number is None:
                return None
            if exponent == 1:
                above, below = above * number[0], below * number[1]
            elif exponent == -1:
                above, below = above * number[1], below * number[0]
            else:
                factor, divisor = number if exponent > 0 else number[::-1]
                above, below = above * factor ** abs(exponent), below * divisor ** abs(exponent)
        return above / below


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Within what the single command raises nothing for sure.

    `shrink` holds coefficient, power of the value and exponents by place; it must stay below
    `limit`. `batch` and `size` are the places of batch and dataset size (the batch size times
    `per_batch` must fit), counted on through `constants`.
    """

    shrink: tuple[float, int, tuple[tuple[int, int], ...]] | None = None
    limit: float = inf
    batch: int | None = None
    size: int | None = None
    per_batch: float = 1.0
    constants: tuple[float, ...] = ()

    def check(self) -> "Check":
        """Return the check of a value and of the free quantities, as texts."""
        fit = None if self.batch is None or self.size is None else (self.batch, self.size)
        coefficient, power, exponents = self.shrink or (0.0, 1, ())
        constants, limit, per_batch = self.constants, self.limit, self.per_batch

        def holds(value: float, free: Sequence[str]) -> bool:
            if not _SMALLEST < value < _LARGEST:
                return False
            numbers = [*map(float, free), *constants]
            for number in numbers:
                if not _SMALLEST_QUANTITY < number < _LARGEST_QUANTITY:
                    return False
            if fit is not None:
                batch, size = numbers[fit[0]] * per_batch, numbers[fit[1]]
                if size < batch * _MARGIN and size != batch:
                    return False
            shrink = coefficient * value if power == 1 else coefficient / value
            for place, exponent in exponents:
                shrink *= numbers[place] ** exponent
            return shrink < limit

        return holds


Check = Callable[[float, Sequence[str]], bool]
# From the texts of a value and of the free quantities to the answer's text; None where the single
# command's way has to be gone.
Answerer = Callable[[str, Sequence[str]], str | None]


def answerer(
    texts: tuple[str, ...],
    terms: tuple[Term, ...],
    *,
    bounds: Bounds,
    guard: Callable[[Fraction], object] | None = None,
) -> Answerer:
    """Return what answers with texts around numbers, `texts[0] terms[0] texts[1] ... texts[-1]`.

    `guard` raises for values that are refused, where `bounds` cannot tell.
    """
    holds = bounds.check()
    filled = _filled_simply(texts, terms[0]) if _is_simple(terms) else _filled(texts, terms)

    def answer(value: str, free: Sequence[str]) -> str | None:
        number = ratio_of(value)
        if number is None:
            return None
        try:
            "".join(free)  # raises where one is no text
            if not holds(float(value), free):
                return None
            if guard is not None:
                guard(Fraction(*number))
            return filled(number[0], number[1], free)
        except (DecaycalcError, ValueError, TypeError, OverflowError):
            return None

    return answer


Filled = Callable[[int, int, Sequence[str]], str | None]


def _is_simple(terms: tuple[Term, ...]) -> bool:
    """Return whether there is one number, into which nothing free enters but the value."""
    return len(terms) == 1 and not terms[0].free and terms[0].exactly is None


def _filled_simply(texts: tuple[str, ...], term: Term) -> Filled:
    """Return what fills in the one number."""
    head, tail = texts
    above, below, is_inverse = term.top, term.bottom, term.power != 1

    def filled(top: int, bottom: int, free: Sequence[str]) -> str:  # noqa: ARG001  (one signature)
        if is_inverse:
            top, bottom = bottom, top
        return f"{head}{(above * top) / (below * bottom)!r}{tail}"

    return filled


def _filled(texts: tuple[str, ...], terms: tuple[Term, ...]) -> Filled:
    """Return what fills in every number."""
    head, pairs = texts[0], tuple(zip(terms, texts[1:], strict=True))

    def filled(top: int, bottom: int, free: Sequence[str]) -> str | None:
        result = head
        for term, text in pairs:
            number = term.at(top, bottom, free)
            if number is None:
                return None
            result = f"{result}{number!r}{text}"
        return result

    return filled


def always_exactly(value: str, free: Sequence[str]) -> None:
    """Answer no row: for those whose answer is never a matter of one division."""
