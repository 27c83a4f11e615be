"""Sums over the steps of a run that keep their digits: logarithms, shrinks, ages of updates."""

import math
from dataclasses import dataclass, field

import numpy as np

from decaycalc.schedule.shapes import Floats

BLOCK = 64
LONG_RUN = 1 << 20
SMALL_LOSS = 0.01  # largest loss in a block for which its ages are a short series
_PLACES = np.arange(BLOCK, dtype=np.float64)
_SQUARES, _CUBES = float((_PLACES**2).sum()), float((_PLACES**3).sum())


@dataclass(slots=True)
class Sum:
    """A compensated sum.

    Source: Neumaier 1974; what each addition rounds off is added up beside it.
    """

    value: float = 0.0
    lost: float = 0.0

    def add(self, term: float) -> None:
        """Add a term."""
        total = self.value + term
        if abs(self.value) >= abs(term):
            self.lost += (self.value - total) + term
        else:
            self.lost += (term - total) + self.value
        self.value = total

    def add_sum(self, other: "Sum") -> None:
        """Add another sum with what it has lost."""
        self.add(other.value)
        self.add(other.lost)

    def get(self) -> float:
        """Return the sum."""
        return self.value + self.lost


@dataclass(slots=True)
class Interval:
    """Sums over the steps `start <= step < stop`.

    `log` of what they leave of a weight, and `shrink` to first order, also its `largest`. `gone`
    is the sum over their updates of the part of each that has decayed when the interval ends.
    """

    start: int
    stop: int
    log: Sum = field(default_factory=Sum)
    shrink: Sum = field(default_factory=Sum)
    gone: float = 0.0
    n_steps: int = 0
    largest: float = 0.0

    def append(self, logs: Floats, shrinks: Floats, *, largest: float) -> None:
        """Add a chunk of steps at the end, both of shape (n,)."""
        sums = logs[::-1].cumsum()[::-1]
        gone = -float(np.expm1(sums[1:]).sum())
        self._append(float(logs.sum()), gone, n_steps=len(logs))
        self.shrink.add(float(shrinks.sum()))
        self.largest = max(self.largest, largest)

    def append_weak(self, shrinks: Floats, *, largest: float) -> None:
        """Add a chunk of weak decays, shape (n,), n a multiple of `BLOCK`.

        `log1p(-s)` is `-(s + s^2/2 + s^3/3 + s^4/4)`: the next term is below half a unit in the
        last place of s. With r the sum of the logs after an update in its block, the part of it
        that is gone is `-expm1(r)`, here `-r - r^2/2 - r^3/6`, where the first term takes each
        step's shrink and the others the block's mean.
        """
        squares = shrinks * shrinks
        sums = shrinks.reshape(-1, BLOCK).sum(axis=1)
        total = float(sums.sum())
        cubes = float(np.einsum("i,i->", squares, shrinks))
        fourths = float(np.einsum("i,i->", squares, squares))
        log = -(total + (float(squares.sum()) / 2 + (cubes / 3 + fourths / 4)))
        # einsum, no matrix product: its threads cost more than they save on so little.
        moments = np.einsum("ij,j->i", shrinks.reshape(-1, BLOCK), _PLACES)
        mean = sums / BLOCK
        mean += mean * mean / 2
        moments *= 1 + mean / 2
        gone = moments - mean * mean * (_SQUARES / 2 - mean * (_CUBES / 6))
        after = BLOCK * (mean - mean[::-1].cumsum()[::-1])
        n_gone = float((gone * np.exp(after)).sum()) - BLOCK * float(np.expm1(after).sum())
        self._append(log, n_gone, n_steps=len(shrinks))
        self.shrink.add(total)
        self.largest = max(self.largest, largest)

    def append_constant(self, log: float, shrink: float) -> None:
        """Add all of the interval's steps at once, which are alike."""
        n = self.stop - self.start
        self.log.add(n * log)
        self.shrink.add(n * shrink)
        self.gone = _geometric_gone(log, n)
        self.n_steps, self.largest = n, shrink

    def _append(self, log: float, gone: float, *, n_steps: int) -> None:
        self.gone = self.gone * math.exp(log) - self.n_steps * math.expm1(log) + gone
        self.n_steps += n_steps
        self.log.add(log)


def _geometric_gone(log: float, n: int) -> float:
    """Return the sum of `1 - exp(k*log)` over k from 0 to n - 1."""
    if n * -log < SMALL_LOSS:
        return -log * n * (n - 1) / 2 * (1 + log * (2 * n - 1) / 6 * (1 + log * n / 4))
    return n - math.expm1(n * log) / math.expm1(log)


def is_weak(n_steps: int, largest_shrink: float) -> bool:
    """Return whether a run is so long, and its decay so weak, that blocks of steps are summed."""
    return largest_shrink * BLOCK <= SMALL_LOSS and n_steps > LONG_RUN
