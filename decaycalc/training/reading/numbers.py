"""Numbers in training files: as typed, exact, of bounded size."""

import re
from fractions import Fraction

from decaycalc.algebra.quantity import exact
from decaycalc.errors import InvalidValueError

_GROUPED = re.compile(r"(?<=\d)_(?=\d)")


def ungrouped(text: str) -> str:
    """Return a text without the underscores between digits.

    >>> ungrouped("sequences of 2_048 tokens")
    'sequences of 2048 tokens'
    """
    return _GROUPED.sub("", text)


def typed_number(text: str) -> Fraction | None:
    """Return the number that a text spells, exact; None where it spells none.

    >>> typed_number("100_000"), typed_number("1.e-3"), typed_number("auto")
    (Fraction(100000, 1), Fraction(1, 1000), None)
    """
    try:
        return exact(ungrouped(text.strip()))
    except InvalidValueError:
        return None


def from_zero(text: str) -> str | None:
    """Return a number of at least 0 as a text that reads back exactly; None for any other text.

    >>> from_zero("1e-1"), from_zero("-1"), from_zero("auto")
    ('0.1', None, None)
    """
    number = typed_number(text)
    return None if number is None or number < 0 else decimal_text(number)


def decimal_text(value: Fraction) -> str:
    """Return a number as a text that reads back exactly: a decimal where it has one.

    >>> decimal_text(Fraction(1, 10)), decimal_text(Fraction(1, 3)), decimal_text(Fraction(72))
    ('0.1', '1/3', '72')
    """
    if value.denominator == 1:
        return str(value.numerator)
    try:
        text = repr(float(value))
        return text if exact(text) == value else f"{value.numerator}/{value.denominator}"
    except OverflowError:
        return f"{value.numerator}/{value.denominator}"
