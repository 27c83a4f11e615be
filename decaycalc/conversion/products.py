"""Products of powers of arrays, block by block, and whether an odd number is among them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Arrays of one shape and the whole powers to which they are raised.
Factors = Sequence[tuple[Floats, int]]

# Elements that a thread takes at a time: fewer, and their handing out would cost.
_TURN = 1 << 19


def by_blocks(work: Callable[[slice], None], *, size: int, block: int) -> None:
    """Do the work on each block of an array, large arrays shared among the processor's cores.

    Numpy lets go of the interpreter while it computes, so threads do run side by side; each takes
    the next turn when it has done one, so a core that is busy elsewhere keeps nobody waiting. What
    overflows or divides by zero says nothing: the work is to look at what it has made.

    Raises:
        What the work raises, on the first block on which it does.
    """

    def run(first: int) -> None:
        last = min(first + _TURN, size)
        with np.errstate(all="ignore"):  # of this thread
            for start in range(first, last, block):
                work(slice(start, min(start + block, last)))

    turns = range(0, size, _TURN)
    count = min(_n_cores(), len(turns))
    if count <= 1:
        for first in turns:
            run(first)
        return
    with ThreadPoolExecutor(count) as pool:
        for _ in pool.map(run, turns):
            pass


def _n_cores() -> int:
    """Return how many cores this process may run on, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
