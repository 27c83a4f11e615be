"""The walk of a weight under momentum through a scheduled run, noting what is left on the way.

Near kinks every step is taken, and where the lr is constant powers of them (see `product`). Once
momentum has forgotten the last kink, and the ratio of buffer and weight is found to be the settled
one (see `slow`), the walk leaps: over the rest of the smooth piece the logarithm of the weight is a
sum of a smooth function (see `blocks`).
"""

from collections.abc import Iterator
from itertools import groupby, islice, takewhile

import numpy as np

from decaycalc.schedule import Schedule
from decaycalc.schedule.pieces import Integers
from decaycalc.survival.blocks import Stretches, sum_stretches
from decaycalc.survival.product import advance, hold, start_weight
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.slow import SlowRatio, least_steps, memory_steps, settle_ratio
from decaycalc.survival.sums import Sum

TOGETHER = 4  # chunks whose steps are multiplied at once
SETTLED = 1e-12  # how near the ratio must be to the settled one, beside it
NOTHING = 1e-17  # or beside a weight of 1, in all


def walk(
    schedule: Schedule, rule: DecayRule, edges: list[int], pieces: Integers | None
) -> dict[int, float]:
    """Return what is left of the weight at each edge; 1 is the first, the run's length the last.

    Between two of `pieces` the multiplier is smooth; without them every step is taken.
    """
    walker = _Walker(schedule, rule, edges)
    if pieces is not None:
        for constant, group in groupby(_pieces(schedule, pieces), key=lambda piece: piece[2]):
            if constant:
                walker.hold(list(group))
            else:
                for start, stop, _ in group:
                    walker.settle(start, stop)
    walker.step_to(edges[-1])
    return walker.survivals


def _pieces(schedule: Schedule, cuts: Integers) -> Iterator[tuple[int, int, bool]]:
    """Yield where pieces start and stop, and if their multiplier is constant."""
    first = schedule.multiplier(cuts[:-1].astype(np.float64))
    last = schedule.multiplier((cuts[1:] - 1).astype(np.float64))
    return zip(cuts[:-1].tolist(), cuts[1:].tolist(), (first == last).tolist(), strict=True)


class _Walker:
    """A weight at a step; `survivals` holds what was left at the edges behind it."""

    def __init__(self, schedule: Schedule, rule: DecayRule, edges: list[int]) -> None:
        self.schedule, self.rule = schedule, rule
        self.weight = start_weight(rule, float(schedule.multiplier(np.zeros(1))[0]))
        self.position, self.survivals = 1, {1: self.weight.survival()}
        self._edges = [edge for edge in reversed(edges) if edge > 1]

    def step_to(self, stop: int) -> None:
        """Take every step before `stop`."""
        while self.position < stop:
            target = min(self._edges[-1], stop)
            self._take(target)
            self._note()

    def _note(self) -> None:
        """Note what is left if the position is the next edge."""
        if self.position == self._edges[-1]:
            self.survivals[self._edges.pop()] = self.weight.survival()

    def _take(self, stop: int) -> None:
        chunks = self.schedule.chunks(self.position, stop)
        while not self.weight.is_gone and (several := list(islice(chunks, TOGETHER))):
            advance(self.weight, self.rule, np.concatenate(several))
        self.position = stop

    def hold(self, pieces: list[tuple[int, int, bool]]) -> None:
        """Take the steps of some pieces of constant lr, one after the other, by powers."""
        self.step_to(pieces[0][0])
        stops = [stop for _, stop, _ in pieces]
        inside = takewhile(lambda edge: edge <= stops[-1], reversed(self._edges))
        cuts = np.unique([self.position, *stops, *inside])
        cuts = cuts[cuts >= self.position]
        if len(cuts) > 1:
            self._hold(cuts)

    def _hold(self, cuts: Integers) -> None:
        multipliers = self.schedule.multiplier(cuts[:-1].astype(np.float64))
        stretches = hold(self.rule, multipliers, np.diff(cuts))
        for self.position, each in zip(cuts[1:].tolist(), stretches, strict=True):
            times = each.times
            while times and not self.weight.is_gone:
                self.weight.advance(each.block)
                times -= 1
            self.weight.advance(each.rest)
            self._note()

    def settle(self, start: int, stop: int) -> None:
        """Pass over a smooth piece, but for what is left of it to later calls."""
        entry = max(start, 1) + memory_steps(self.rule)
        if stop - entry >= least_steps(self.rule):
            for settled in settle_ratio(self.rule, self.schedule, entry, stop):
                self._pass_over(settled)

    def _pass_over(self, settled: SlowRatio) -> None:
        """Leap to the end of the steps of a settled ratio, once the ratio is that one."""
        wait, target = memory_steps(self.rule), settled.start
        while target < settled.stop and not self.weight.is_gone:
            self.step_to(target)
            if self._is_settled(settled):
                self._leap(settled)
                return
            target, wait = target + wait, 2 * wait

    def _leap(self, settled: SlowRatio) -> None:
        inside = []
        while self._edges and self._edges[-1] <= settled.stop:
            inside.append(self._edges.pop())
        cuts = np.unique([self.position, *inside, settled.stop])
        sums = sum_stretches(settled.log, Stretches.between(cuts), len(cuts) - 1)
        log, logs = Sum(), {self.position: 0.0}
        for cut, part in zip(cuts[1:].tolist(), sums.tolist(), strict=True):
            log.add(part)
            logs[cut] = log.get()
        for edge in inside:
            self.survivals[edge] = self.weight.survival(logs[edge])
        self.weight.jump(logs[settled.stop], settled.ratio_after())
        self.position = settled.stop

    def _is_settled(self, settled: SlowRatio) -> bool:
        """Return whether the ratio is the settled one but for what can no longer be seen."""
        expected = float(settled.ratio(np.array([float(self.position)]))[0])
        off = abs(self.weight.ratio() - expected)
        return off <= max(SETTLED * expected, NOTHING * (1 - self.rule.momentum))
