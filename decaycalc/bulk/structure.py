"""Structure: everything that rows of one kind share, made ready so that a row costs one division.

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
            number = ratio_of(free[place])
            if number is None:
                return None
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

    def hold(self, value: float, free: Sequence[str]) -> bool:
        """Return whether value and quantities are within the bounds."""
        if not _SMALLEST < value < _LARGEST:
            return False
        numbers = [float(text) for text in free]
        for number in numbers:
            if not _SMALLEST_QUANTITY < number < _LARGEST_QUANTITY:
                return False
        numbers += self.constants
        if self.batch is not None and self.size is not None:
            batch, size = numbers[self.batch] * self.per_batch, numbers[self.size]
            if size < batch * _MARGIN and size != batch:
                return False
        return self.shrink is None or self._shrinks(value, numbers)

    def _shrinks(self, value: float, numbers: list[float]) -> bool:
        """Return whether the shrink per step stays below the limit."""
        assert self.shrink is not None  # noqa: S101  (the caller has looked)
        result, power, exponents = self.shrink
        result = result * value if power == 1 else result / value
        for place, exponent in exponents:
            result *= numbers[place] ** exponent
        return result < self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """An answer as text with holes, `texts[0] terms[0] texts[1] terms[1] ... texts[-1]`.

    `guard` raises for values that are refused, where `bounds` cannot tell.
    """

    texts: tuple[str, ...]
    terms: tuple[Term, ...]
    bounds: Bounds
    guard: Callable[[Fraction], object] | None = None

    def answer(self, value: str, free: Sequence[str]) -> str | None:
        """Return the answer's text; None where the single command's way has to be gone."""
        number = ratio_of(value)
        if number is None:
            return None
        try:
            if not self.bounds.hold(float(value), free):
                return None
            if self.guard is not None:
                self.guard(Fraction(*number))
            return self._filled(*number, free)
        except (DecaycalcError, ValueError):
            return None

    def _filled(self, top: int, bottom: int, free: Sequence[str]) -> str | None:
        result = self.texts[0]
        for term, text in zip(self.terms, self.texts[1:], strict=True):
            number = term.at(top, bottom, free)
            if number is None:
                return None
            result = f"{result}{number!r}{text}"
        return result


# For rows whose answer is never a matter of one division.
ALWAYS_EXACTLY = Structure(texts=(), terms=(), bounds=Bounds(shrink=(1.0, 1, ()), limit=0.0))
