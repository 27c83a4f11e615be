"""Sums of a function of the step over a whole run, from few of its steps: see `gram`.

Each stretch is cut into blocks of 2^k steps and a rest. A block whose series does not end is
halved, down to `SHORT` steps, and what is left then is added up step by step, as rests are: so
every kink and every singularity is met by ever shorter blocks, and where nothing is smooth the sum
is the plain one. A monotone function that is the same at both ends of a stretch is constant.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from decaycalc.schedule.pieces import Integers
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.gram import LEAST_POWER, TERMS, block, is_smooth

Function = Callable[[Floats], Floats]

SHORT = 1 << LEAST_POWER
AT_ONCE = 1 << 14  # values held at once
N_ENDS = 2  # a block's first and last step


class Stretches(NamedTuple):
    """Stretches of steps: where each starts, its length, and the place of the sum it belongs to."""

    starts: Integers
    lengths: Integers
    places: Integers

    @classmethod
    def between(cls, cuts: Integers) -> "Stretches":
        """Return those from each cut to the next, with a sum for each."""
        return cls(cuts[:-1], np.diff(cuts), np.arange(len(cuts) - 1))

    def where(self, kept: NDArray[np.bool_]) -> "Stretches":
        """Return those that are kept."""
        return Stretches(*(each[kept] for each in self))

    def halves(self) -> tuple["Stretches", "Stretches"]:
        """Return the first halves and the second ones; the lengths are even."""
        lengths = self.lengths // 2
        second = Stretches(self.starts + lengths, lengths, self.places)
        return Stretches(self.starts, lengths, self.places), second

    def parts(self, n_values: int) -> Iterator["Stretches"]:
        """Yield them in parts, so that `n_values` of each are not too many at once."""
        size = max(AT_ONCE // n_values, 1)
        for first in range(0, len(self.starts), size):
            yield Stretches(*(each[first : first + size] for each in self))

    def blocks(self, power: int) -> "Stretches":
        """Return the block of `2^power` steps of each whose length has that binary digit."""
        chosen = self.where((self.lengths >> power & 1).astype(bool))
        before = chosen.lengths >> (power + 1) << (power + 1)
        lengths = np.full_like(before, 1 << power)
        return Stretches(chosen.starts + before, lengths, chosen.places)

    def rests(self) -> "Stretches":
        """Return what is left at the end of each after its blocks."""
        chosen = self.where(self.lengths % SHORT > 0)
        lengths = chosen.lengths % SHORT
        return Stretches(chosen.starts + chosen.lengths - lengths, lengths, chosen.places)

    def powers(self) -> Iterator[int]:
        """Yield the powers of their blocks from the largest possible down to the least."""
        yield from range(int(self.lengths.max(initial=0)).bit_length() - 1, LEAST_POWER - 1, -1)

    def rows(self) -> Iterator[tuple["Stretches", Floats, NDArray[np.bool_]]]:
        """Yield short stretches with their steps, a stretch a row, and which steps are meant."""
        width = SHORT
        while width:
            alike = (self.lengths <= width) & (self.lengths > width // 2)
            for part in self.where(alike).parts(width):
                places, lengths = np.arange(width), part.lengths[:, None]
                steps = part.starts[:, None] + np.minimum(places, lengths - 1)
                yield part, steps.astype(np.float64), places < lengths
            width //= 2


def join(*parts: Stretches) -> Stretches:
    """Return the stretches of all parts."""
    return Stretches(*(np.concatenate(each) for each in zip(*parts, strict=True)))


NONE = Stretches(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


def sum_stretches(function: Function, stretches: Stretches, n_sums: int) -> Floats:
    """Return the sums over the stretches, shape (n_sums,).

    `function` is monotone on each; it takes steps of any shape.
    """
    first = function(stretches.starts.astype(np.float64))
    last = function((stretches.starts + stretches.lengths - 1).astype(np.float64))
    constant = first == last
    terms = [(stretches.places[constant], (first * stretches.lengths)[constant])]
    varying, rough = stretches.where(~constant), NONE
    for power in varying.powers():
        found = join(varying.blocks(power), *rough.halves())
        rough = _sum_smooth(function, found, power, terms)
    for part, steps, meant in join(varying.rests(), rough).rows():
        terms.append((part.places, np.where(meant, function(steps), 0).sum(axis=1)))
    places, values = (np.concatenate(each) for each in zip(*terms, strict=True))
    return _sum_by_place(places, values, n_sums)


def _sum_by_place(places: Integers, values: Floats, n_sums: int) -> Floats:
    """Return the sum of the values at each place, rounded once."""
    order = np.argsort(places, kind="stable")
    ends = np.searchsorted(places[order], np.arange(n_sums + 1)).tolist()
    sorted_values = values[order].tolist()
    return np.array([math.fsum(sorted_values[start:stop]) for start, stop in pairwise(ends)])


def _sum_smooth(
    function: Function, found: Stretches, power: int, terms: list[tuple[Integers, Floats]]
) -> Stretches:
    """Add the sums over the smooth blocks to the `terms`, and return the other blocks."""
    rough = [NONE]
    for part in found.parts(TERMS):
        _, series, smooth = read_series(function, part.starts, power)
        terms.append((part.places[smooth], series[smooth, 0] * (1 << power)))
        rough.append(part.where(~smooth))
    return join(*rough)


def read_series(
    function: Function, starts: Integers, power: int
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return a function's values at the nodes of blocks, its series there, and if they are good."""
    rules = block(power)
    values = function(starts[:, None] + rules.nodes)
    ends = function(starts[:, None] + rules.others[:N_ENDS])
    series = values @ rules.series
    return values, series, is_smooth(series, series @ rules.at_others[:, :N_ENDS], ends)
