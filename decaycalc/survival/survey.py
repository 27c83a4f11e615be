"""What a decay does over a whole scheduled run: survival, timescales, ages of the updates.

A run is cut into intervals at the points of its curve and these into chunks, so memory does not
depend on the number of steps. Without momentum the logarithm of the survival is the sum of
`log1p(-shrink)`; with momentum see `product`.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from decaycalc.errors import InvalidValueError
from decaycalc.schedule import Schedule
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.product import Weight, advance, start_weight
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.sums import BLOCK, Interval, Sum, is_weak

LEAST_INTERVALS = 64
MOST_POINTS = 100_000
TOGETHER = 4  # chunks whose steps are multiplied at once


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One step of a run, from 0.

    `shrink` is the exact long-run shrink at the step's lr, `survival` what is left of the initial
    weights after the step, `update_weight` the share of this step's update in the final weights
    (None where they are no moving average).
    """

    step: int
    multiplier: float
    shrink: float
    survival: float
    update_weight: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledDecay:
    """What a decay does over a scheduled run. Ages count steps back from the end of the run.

    `sum_shrink` adds the first-order shrinks, `survival` is exact. `timescale_at_peak_steps` is
    1/shrink at peak lr, `mean_timescale_steps` the same of the mean shrink. The final weights are
    a moving average of the updates, `mean_update_age_steps` old on average, half of it younger
    than `half_mass_age_steps`; both are first order in the shrink under momentum. None: the
    weights do not decay, or so fast that they are no average.
    """

    total_steps: int
    sum_shrink: float
    survival: float
    timescale_at_peak_steps: float | None
    mean_timescale_steps: float | None
    mean_update_age_steps: float | None
    half_mass_age_steps: int | None
    curve: tuple[CurvePoint, ...]


def survive(schedule: Schedule, rule: DecayRule, *, n_points: int = 200) -> ScheduledDecay:
    """Return what a decay does over a scheduled run, with a curve of at most `n_points` points.

    >>> from decaycalc.schedule import parse_schedule
    >>> run = parse_schedule("cosine", total_steps=1000)
    >>> round(survive(run, DecayRule(step=1e-3)).sum_shrink, 6)
    0.5005

    Raises:
        InvalidValueError: A step that removes the whole weight; a number of points below 2.
    """
    points = _points(schedule, n_points)
    edges = _edges(schedule.total_steps, points)
    if schedule.is_constant:
        intervals, survivals = _sum_constant(rule, edges)
    else:
        intervals, survivals = _sum_steps(schedule, rule, edges)
    updates = _Updates.of(intervals)
    shrink = updates.sum_shrink
    return ScheduledDecay(
        total_steps=schedule.total_steps,
        sum_shrink=shrink,
        survival=survivals[schedule.total_steps],
        timescale_at_peak_steps=1 / rule.peak_shrink if rule.peak_shrink else None,
        mean_timescale_steps=schedule.total_steps / shrink if shrink else None,
        mean_update_age_steps=updates.mean_age(),
        half_mass_age_steps=updates.half_mass_age(schedule, rule),
        curve=_curve(schedule, rule, points, survivals, updates),
    )


def _points(schedule: Schedule, n_points: int) -> list[int]:
    """Return the steps of the curve: first, last, evenly between, and the schedule's knots."""
    if not 2 <= n_points <= MOST_POINTS:  # noqa: PLR2004  (a curve has two ends)
        raise InvalidValueError("curve", n_points, f"must be from 2 to {MOST_POINTS} points")
    last = schedule.total_steps - 1
    if n_points > last:
        return list(range(last + 1))
    knots = set(schedule.knots()) - {0, last}
    if len(knots) > n_points // 4:
        knots = set()
    n = n_points - len(knots)
    return sorted(knots | {round(place * last / (n - 1)) for place in range(n)})


def _edges(total_steps: int, points: list[int]) -> list[int]:
    """Return where intervals begin and end: after each point; where these are few, evenly too."""
    n_even = 1 if len(points) > LEAST_INTERVALS else LEAST_INTERVALS
    even = {total_steps * place // n_even for place in range(n_even + 1)}
    return sorted(even | {point + 1 for point in points})


def _sum_constant(rule: DecayRule, edges: list[int]) -> tuple[list[Interval], dict[int, float]]:
    """Return the sums over each interval, and what is left at its end, in closed form."""
    intervals = [Interval(start=start, stop=stop) for start, stop in pairwise(edges)]
    shrink = rule.peak_shrink
    log = float(rule.logs(np.array([shrink]), largest=shrink)[0])
    for interval in intervals:
        interval.append_constant(log, shrink)
    if rule.momentum:
        return intervals, {stop: rule.free_survival(stop) for stop in edges[1:]}
    return intervals, {stop: math.exp(stop * log) for stop in edges[1:]}


def _sum_steps(
    schedule: Schedule, rule: DecayRule, edges: list[int]
) -> tuple[list[Interval], dict[int, float]]:
    """Return the same from every step."""
    by_blocks = rule.is_plain and is_weak(schedule.total_steps, rule.peak_shrink)
    weight = start_weight(rule, float(schedule.multiplier(np.zeros(1))[0]))
    intervals, survivals, log = [], {}, Sum()
    for start, stop in pairwise(edges):
        interval = Interval(start=start, stop=stop)
        _sum_interval(interval, schedule, rule, by_blocks=by_blocks, weight=weight)
        intervals.append(interval)
        log.add_sum(interval.log)
        survivals[stop] = weight.survival() if rule.momentum else math.exp(log.get())
    return intervals, survivals


def _sum_interval(
    interval: Interval, schedule: Schedule, rule: DecayRule, *, by_blocks: bool, weight: Weight
) -> None:
    """Add an interval's steps; under momentum take the weight through them.

    The first interval is the first step, which has filled the buffer already.
    """
    waiting: list[Floats] = []
    peak, iterates = rule.peak_shrink, bool(rule.momentum and interval.start)
    for multiplier in schedule.chunks(interval.start, interval.stop):
        shrinks = rule.factors(multiplier) * peak
        _append(interval, rule, shrinks, by_blocks=by_blocks)
        if iterates and not weight.is_gone:
            waiting.append(multiplier)
            if len(waiting) == TOGETHER:
                advance(weight, rule, np.concatenate(waiting))
                waiting.clear()
    if waiting:
        advance(weight, rule, np.concatenate(waiting))


def _append(interval: Interval, rule: DecayRule, shrinks: Floats, *, by_blocks: bool) -> None:
    """Add a chunk of first-order shrinks to an interval's sums."""
    largest = float(shrinks.max())
    n_weak = len(shrinks) // BLOCK * BLOCK if by_blocks and largest <= rule.peak_shrink else 0
    if n_weak:
        interval.append_weak(shrinks[:n_weak], largest=largest)
    if n_weak < len(shrinks):
        rest = shrinks[n_weak:]
        interval.append(rule.logs(rest, largest=largest), rest, largest=largest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Updates:
    """The updates' shares in the final weights, which are their moving average.

    `after` is the log of what the steps after each interval leave, `total` that of all steps.
    """

    intervals: list[Interval]
    after: dict[int, float]
    total: float

    @classmethod
    def of(cls, intervals: list[Interval]) -> "_Updates":
        log, after = Sum(), {}
        for interval in reversed(intervals):
            after[interval.stop] = log.get()
            log.add_sum(interval.log)
        return cls(intervals=intervals, after=after, total=log.get())

    @property
    def sum_shrink(self) -> float:
        """The sum of all first-order shrinks."""
        shrink = Sum()
        for interval in self.intervals:
            shrink.add_sum(interval.shrink)
        return shrink.get()

    @property
    def are_averaged(self) -> bool:
        """Whether the final weights are a moving average: each step takes a share below 1."""
        return self.total < 0 and max(interval.largest for interval in self.intervals) < 1

    def mean_age(self) -> float | None:
        """Return the mean age of the updates in the final weights, in steps.

        An update of step i has weight `left[i] - left[i-1]`, left = what later steps leave; summed
        by parts over ages that is `n - 1 - sum(1 - left)/(1 - left of the initial weights)`.
        """
        if not self.are_averaged:
            return None
        gone = math.fsum(
            each.gone * math.exp(self.after[each.stop])
            - each.n_steps * math.expm1(self.after[each.stop])
            for each in self.intervals
        )
        n_steps = self.intervals[-1].stop
        return max(n_steps - 1 + gone / math.expm1(self.total), 0.0)

    def half_mass_age(self, schedule: Schedule, rule: DecayRule) -> int | None:
        """Return how many of the last updates make up half of the weight of all."""
        if not self.are_averaged:
            return None
        target = math.log1p(math.expm1(self.total) / 2)  # log of what is left where half is later
        place = next(
            each
            for each in reversed(self.intervals)
            if self.after[each.stop] + each.log.get() <= target or not each.start
        )
        found = _find_log(schedule, rule, place, target - self.after[place.stop])
        return schedule.total_steps - found

    def share(self, step: int, shrink: float) -> float | None:
        """Return the share of the update of an interval's last step in the final weights."""
        return shrink * math.exp(self.after[step + 1]) if self.are_averaged else None


def _find_log(schedule: Schedule, rule: DecayRule, interval: Interval, target: float) -> int:
    """Return the last step of an interval whose rest has logs that add up to `target` or less."""
    rest, found = interval.log.get(), interval.start
    if schedule.is_constant:
        n_later = math.ceil(target / rest * (interval.stop - interval.start))
        return max(interval.stop - n_later, interval.start)
    for multiplier in schedule.chunks(interval.start, interval.stop):
        shrinks = rule.factors(multiplier) * rule.peak_shrink
        logs = rule.logs(shrinks, largest=float(shrinks.max()))
        rests = rest - np.cumsum(logs)
        above = np.flatnonzero(rests > target)
        if len(above):
            return found + int(above[0])
        rest, found = float(rests[-1]), found + len(logs)
    return interval.stop - 1


def _curve(
    schedule: Schedule,
    rule: DecayRule,
    points: list[int],
    survivals: dict[int, float],
    updates: _Updates,
) -> tuple[CurvePoint, ...]:
    multipliers = schedule.multiplier(np.array(points, dtype=np.float64))
    factors = rule.factors(multipliers)
    return tuple(
        CurvePoint(
            step=step,
            multiplier=float(multiplier),
            shrink=rule.long_run_shrink(float(factor)),
            survival=survivals[step + 1],
            update_weight=updates.share(step, rule.peak_shrink * float(factor)),
        )
        for step, multiplier, factor in zip(points, multipliers, factors, strict=True)
    )


def predict_mean_square(schedule: Schedule, *, lr: float, decay: float, start: float) -> float:
    """Return AdamW's predicted mean square weight at a scheduled run's end, for normalised layers.

    Each step takes `r` to `(1 - lr[t]*decay)^2*r + lr[t]^2`, `start` is the mean square at first.

    Raises:
        InvalidValueError: lr*decay of 1 or more.
    Source: Su, kexue.fm 11404; the recursion itself, whose mean-value formula is 26 % too high.
    """
    rule = DecayRule(step=lr * decay)
    mean_square = start
    for multiplier in schedule.chunks(0, schedule.total_steps):
        shrinks = multiplier * rule.step
        logs = 2 * rule.logs(shrinks, largest=float(shrinks.max()))
        after = np.cumsum(logs[::-1])[::-1] - logs
        grown = float((np.exp(after) * (multiplier * lr) ** 2).sum())
        mean_square = mean_square * math.exp(float(logs.sum())) + grown
    return mean_square
