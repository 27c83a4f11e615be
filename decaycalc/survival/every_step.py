"""The course of a decay over a run from every one of its steps; in closed form if all are alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from decaycalc.errors import InvalidValueError
from decaycalc.schedule import Schedule
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.losses import LONG_RUN, log_left, sum_losses
from decaycalc.survival.product import Weight, multiply_steps, start_weight
from decaycalc.survival.rows import Rows, cut_rows
from decaycalc.survival.rule import DecayRule

MOST_STEPS = 10**10  # minutes of work
SMALL_LOSS = 1e-4  # largest loss in all for which the ages of equal steps are a short series


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayCourse:
    """A decay over the rows of a run, which follow one another; lists of one number a row.

    `stops` is the step after each row, `logs` what it leaves of a weight, `signs` what it makes of
    the sign, `shrinks` the sum of its first-order shrinks. `gone` is the sum over its updates of
    the part of each that has decayed at the end of the row. `lefts` is what is left of the initial
    weight after each row where momentum asks for more than the logs, else None.
    """

    stops: Sequence[int]
    logs: Sequence[float]
    signs: Sequence[float]
    shrinks: Sequence[float]
    gone: Sequence[float]
    largest: float
    lefts: Sequence[float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledRule:
    """A decay that follows the schedule of the lr, and its own where it has one."""

    rule: DecayRule
    schedule: Schedule
    decay_schedule: Schedule | None = None

    @property
    def is_constant(self) -> bool:
        """Whether all steps are alike, at peak lr and full decay."""
        own = self.decay_schedule
        return self.schedule.is_constant and (own is None or own.is_constant)

    def multipliers(self, steps: Floats) -> tuple[Floats, Floats | float]:
        """Return lr and decay over their peaks at these steps; 1.0 for a decay that stays."""
        own = self.decay_schedule
        return self.schedule.multiplier(steps), 1.0 if own is None else own.multiplier(steps)

    def changes(self, multiplier: Floats, decay_multiplier: Floats | float) -> Floats:
        """Return minus the first-order shrinks of steps with these multipliers (1/step)."""
        return self.rule.factors(multiplier, decay_multiplier) * -self.rule.peak_shrink


def follow(decay: ScheduledRule, edges: list[int]) -> DecayCourse:
    """Return the course of a decay; each edge but the first is the end of a row.

    Raises:
        InvalidValueError: More steps than can be followed; a weight that grows without bound.
    """
    if decay.is_constant:
        return _follow_equal_steps(decay.rule, edges)
    if edges[-1] > MOST_STEPS:
        text = f"are too many to follow a schedule step by step, at most {MOST_STEPS:.0e}"
        raise InvalidValueError("steps", edges[-1], text)
    # A large block that is freed teaches glibc to keep small ones: without it each array of a chunk
    # is mapped anew, and all of it takes twice as long.
    np.empty(1 << 21)
    tracked = _TrackedWeight(decay) if decay.rule.momentum else None
    parts = [_follow_rows(decay, rows, tracked) for rows in cut_rows(edges)]
    stops, logs, signs, shrinks, gone = (
        np.concatenate(each).tolist() for each in zip(*(part[0] for part in parts), strict=True)
    )
    return DecayCourse(
        stops=stops, logs=logs, signs=signs, shrinks=shrinks, gone=gone,
        largest=max(part[1] for part in parts),
        lefts=None if tracked is None else tracked.lefts,
    )  # fmt: skip


def _follow_rows(
    decay: ScheduledRule, rows: Rows, tracked: "_TrackedWeight | None"
) -> tuple[tuple[np.ndarray, ...], float]:
    """Return stops, logs, signs, shrinks and gone parts of some rows, and the largest shrink."""
    multiplier, own = decay.multipliers(rows.steps())
    changes = decay.changes(multiplier, own)
    rows.clear_beyond(changes)
    largest = -float(changes.min())
    if tracked is not None:
        tracked.take(rows, multiplier, own, largest)
    added = np.ascontiguousarray(changes.sum(axis=2).T).sum(axis=1)  # numpy's sums by halves
    changes = decay.rule.changes(changes, largest)
    is_long = decay.schedule.total_steps >= LONG_RUN
    sums = sum_losses(changes, largest=largest, in_blocks=is_long)
    arrays = rows.starts + rows.lengths, sums.log, sums.sign, -added, sums.gone
    return arrays, largest


class _TrackedWeight:
    """A weight under momentum on its way; `lefts` holds what was left of it after each row."""

    def __init__(self, decay: ScheduledRule) -> None:
        self.rule = decay.rule
        self.weight = _first_weight(decay)
        self.lefts: list[float] = []

    def take(self, rows: Rows, multiplier: Floats, own: Floats | float, largest: float) -> None:
        """Take the weight through some rows of steps, whose largest shrink is given."""
        if self.weight.is_gone:
            self.lefts += [0.0] * len(rows.starts)
            return
        products = multiply_steps(self.rule, rows, multiplier, own, largest=largest)
        for row in np.stack(products, axis=-1).tolist():
            for entries in row:
                self.weight.advance(entries)
            self.lefts.append(self.weight.survival())


def _first_weight(decay: ScheduledRule) -> Weight:
    multiplier, own = decay.multipliers(np.zeros(1))
    return start_weight(decay.rule, float(multiplier[0]), float(np.max(own)))


def find_log(decay: ScheduledRule, start: int, stop: int, *, log: float, target: float) -> int:
    """Return the last step of a row that, with those after it, leaves `target` or less.

    `target` is a logarithm, that of the whole row, `log`, or more.
    """
    if decay.is_constant:
        return max(stop - math.ceil(target / log * (stop - start)), start)
    changes = decay.changes(*decay.multipliers(np.arange(start, stop, dtype=np.float64)))
    largest = -float(changes.min())
    rests = log - np.cumsum(log_left(decay.rule.changes(changes, largest), largest))
    above = np.flatnonzero(rests > target)
    return start + int(above[0]) if len(above) else stop - 1


def _follow_equal_steps(rule: DecayRule, edges: list[int]) -> DecayCourse:
    """Return the course of a decay at peak lr throughout, a row between two edges."""
    change = rule.changes(np.array([-rule.peak_shrink]), rule.peak_shrink)
    turns = -1.0 if change[0] < -1 else 1.0
    log, stops = float(log_left(change, rule.peak_shrink)[0]), edges[1:]
    lengths = [stop - start for start, stop in pairwise(edges)]
    return DecayCourse(
        stops=stops,
        logs=[n * log for n in lengths],
        signs=[turns**n for n in lengths],
        shrinks=[n * rule.peak_shrink for n in lengths],
        gone=[_geometric_gone(log, n) for n in lengths],
        largest=rule.peak_shrink,
        lefts=[rule.free_survival(stop) for stop in stops] if rule.momentum else None,
    )


def _geometric_gone(log: float, n: int) -> float:
    """Return the sum of `1 - exp(k*log)` over k from 0 to n - 1."""
    if abs(n * log) < SMALL_LOSS:
        return -log * n * (n - 1) / 2 * (1 + log * (2 * n - 1) / 6 * (1 + log * n / 4))
    return n - math.expm1(n * log) / math.expm1(log) if log < 0 else 0.0
