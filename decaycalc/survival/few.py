"""The sums over a run from few of its steps, where its schedule is made of smooth pieces.

See `blocks` for how; here stands what is summed: logarithms, shrinks, and what has decayed of each
update at the end of the run.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from decaycalc.schedule import CHUNK, Schedule
from decaycalc.schedule.pieces import Integers
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.blocks import Stretches, join, read_series, sum_stretches
from decaycalc.survival.every import EveryStep
from decaycalc.survival.gram import LEAST_POWER, block, is_smooth
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.sums import Interval, Sum

FORGOTTEN = -60.0  # log of what is left of updates that no longer matter
PLACES = 64  # parts of an interval that is searched


@dataclass(frozen=True)
class FewSteps:
    """A decay over a run that is smooth between neighbours of `pieces`."""

    schedule: Schedule
    rule: DecayRule
    pieces: Integers

    def shrinks(self, steps: Floats) -> Floats:
        """Return the first-order shrink of each step."""
        return self.rule.factors(self.schedule.multiplier(steps)) * self.rule.peak_shrink

    def logs(self, steps: Floats) -> Floats:
        """Return the logarithm of what each step leaves.

        Raises:
            InvalidValueError: A step that removes the whole weight.
        """
        return self.rule.logs(self.shrinks(steps), largest=self.largest)

    @cached_property
    def largest(self) -> float:
        """The largest shrink of all steps: at an end of a piece, as these are monotone."""
        ends = self.pieces.astype(np.float64)
        return float(self.shrinks(np.concatenate((ends[:-1], ends[1:] - 1))).max())

    def _cut(self, edges: list[int]) -> Integers:
        """Return edges and pieces together, from the first to the last edge."""
        cuts = np.union1d(edges, self.pieces)
        return np.asarray(cuts[(cuts >= edges[0]) & (cuts <= edges[-1])])

    def sum_intervals(self, edges: list[int]) -> list[Interval]:
        """Return the sums over the intervals between the edges, without those of updates."""
        cuts = self._cut(edges)
        stretches = Stretches.between(cuts)
        places = np.searchsorted(edges, stretches.starts, side="right") - 1
        found = stretches._replace(places=places)
        logs, shrinks = (
            sum_stretches(function, found, len(edges) - 1) for function in (self.logs, self.shrinks)
        )
        return [
            Interval(start=start, stop=stop, log=Sum(log), shrink=Sum(shrink), largest=self.largest)
            for start, stop, log, shrink in zip(
                edges[:-1], edges[1:], logs.tolist(), shrinks.tolist(), strict=True
            )
        ]

    def sum_gone(self, intervals: list[Interval], after: dict[int, float]) -> float:
        """Return the sum over all updates of the part of each that has decayed when the run ends.

        `after` is the log of what the steps after each interval's stop leave. Updates older than
        `FORGOTTEN` are gone.
        """
        stops = [each.stop for each in intervals]
        start = max((stop for stop in stops if after[stop] < FORGOTTEN), default=0)
        stretches = Stretches.between(self._cut([start, stops[-1]]))
        parts = join(*(stretches.blocks(power) for power in stretches.powers()), stretches.rests())
        order = np.argsort(parts.starts)
        parts = Stretches(*(each[order] for each in parts))
        later = np.cumsum(self._sum_each(parts)[:0:-1])[::-1]
        return start + self._gone_of(parts, np.append(later, 0.0))

    def find_log(self, interval: Interval, target: float) -> int:
        """Return the last step of an interval that, with those after it, leaves `target` or less.

        `target` is a logarithm, that of the whole interval or more.
        """
        while interval.stop - interval.start > CHUNK:
            even = np.linspace(interval.start, interval.stop, PLACES + 1).astype(np.int64)
            cuts = self._cut(even.tolist())
            logs = self._sum_each(Stretches.between(cuts))
            rests = np.append(np.cumsum(logs[::-1])[::-1], 0.0)
            place = int(np.flatnonzero(rests[1:] > target)[0])
            target -= float(rests[place + 1])
            start, stop = cuts[place : place + 2].tolist()
            interval = Interval(start=start, stop=stop, log=Sum(float(logs[place])))
        return EveryStep(self.schedule, self.rule).find_log(interval, target)

    def _sum_each(self, stretches: Stretches) -> Floats:
        n = len(stretches.starts)
        return sum_stretches(self.logs, stretches._replace(places=np.arange(n)), n)

    def _gone_of(self, parts: Stretches, after: Floats) -> float:
        """Return the same of blocks and rests, `after` the log of what later steps leave."""
        matters = after > FORGOTTEN
        gone = float(parts.lengths[~matters].sum())
        parts, after = parts.where(matters), after[matters]
        for power in parts.powers():
            chosen = parts.lengths == 1 << power
            more, rough, rough_after = self._gone_of_blocks(
                power, parts.where(chosen), after[chosen]
            )
            gone += more
            parts = join(parts.where(~chosen), rough)
            after = np.concatenate((after[~chosen], rough_after))
        return gone + self._gone_of_rests(parts._replace(places=np.arange(len(after))), after)

    def _gone_of_blocks(
        self, power: int, blocks: Stretches, after: Floats
    ) -> tuple[float, Stretches, Floats]:
        """Return the sum over the smooth ones, and the halves of the others with their `after`."""
        rules = block(power)
        logs, _, smooth = read_series(self.logs, blocks.starts, power)
        series = np.expm1(logs @ rules.later + after[:, None]) @ rules.series
        last = series @ rules.at_others[:, 1:2]
        smooth &= is_smooth(series, last, np.expm1(after)[:, None])
        first, second = blocks.where(~smooth).halves()
        later = after[~smooth]
        if power == LEAST_POWER:
            return -float(series[smooth, 0].sum()) * rules.n_steps, blocks.where(~smooth), later
        earlier = later + self._sum_each(second)
        gone = -float(series[smooth, 0].sum()) * rules.n_steps
        return gone, join(first, second), np.concatenate((earlier, later))

    def _gone_of_rests(self, rests: Stretches, after: Floats) -> float:
        """Return the sum over short stretches, step by step."""
        gone = 0.0
        for part, steps, meant in rests.rows():
            logs = np.where(meant, self.logs(steps), 0)
            later = np.cumsum(logs[:, ::-1], axis=1)[:, ::-1] - logs + after[part.places, None]
            gone -= float(np.where(meant, np.expm1(later), 0).sum())
        return gone
