"""The sums over a run from every one of its steps: the definition, and the way for rough runs."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from decaycalc.schedule import Schedule
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.sums import BLOCK, Interval, is_weak


def sum_gone(intervals: list[Interval], after: dict[int, float]) -> float:
    """Return the sum over all updates of the part of each that has decayed when the run ends.

    `after` is the log of what the steps after each interval's stop leave.
    """
    return math.fsum(
        each.gone * math.exp(after[each.stop]) - each.n_steps * math.expm1(after[each.stop])
        for each in intervals
    )


@dataclass(frozen=True, slots=True)
class EveryStep:
    """A decay over a run of which every step is taken."""

    schedule: Schedule
    rule: DecayRule

    def sum_intervals(self, edges: list[int]) -> list[Interval]:
        """Return the sums over the intervals between the edges.

        Raises:
            InvalidValueError: A step that removes the whole weight.
        """
        by_blocks = self.rule.is_plain and is_weak(edges[-1], self.rule.peak_shrink)
        intervals = [Interval(start=start, stop=stop) for start, stop in pairwise(edges)]
        for interval in intervals:
            for multiplier in self.schedule.chunks(interval.start, interval.stop):
                self._append(interval, self._shrinks(multiplier), by_blocks=by_blocks)
        return intervals

    def _shrinks(self, multiplier: Floats) -> Floats:
        return self.rule.factors(multiplier) * self.rule.peak_shrink

    def _append(self, interval: Interval, shrinks: Floats, *, by_blocks: bool) -> None:
        """Add a chunk of first-order shrinks to an interval's sums."""
        largest = float(shrinks.max())
        is_small = by_blocks and largest <= self.rule.peak_shrink
        n_weak = len(shrinks) // BLOCK * BLOCK if is_small else 0
        if n_weak:
            interval.append_weak(shrinks[:n_weak], largest=largest)
        if n_weak < len(shrinks):
            rest = shrinks[n_weak:]
            interval.append(self.rule.logs(rest, largest=largest), rest, largest=largest)

    def sum_gone(self, intervals: list[Interval], after: dict[int, float]) -> float:
        """Return the sum over all updates of the part of each that has decayed at the end."""
        return sum_gone(intervals, after)

    def find_log(self, interval: Interval, target: float) -> int:
        """Return the last step of an interval that, with those after it, leaves `target` or less.

        `target` is a logarithm, that of the whole interval or more.
        """
        rest, found = interval.log.get(), interval.start
        for multiplier in self.schedule.chunks(interval.start, interval.stop):
            shrinks = self._shrinks(multiplier)
            rests = rest - np.cumsum(self.rule.logs(shrinks, largest=float(shrinks.max())))
            above = np.flatnonzero(rests > target)
            if len(above):
                return found + int(above[0])
            rest, found = float(rests[-1]), found + len(rests)
        return interval.stop - 1


@dataclass(frozen=True, slots=True)
class EqualSteps:
    """A decay over a run whose steps are all at peak lr: the same sums in closed form."""

    rule: DecayRule

    def sum_intervals(self, edges: list[int]) -> list[Interval]:
        """Return the sums over the intervals between the edges.

        Raises:
            InvalidValueError: A step that removes the whole weight.
        """
        intervals = [Interval(start=start, stop=stop) for start, stop in pairwise(edges)]
        shrink = self.rule.peak_shrink
        log = float(self.rule.logs(np.array([shrink]), largest=shrink)[0])
        for interval in intervals:
            interval.append_constant(log, shrink)
        return intervals

    def sum_gone(self, intervals: list[Interval], after: dict[int, float]) -> float:
        """Return the sum over all updates of the part of each that has decayed at the end."""
        return sum_gone(intervals, after)

    def find_log(self, interval: Interval, target: float) -> int:
        """Return the last step of an interval that, with those after it, leaves `target`."""
        share = target / interval.log.get()
        return max(interval.stop - math.ceil(share * interval.n_steps), interval.start)
