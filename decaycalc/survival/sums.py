"""Sums over the steps of a run that keep their digits: logarithms, shrinks, ages of updates."""

import math
from dataclasses import dataclass, field

import numpy as np

from decaycalc.schedule.shapes import Floats

BLOCK = 64
SMALL_LOSS = 0.01  # largest loss in a block for which its ages are a short series


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

    def append(self, logs: Floats, shrinks: Floats, *, block: int) -> None:
        """Add a chunk of steps at the end, both of shape (n,)."""
        n_whole = len(logs) // block * block
        self._append_blocks(logs[:n_whole].reshape(-1, block))
        self._append_blocks(logs[n_whole:].reshape(-1, 1))
        self.shrink.add(float(shrinks.sum()))
        self.largest = max(self.largest, float(shrinks.max()))

    def append_constant(self, log: float, shrink: float) -> None:
        """Add all of the interval's steps at once, which are alike."""
        n = self.stop - self.start
        self.log.add(n * log)
        self.shrink.add(n * shrink)
        self.gone = _geometric_gone(log, n)
        self.n_steps, self.largest = n, shrink

    def _append_blocks(self, logs: Floats) -> None:
        """Add blocks of steps, shape (n_blocks, block).

        With s the sum of the logs after an update in its block, the part gone is `-expm1(s)`,
        here by its series `-s - s^2/2 - s^3/6`, the first term exact, the others for the mean log.
        In blocks of one step s is 0.
        """
        n_blocks, block = logs.shape
        if not n_blocks:
            return
        sums = logs.sum(axis=1)
        places = np.arange(block, dtype=np.float64)
        mean = sums / block
        squares, cubes = float((places**2).sum()), float((places**3).sum())
        gone = -(logs @ places) - mean**2 * (squares / 2) - mean**3 * (cubes / 6)
        after = np.cumsum(sums[::-1])[::-1] - sums
        total = float((gone * np.exp(after) - block * np.expm1(after)).sum())
        self._append(float(sums.sum()), total, n_steps=n_blocks * block)

    def _append(self, log: float, gone: float, *, n_steps: int) -> None:
        self.gone = self.gone * math.exp(log) - self.n_steps * math.expm1(log) + gone
        self.n_steps += n_steps
        self.log.add(log)


def _geometric_gone(log: float, n: int) -> float:
    """Return the sum of `1 - exp(k*log)` over k from 0 to n - 1."""
    if n * -log < SMALL_LOSS:
        return -log * n * (n - 1) / 2 * (1 + log * (2 * n - 1) / 6 * (1 + log * n / 4))
    return n - math.expm1(n * log) / math.expm1(log)


def choose_block(n_steps: int, largest_shrink: float) -> int:
    """Return how many steps are summed together: one, or many in long runs of weak decay."""
    is_weak = largest_shrink * BLOCK <= SMALL_LOSS
    return BLOCK if is_weak and n_steps > 1 << 20 else 1
