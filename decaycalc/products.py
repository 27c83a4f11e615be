"""Products of powers of arrays, and whether a negative or endless number is among them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Arrays of one shape and the whole powers to which they are raised.
Factors = Sequence[tuple[Floats, int]]


def hidden(factors: Factors) -> list[Floats]:
    """Return the arrays whose negative numbers may not show in the product.

    Those of even powers, and of the odd ones all but one.
    """
    even = [array for array, power in factors if power % 2 == 0]
    return even + [array for array, power in factors if power % 2][1:]


def multiply(result: Floats, factors: Factors, coefficient: float, root: int) -> None:
    """Write the product of powers into `result`."""
    (first, power), *others = factors
    if power > 0 and coefficient == 1 and others and others[0][1] > 0:
        second, exponent = others.pop(0)
        np.multiply(first, second, out=result)
        others += [(second, exponent - 1)]
    elif power > 0:
        np.multiply(first, coefficient, out=result)
    else:
        np.divide(coefficient, first, out=result)
    others += [(first, power - 1 if power > 0 else power + 1)]
    for array, exponent in others:
        for _ in range(abs(exponent)):
            (np.multiply if exponent > 0 else np.divide)(result, array, out=result)
    if root > 1:
        np.power(result, 1 / root, out=result)


def is_sound(result: Floats, hidden: Sequence[Floats]) -> bool:
    """Return whether nothing but positive, normal numbers are in a block and what it hides.

    A negative or endless number of any other array shows in the result.
    """
    if not (_least(result, axis=None) > TINY and _most(result, axis=None) < np.inf):
        return False
    return all(_least(array, axis=None) > 0 for array in hidden)


TINY = np.finfo(np.float64).tiny
_least, _most = np.minimum.reduce, np.maximum.reduce
