"""The number of classes that a network tells apart."""

from decaycalc.algebra.number import exact
from decaycalc.errors import InvalidValueError

_FEWEST = 2  # of one class the loss is 0 from the start


def classes_of(text: str | None) -> int | None:
    """Return a number of classes as it was typed, None where none was.

    Raises:
        InvalidValueError: not a whole number of at least 2.
    """
    if text is None:
        return None
    count = exact(text, name="classes")
    if count.denominator != 1 or count < _FEWEST:
        raise InvalidValueError("classes", text, "must be a whole number of at least 2")
    return int(count)
