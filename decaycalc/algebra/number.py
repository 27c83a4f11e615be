"""Numbers as they are typed, exact: decimals and fractions to Fraction, and back to float64."""

from fractions import Fraction
from itertools import pairwise
from math import inf, isfinite, isinf
from typing import Any

from decaycalc.errors import InvalidValueError

Number = int | float | str | Fraction

ONE = Fraction(1)
ZERO = Fraction(0)

# Bits kept of an irrational root: far more than float64's 53, so that one rounding decides.
_ROOT_BITS = 200
_SAFE_BITS = 1000
# What people write behind a number for its thousands; m, g and t would be milli, gram and tonne.
SCALES = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "G": 10**9, "T": 10**12}
_GROUP = 3  # digits between two commas
# How else people write a number, papers, Fortran and word processors, and how Python does.
_SPELLINGS = (("\N{MINUS SIGN}", "-"), ("\N{EN DASH}", "-"), ("\N{MULTIPLICATION SIGN}10^", "e"),
              ("*10^", "e"), ("*10**", "e"), ("10^", "1e"), ("10**", "1e"), ("d", "e"),
              ("D", "e"))  # fmt: skip
_PER_CENT = 100

_LONGEST = 60  # digits of a plain decimal; longer ones are read by Fraction
# Looked up: a power costs more than the whole product.
_TENS = tuple(10**power for power in range(200))
# Powers of ten by what stands behind the `e` of a plain decimal.
_EXPONENTS = {
    f"{sign}{digits}": -power if sign == "-" else power
    for power in range(100)
    for sign in ("", "+", "-")
    for digits in {str(power), f"{power:02}"}
}


def decimal_ratio(text: str) -> tuple[int, int] | None:
    """Return a plain decimal as numerator and denominator, None where it is not so plain.

    A tenth of what Fraction takes to read the same text; what it reads is within float64's range.

    >>> decimal_ratio("5e-4"), decimal_ratio("0.25"), decimal_ratio("1/3")
    ((5, 10000), (25, 100), None)
    """
    mantissa, mark, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    power = _EXPONENTS.get(exponent) if mark else 0
    if power is None or len(digits) > _LONGEST or not (digits.isdecimal() and digits.isascii()):
        return None
    power -= len(fraction)
    return (int(digits) * _TENS[power], 1) if power >= 0 else (int(digits), _TENS[-power])


def exact(value: Number, *, name: str = "value") -> Fraction:
    """Return the number as typed, as an exact fraction; a float counts as its shortest decimal.

    >>> exact("1e-4") * 3 == Fraction(3, 10000)
    True
    >>> exact(0.1), exact("1/3")
    (Fraction(1, 10), Fraction(1, 3))
    >>> exact("1.28M"), exact("60_000")
    (Fraction(1280000, 1), Fraction(60000, 1))

    Raises:
        InvalidValueError: not a number, not finite, or outside float64's range.
    """
    if type(value) is Fraction:  # isinstance would ask the abstract numbers, at twice the time
        return _in_range(value, value, name)
    if isinstance(value, int):
        return _in_range(Fraction(value), value, name)
    text = value if isinstance(value, str) else _float_text(value, name)
    ratio = decimal_ratio(text)
    return _exact_decimal(text, name) if ratio is None else Fraction(*ratio)


def _float_text(value: Any, name: str) -> str:
    """Return a float's shortest decimal.

    Raises:
        InvalidValueError: an array, or what is no number at all.
    """
    try:
        return repr(float(value))
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise InvalidValueError(name, kind, "must be one number; convert takes arrays") from None


def _in_range(number: Fraction, given: Number, name: str) -> Fraction:
    """Return the number if a float64 can hold it, to within its digits."""
    # The bits decide most cases at once: float64 reaches from 2**-1074 to 2**1024.
    if abs(number.numerator.bit_length() - number.denominator.bit_length()) < _SAFE_BITS:
        return number
    try:
        if float(number) or not number:
            return number
    except OverflowError:
        raise InvalidValueError(name, _shown(given), "must be finite, below 1.8e308") from None
    raise InvalidValueError(name, _shown(given), "is below float64's range")


def _shown(given: Number) -> str:
    """Return a number beyond float64's range as it was typed, else in a few digits."""
    return given if isinstance(given, str) else about(Fraction(given))


def plain(value: Fraction) -> int | float:
    """Return the number as Python would print it: an int where it is whole and short."""
    return int(value) if value.denominator == 1 and abs(value) < 10**16 else float(value)


def about(value: Fraction) -> str:
    """Return a number of any size to four digits.

    >>> about(Fraction(10) ** 318 / 3)
    '3.333e+317'
    """
    # Imported here: only needed when something went wrong.
    from decimal import Context, Decimal  # noqa: PLC0415

    context = Context(prec=4, Emax=10**9, Emin=-(10**9))
    return f"{context.divide(Decimal(value.numerator), Decimal(value.denominator)):.3e}"


def brief(value: Fraction) -> str:
    """Return a number of any size to four digits, as `%.4g` would show it where float64 has it.

    >>> brief(Fraction(1, 3)), brief(Fraction(10) ** 318 / 3)
    ('0.3333', '3.333e+317')
    """
    try:
        number = float(value)
    except OverflowError:
        return about(value)
    return f"{number:.4g}" if number or not value else about(value)


def _exact_decimal(text: str, name: str) -> Fraction:
    """Return the fraction that a decimal or `p/q` text denotes."""
    numerator, slash, denominator = (part.strip() for part in text.partition("/"))
    value = _decimal(numerator, text, name)
    if slash:
        divisor = _decimal(denominator, text, name)
        if not divisor:
            raise InvalidValueError(name, text, "divides by zero")
        value /= divisor
    return _in_range(value, text, name)


def _decimal(part: str, text: str, name: str) -> Fraction:
    """Return the fraction that a decimal denotes, `60k` and `60_000` too; `text` is all typed."""
    if "," in part:
        raise InvalidValueError(name, text, f"has a comma: {_without_comma(part)}")
    scale = SCALES.get(part[-1:], 1)
    digits = _ungrouped(part[:-1].rstrip() if scale > 1 else part)
    return _plain_decimal(digits, text, name) * scale


def _plain_decimal(part: str, text: str, name: str) -> Fraction:
    """Return the fraction that a plain decimal denotes."""
    # float() comes first: it bounds the exponent, where Fraction('1e999999999') would never end.
    number = _float(part)
    if number is None:
        requirement = f"is not a number such as 0.001, 1e-3 or 1/3{_written(part)}"
        raise InvalidValueError(name, text, requirement)
    if not isfinite(number):
        raise InvalidValueError(name, text, "must be finite, below 1.8e308")
    if not number:
        return _zero(part, text, name)
    try:
        return Fraction(part)
    except ValueError:
        raise InvalidValueError(name, f"{text[:20]}...", "has too many digits") from None


def _ungrouped(part: str) -> str:
    """Return a number without the underscores between its digits, as it is where one is elsewhere.

    >>> _ungrouped("60_000"), _ungrouped("_1"), _ungrouped("1__0")
    ('60000', '_1', '1__0')
    """
    groups = part.split("_")
    if all(left[-1:].isdigit() and right[:1].isdigit() for left, right in pairwise(groups)):
        return "".join(groups)
    return part


def _written(part: str) -> str:
    """Return what is to be written for a number that is spelt in another way, empty for no number.

    >>> _written("1e-4%"), _written("lr=0.1"), _written("10^-4"), _written("nonsense")
    ('; write 1e-06', '; write 0.1', '; write 1e-4', '')
    """
    spelt = part.rpartition("=")[2].strip()
    for spelling, ours in _SPELLINGS:
        spelt = spelt.replace(spelling, ours)
    number = spelt.removesuffix("%")
    if not _float(number) or not isfinite(float(number)):
        return ""
    return f"; write {number if number == spelt else repr(float(number) / _PER_CENT)}"


def _without_comma(part: str) -> str:
    """Return how a number with commas is to be written.

    >>> _without_comma("60,000"), _without_comma("0,01"), _without_comma("1,281,167")
    ('write 60000, or 60.000 if that is meant', 'write 0.01', 'write 1281167')
    >>> _without_comma("1e-4,"), _without_comma("1e-4,1e-3")
    ('write 1e-4', 'write one number, with a point')
    """
    first, *rest = part.rstrip(",").split(",")
    if not rest and first:
        return f"write {first}"
    decimal = ".".join((first, *rest))
    groups_digits = first.strip("+-0") and all(len(group.split(".")[0]) == _GROUP for group in rest)
    if not groups_digits:
        return "write one number, with a point" if _float(decimal) is None else f"write {decimal}"
    whole = f"write {part.replace(',', '')}"
    return f"{whole}, or {decimal} if that is meant" if len(rest) == 1 else whole


def _float(text: str) -> float | None:
    """Return the number that an ASCII text spells, None for any other text."""
    # Python would also read _1 and the digits of other scripts.
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _zero(part: str, text: str, name: str) -> Fraction:
    """Return 0 if every digit before the exponent is 0, else refuse what float64 rounds to 0."""
    if part.lower().partition("e")[0].strip("+-0."):
        raise InvalidValueError(name, text, "is below float64's range")
    return ZERO


def plural(number: float | Fraction, unit: str) -> str:
    """Return a unit as it stands behind a count.

    >>> plural(1, "step"), plural(2, "step"), plural(0.5, "epoch")
    ('step', 'steps', 'epochs')
    """
    return unit if number == 1 else f"{unit}s"


def rounds_to(value: Fraction, number: Number) -> bool:
    """Return whether an exact number, of any size, is another one to within a float64's digits."""
    try:
        return float(value) == float(number)
    except OverflowError:
        return False


def finite(value: Fraction, name: str) -> float:
    """Return the float64 nearest to an exact number.

    Raises:
        InvalidValueError: the number is beyond float64's range.
    """
    try:
        number = float(value)
    except OverflowError:
        number = 0.0
    if value and not number:
        raise InvalidValueError(name, about(value), "is beyond float64's range")
    return number


def ratio(above: float, below: float) -> float | None:
    """Return a quotient, None where it is no float64: nothing divided by, or next to nothing.

    >>> ratio(1.0, 4.0), ratio(1.0, 0.0), ratio(1.0, 1e-310)
    (0.25, None, None)
    """
    quotient = above / below if below else inf
    return None if isinf(quotient) else quotient


def root_of(value: Fraction, degree: int) -> Fraction:
    """Return the positive root of a non-negative fraction, exact or to 200 bits."""
    precise = exact_root(value, degree)
    if precise is not None:
        return precise
    # Scale to an integer of at least degree * 200 bits, so that its integer root has 200.
    size = value.numerator.bit_length() - value.denominator.bit_length()
    shift = max(0, _ROOT_BITS - size // degree + 1)
    scaled = (value.numerator << (shift * degree)) // value.denominator
    return Fraction(_integer_root(scaled, degree), 1 << shift)


def exact_root(value: Fraction, degree: int) -> Fraction | None:
    """Return the root if it is rational, else None."""
    top, bottom = _integer_root(value.numerator, degree), _integer_root(value.denominator, degree)
    if top**degree == value.numerator and bottom**degree == value.denominator:
        return Fraction(top, bottom)
    return None


def _integer_root(value: int, degree: int) -> int:
    """Return the largest integer whose power does not exceed `value` (Newton's iteration)."""
    if value < 2:  # noqa: PLR2004
        return value
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better
