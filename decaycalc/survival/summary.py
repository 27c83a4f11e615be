"""What a decay does over a whole scheduled run: survival, timescales, ages of the updates.

A run is cut into rows at the points of its curve, which are evaluated step by step; memory does
not depend on the steps. Without momentum the logarithm of the survival is the sum of the
`log1p(-shrink)`; with it see `product`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decaycalc.algebra.number import ratio
from decaycalc.errors import InvalidValueError
from decaycalc.schedule import Schedule
from decaycalc.survival.documents import SurvivalPointJson
from decaycalc.survival.every_step import DecayCourse, ScheduledRule, find_log, follow
from decaycalc.survival.rule import DecayRule

MOST_POINTS = 100_000  # more than any plot has pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One step of a run, from 0.

    `decay_multiplier` is the decay's own schedule, 1 where it has none. `shrink` is the exact
    long-run shrink at the step's lr and decay, `survival` what is left of the initial weights after
    the step, `update_weight` the share of this step's update in the final weights (None where they
    are no moving average).
    """

    step: int
    multiplier: float
    decay_multiplier: float
    shrink: float
    survival: float
    update_weight: float | None

    def to_dict(self) -> SurvivalPointJson:
        """Return the step as JSON's `curve` holds it."""
        return {
            "step": self.step,
            "multiplier": self.multiplier,
            "decay_multiplier": self.decay_multiplier,
            "shrink": self.shrink,
            "survival": self.survival,
            "update_weight": self.update_weight,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledDecay:
    """What a decay does over a scheduled run. Ages count steps back from the end of the run.

    `sum_shrink` adds the first-order shrinks, `survival` is exact. `timescale_at_peak_steps` is
    1/shrink at peak lr and a decay multiplier of 1, `mean_timescale_steps` the same of the mean
    shrink. The final weights are a moving average of the updates, `mean_update_age_steps` old on
    average, half of it younger than `half_mass_age_steps`; both are first order in the shrink under
    momentum. None: the weights do not decay, or so fast that they are no average.
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
    schedule: Schedule,
    rule: DecayRule,
    *,
    decay_schedule: Schedule | None = None,
    n_points: int = 200,
) -> ScheduledDecay:
    """Return what a decay does over a scheduled run, with a curve of at most `n_points` points.

    >>> from decaycalc.schedule import parse_schedule
    >>> run = parse_schedule("cosine", total_steps=1000)
    >>> round(survive(run, DecayRule(step=1e-3)).sum_shrink, 6)
    0.5005

    Raises:
        InvalidValueError: A number of points below 2; more steps than can be followed; a weight
            that grows beyond every float.
    """
    decay = ScheduledRule(rule=rule, schedule=schedule, decay_schedule=decay_schedule)
    points = _points(decay, n_points)
    edges = sorted({0, schedule.total_steps} | {point + 1 for point in points})
    course = follow(decay, edges)
    survivals = _survivals(course)
    updates = _Updates.of(decay, course)
    shrink = math.fsum(course.shrinks)
    return ScheduledDecay(
        total_steps=schedule.total_steps,
        sum_shrink=shrink,
        survival=survivals[schedule.total_steps],
        timescale_at_peak_steps=ratio(1.0, rule.peak_shrink),
        mean_timescale_steps=ratio(schedule.total_steps, shrink),
        mean_update_age_steps=updates.mean_age(),
        half_mass_age_steps=updates.half_mass_age(),
        curve=_curve(decay, points, survivals, updates),
    )


def _points(decay: ScheduledRule, n_points: int) -> list[int]:
    """Return the steps of the curve: first, last, evenly between, and the schedules' knots."""
    if not 2 <= n_points <= MOST_POINTS:  # noqa: PLR2004  (a curve has two ends)
        raise InvalidValueError("curve", n_points, f"must be from 2 to {MOST_POINTS} points")
    last = decay.schedule.total_steps - 1
    if n_points > last:
        return list(range(last + 1))
    knots = set(decay.schedule.knots()) - {0, last}
    if decay.decay_schedule is not None:
        knots |= set(decay.decay_schedule.knots()) - {0, last}
    if len(knots) > n_points // 4:
        knots = set()
    n = n_points - len(knots)
    return sorted(knots | {round(place * last / (n - 1)) for place in range(n)})


def _survivals(course: DecayCourse) -> dict[int, float]:
    """Return what is left of the initial weights at the end of each row.

    Raises:
        InvalidValueError: It is beyond every float.
    """
    if course.lefts is not None:
        return dict(zip(course.stops, course.lefts, strict=True))
    survivals, sign = {}, 1.0
    for stop, log, turn in zip(course.stops, _running(course.logs), course.signs, strict=True):
        if log > _LARGEST_LOG:
            raise InvalidValueError("shrink", course.largest, "makes the weight grow without bound")
        sign *= turn
        survivals[stop] = sign * math.exp(log)
    return survivals


_LARGEST_LOG = 709.0  # exp of more has no float64


def _running(terms: Sequence[float]) -> list[float]:
    """Return the sums of the first terms, of the first two and so on, each rounded about once.

    Source: Knuth 1969, Neumaier 1974; what each addition rounds off is added up beside it.
    """
    added = np.array(terms)
    sums = np.cumsum(added)
    before = np.concatenate(([0.0], sums[:-1]))
    with np.errstate(invalid="ignore"):
        moved = sums - before
        lost = (before - (sums - moved)) + (added - moved)
    lost[~np.isfinite(sums)] = 0
    return (sums + np.cumsum(lost)).tolist()  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Updates:
    """The updates' shares in the final weights, which are their moving average.

    `after` is the log of what the steps after each row leave, `total` that of all steps.
    `are_averaged` tells whether the final weights are a moving average: each step takes a share
    below 1.
    """

    decay: ScheduledRule
    course: DecayCourse
    after: list[float]
    total: float
    are_averaged: bool

    @classmethod
    def of(cls, decay: ScheduledRule, course: DecayCourse) -> "_Updates":
        """Return the updates of a run."""
        after = [0.0, *_running(course.logs[::-1])]
        total = after.pop()
        return cls(
            decay=decay,
            course=course,
            after=after[::-1],
            total=total,
            are_averaged=total < 0 and course.largest < 1,
        )

    def mean_age(self) -> float | None:
        """Return the mean age of the updates in the final weights, in steps.

        An update of step i has weight `left[i] - left[i-1]`, left = what later steps leave; summed
        by parts over ages that is `n - 1 - sum(1 - left)/(1 - left of the initial weights)`.
        """
        if not self.are_averaged:
            return None
        starts = [0, *self.course.stops]
        gone = math.fsum(
            gone * math.exp(after) - (stop - start) * math.expm1(after)
            for start, stop, gone, after in zip(
                starts, self.course.stops, self.course.gone, self.after, strict=False
            )
        )
        return max(starts[-1] - 1 + gone / math.expm1(self.total), 0.0)

    def half_mass_age(self) -> int | None:
        """Return how many of the last updates make up half of the weight of all."""
        if not self.are_averaged:
            return None
        target = math.log1p(math.expm1(self.total) / 2)  # log of what is left where half is later
        course = self.course
        row = next(
            (
                row
                for row in range(len(course.stops) - 1, 0, -1)
                if self.after[row] + course.logs[row] <= target
            ),
            0,
        )
        start = course.stops[row - 1] if row else 0
        rest = target - self.after[row]
        found = find_log(self.decay, start, course.stops[row], log=course.logs[row], target=rest)
        return course.stops[-1] - found

    def shares(self) -> dict[int, float]:
        """Return the part of the update of each row's last step that is left in the end."""
        return {
            stop: math.exp(after) for stop, after in zip(self.course.stops, self.after, strict=True)
        }


def _curve(
    decay: ScheduledRule, points: list[int], survivals: dict[int, float], updates: _Updates
) -> tuple[CurvePoint, ...]:
    multipliers, own = decay.multipliers(np.array(points, dtype=np.float64))
    factors = decay.rule.factors(multipliers, own)
    own = np.broadcast_to(own, multipliers.shape)
    shares = updates.shares() if updates.are_averaged else None
    peak = decay.rule.peak_shrink
    return tuple(
        CurvePoint(
            step=step,
            multiplier=multiplier,
            decay_multiplier=decay_multiplier,
            shrink=decay.rule.long_run_shrink(factor),
            survival=survivals[step + 1],
            update_weight=None if shares is None else peak * factor * shares[step + 1],
        )
        for step, multiplier, decay_multiplier, factor in zip(
            points, multipliers.tolist(), own.tolist(), factors.tolist(), strict=True
        )
    )
