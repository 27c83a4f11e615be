"""What a decay does over a whole scheduled run: survival, timescales, ages of the updates.

A run is cut into intervals at the points of its curve. Their sums come from a few of the steps
where the schedule is smooth (`few`), from all where it is not (`every`); memory depends on neither.
Without momentum the logarithm of the survival is the sum of `log1p(-shrink)`; with it see `walk`.
"""

import math
from dataclasses import dataclass

import numpy as np

from decaycalc.algebra.number import ratio
from decaycalc.errors import InvalidValueError
from decaycalc.schedule import Schedule
from decaycalc.schedule.pieces import Integers, cut_pieces
from decaycalc.survival.every import EqualSteps, EveryStep
from decaycalc.survival.few import FewSteps
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.sums import Interval, Sum
from decaycalc.survival.walk import walk

LEAST_INTERVALS = 64
MOST_POINTS = 100_000
LONG_RUN = 1 << 14
LEAST_PIECE = 512  # steps of a smooth piece, on average, for which it pays
MOST_PIECES = 1 << 18


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


def survive(
    schedule: Schedule, rule: DecayRule, *, n_points: int = 200, every_step: bool = False
) -> ScheduledDecay:
    """Return what a decay does over a scheduled run, with a curve of at most `n_points` points.

    Long runs on smooth schedules are summed from few of their steps, to rounding; `every_step`
    takes all.

    >>> from decaycalc.schedule import parse_schedule
    >>> run = parse_schedule("cosine", total_steps=1000)
    >>> round(survive(run, DecayRule(step=1e-3)).sum_shrink, 6)
    0.5005

    Raises:
        InvalidValueError: A step that removes the whole weight; a number of points below 2.
    """
    points = _points(schedule, n_points)
    edges = _edges(schedule.total_steps, points)
    pieces = None if every_step else _smooth_pieces(schedule)
    steps = _steps(schedule, rule, pieces, every_step=every_step)
    intervals = steps.sum_intervals(edges)
    updates = _Updates.of(steps, intervals)
    survivals = _survivals(schedule, rule, updates, pieces)
    shrink = updates.sum_shrink
    return ScheduledDecay(
        total_steps=schedule.total_steps,
        sum_shrink=shrink,
        survival=survivals[schedule.total_steps],
        timescale_at_peak_steps=ratio(1.0, rule.peak_shrink),
        mean_timescale_steps=ratio(schedule.total_steps, shrink),
        mean_update_age_steps=updates.mean_age(),
        half_mass_age_steps=updates.half_mass_age(),
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


def _smooth_pieces(schedule: Schedule) -> Integers | None:
    """Return where a long run's smooth pieces begin; None where each step is taken as quickly."""
    if schedule.total_steps < LONG_RUN:
        return None
    return cut_pieces(schedule, most=min(schedule.total_steps // LEAST_PIECE, MOST_PIECES))


def _steps(
    schedule: Schedule, rule: DecayRule, pieces: Integers | None, *, every_step: bool
) -> EveryStep | EqualSteps | FewSteps:
    """Return the way to sum over the steps."""
    if schedule.is_constant and not every_step:
        return EqualSteps(rule)
    return EveryStep(schedule, rule) if pieces is None else FewSteps(schedule, rule, pieces)


def _survivals(
    schedule: Schedule, rule: DecayRule, updates: "_Updates", pieces: Integers | None
) -> dict[int, float]:
    """Return what is left at the end of each interval."""
    stops = [each.stop for each in updates.intervals]
    if rule.momentum and isinstance(updates.steps, EqualSteps):
        return {stop: rule.free_survival(stop) for stop in stops}
    if rule.momentum:
        return walk(schedule, rule, stops, pieces)
    survivals, log = {}, Sum()
    for each in updates.intervals:
        log.add_sum(each.log)
        survivals[each.stop] = math.exp(log.get())
    return survivals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Updates:
    """The updates' shares in the final weights, which are their moving average.

    `after` is the log of what the steps after each interval leave, `total` that of all steps.
    `are_averaged` tells whether the final weights are a moving average: each step takes a share
    below 1.
    """

    steps: EveryStep | EqualSteps | FewSteps
    intervals: list[Interval]
    after: dict[int, float]
    total: float
    are_averaged: bool

    @classmethod
    def of(cls, steps: EveryStep | EqualSteps | FewSteps, intervals: list[Interval]) -> "_Updates":
        """Return the updates of a run from its intervals, which follow one another."""
        log, after = Sum(), {}
        for interval in reversed(intervals):
            after[interval.stop] = log.get()
            log.add_sum(interval.log)
        are_parts = max(interval.largest for interval in intervals) < 1
        total = log.get()
        return cls(
            steps=steps,
            intervals=intervals,
            after=after,
            total=total,
            are_averaged=total < 0 and are_parts,
        )

    @property
    def sum_shrink(self) -> float:
        """The sum of all first-order shrinks."""
        shrink = Sum()
        for interval in self.intervals:
            shrink.add_sum(interval.shrink)
        return shrink.get()

    def mean_age(self) -> float | None:
        """Return the mean age of the updates in the final weights, in steps.

        An update of step i has weight `left[i] - left[i-1]`, left = what later steps leave; summed
        by parts over ages that is `n - 1 - sum(1 - left)/(1 - left of the initial weights)`.
        """
        if not self.are_averaged:
            return None
        gone = self.steps.sum_gone(self.intervals, self.after)
        n_steps = self.intervals[-1].stop
        return max(n_steps - 1 + gone / math.expm1(self.total), 0.0)

    def half_mass_age(self) -> int | None:
        """Return how many of the last updates make up half of the weight of all."""
        if not self.are_averaged:
            return None
        target = math.log1p(math.expm1(self.total) / 2)  # log of what is left where half is later
        place = next(
            each
            for each in reversed(self.intervals)
            if self.after[each.stop] + each.log.get() <= target or not each.start
        )
        found = self.steps.find_log(place, target - self.after[place.stop])
        return self.intervals[-1].stop - found

    def share(self, step: int, shrink: float) -> float | None:
        """Return the share of the update of an interval's last step in the final weights."""
        return shrink * math.exp(self.after[step + 1]) if self.are_averaged else None


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
