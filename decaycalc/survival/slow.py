"""Momentum under a slowly varying lr: the ratio that buffer and weight settle to.

With the matrix `[[1 - a, -b], [c, 1 - f]]` of a step (see `product`) the ratio `u` = buffer per
weight goes its own way: a step leaves `1 - s` of the weight, `s = a + b*u`, and takes the ratio to

    u(t + 1) = (c + (1 - f)*u(t))/(1 - s).

This map forgets: a step multiplies an error of u by about m, so after `memory_steps` all starts
have come to one course, and where the lr is smooth that course is smooth too: its series is found
from 16 of a block's steps (see `gram`) as the solution of `u(t + 1) - u(t)` =: D u,

    D u*(1 - s) = c - u*(f - s) = -y*(k - b*y),    u = v + y,

where v is the ratio that a constant lr would have, a root of `b*v^2 - (f - a)*v + c`, and k the
root of that quadratic's discriminant. y and D u are small and known without cancellation, so
rounding does not grow with the memory. What is left over between the nodes certifies the series:
since the map forgets, its error is at most the largest such remainder over k.

Blocks where the weight oscillates (no real v) or nearly so, or that are short beside the memory or
rough, are left out: there every step is taken. In the former the weight soon is gone anyway.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from decaycalc.schedule import Schedule
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.gram import TERMS, Block, block
from decaycalc.survival.product import step_matrices
from decaycalc.survival.rule import DecayRule

FORGOTTEN = 80.0
LEAST_MEMORIES = 256  # shortest block over 1/(1 - m)
LEAST_BLOCK = 1 << 15  # steps that are as quickly taken as settled
STEADY = 0.05  # least share of the discriminant in its first term
CERTAIN = 3e-15  # largest remainder beside k*u
PASSES = 5  # each doubles the digits of y


def memory_steps(rule: DecayRule) -> int:
    """Return in how many steps momentum forgets its buffer to far below rounding."""
    return math.ceil(FORGOTTEN / (1 - rule.momentum))


def least_steps(rule: DecayRule) -> int:
    """Return the length from which on a settled ratio can be found."""
    return max(math.ceil(LEAST_MEMORIES / (1 - rule.momentum)), LEAST_BLOCK)


class SlowRatio:
    """The settled ratio over a run of steps `start <= t < stop`, where it is certified."""

    def __init__(self, rule: DecayRule, schedule: Schedule, blocks: list["_Solved"]) -> None:
        self.rule, self.schedule, self._blocks = rule, schedule, blocks
        self._stops = np.array([each.stop for each in blocks])
        self.start, self.stop = blocks[0].start, blocks[-1].stop

    def ratio(self, steps: Floats) -> Floats:
        """Return u at steps, of any shape."""
        flat = steps.ravel()
        result = _matrices(self.rule, self.schedule, flat).steady
        places = np.searchsorted(self._stops, flat, side="right")
        for place in np.unique(places):
            inside, solved = places == place, self._blocks[place]
            rules = block(solved.power)
            result[inside] += rules.evaluate(solved.series, flat[inside] - solved.start)
        return result.reshape(steps.shape)

    def log(self, steps: Floats) -> Floats:
        """Return the logarithm of what each step leaves."""
        a, b, _, _ = step_matrices(self.rule, self.schedule.multiplier(steps))
        return np.asarray(np.log1p(-(a + b * self.ratio(steps))))

    def ratio_after(self) -> float:
        """Return u after the last step."""
        last = np.array([self.stop - 1.0])
        a, b, c, f = step_matrices(self.rule, self.schedule.multiplier(last))
        u = self.ratio(last)
        return float(((c + (1 - f) * u) / (1 - a - b * u))[0])


class _Solved(NamedTuple):
    """The series of y on the block of `2^power` steps from `start`."""

    start: int
    power: int
    series: Floats

    @property
    def stop(self) -> int:
        """The step after the last one."""
        return self.start + (1 << self.power)


class _Steps(NamedTuple):
    """Matrices of steps, the ratio v of a constant lr, and k; nan where it oscillates."""

    a: Floats
    b: Floats
    steady: Floats
    k: Floats


def _matrices(rule: DecayRule, schedule: Schedule, steps: Floats) -> _Steps:
    a, b, c, f = step_matrices(rule, schedule.multiplier(steps))
    gap = f - a
    discriminant = gap * gap - 4 * b * c
    is_steady = (gap > 0) & (discriminant > STEADY * gap * gap)
    k = np.sqrt(np.where(is_steady, discriminant, np.nan))
    return _Steps(a, b, 2 * c / (gap + k), k)


def settle_ratio(rule: DecayRule, schedule: Schedule, start: int, stop: int) -> list[SlowRatio]:
    """Return the settled ratio over the parts of a smooth piece where it is certified, in order."""
    solved: list[_Solved] = []
    power = (stop - start).bit_length() - 1
    starts = [*range(start, stop - (1 << power), 1 << power), stop - (1 << power)]
    while starts and 1 << power >= least_steps(rule):
        rough = []
        for first in starts:
            found = _solve(rule, schedule, first, power)
            if found is None:
                rough.append(first)
            else:
                solved.append(found)
        power -= 1
        starts = sorted({each for first in rough for each in (first, first + (1 << power))})
    solved.sort(key=lambda each: each.start)
    return [SlowRatio(rule, schedule, part) for part in _runs(solved)]


def _runs(solved: list[_Solved]) -> Iterator[list[_Solved]]:
    """Yield the blocks that follow each other without a gap; both their ends rise."""
    part: list[_Solved] = []
    for each in solved:
        if part and each.start > part[-1].stop:
            yield part
            part = []
        if not part or each.stop > part[-1].stop:
            part.append(each)
    if part:
        yield part


def _solve(rule: DecayRule, schedule: Schedule, start: int, power: int) -> _Solved | None:
    """Return the series of y on a block, None where it is not certified."""
    rules = block(power)
    steps = _matrices(rule, schedule, start + rules.nodes)
    if np.isnan(steps.k).any():
        return None
    y = _newton(steps, rules.series @ rules.differences)
    solved = _Solved(start, power, y @ rules.series)
    series = (steps.steady + y) @ rules.series
    return solved if _is_certain(rule, schedule, solved, rules, series) else None


def _newton(steps: _Steps, difference: Floats) -> Floats:
    """Return y at the nodes; `u @ difference` is D u."""
    y = np.zeros(TERMS)
    for _ in range(PASSES):
        u = steps.steady + y
        left, change = 1 - steps.a - steps.b * u, u @ difference
        slope = difference.T * left[:, None]
        slope += np.diag(steps.k - steps.b * (2 * y + change))
        y -= np.linalg.solve(slope, change * left + y * (steps.k - steps.b * y))
    return y


def _is_certain(
    rule: DecayRule, schedule: Schedule, solved: _Solved, rules: Block, series: Floats
) -> bool:
    """Return whether between the nodes the equation holds to rounding, and D u is that of u.

    An error of u's own series enters by its difference, at most about P^2*2/n as large.
    """
    at = _matrices(rule, schedule, solved.start + rules.others)
    y, change = solved.series @ rules.at_others, series @ rules.differences_at_others
    u = at.steady + y
    remainder = change * (1 - at.a - at.b * u) + y * (at.k - at.b * y)
    off = (series @ rules.at_others - u) * (2 * TERMS**2 / rules.n_steps)
    allowed = CERTAIN * at.k * np.abs(u).max()
    return bool((np.maximum(np.abs(remainder), np.abs(off)) <= allowed).all())
