"""What stands for a whole run, where its lr or its decay follows a schedule."""

from math import isclose
from typing import TYPE_CHECKING

from decaycalc.algebra.number import Number
from decaycalc.conventions.record import Convention
from decaycalc.conversion.convert import Conversion
from decaycalc.errors import NoEquivalentError
from decaycalc.record import replace

if TYPE_CHECKING:
    from decaycalc.survival.scheduled import ScheduleAnswer

_SAME = 1e-9  # relative: a schedule that is constant after all
FORMULA = "factor = Π(1 - decay per step), over the schedule"


def over_the_run(
    source: Convention,
    value: Number | None,
    conversions: tuple[Conversion, ...],
    scheduled: "ScheduleAnswer",
) -> tuple[Conversion, ...]:
    """Return conversions in which a factor of the whole run is what the schedule leaves.

    Raises:
        NoEquivalentError: the source is such a factor, of a constant lr, and the schedule leaves
            another share of a weight.
    """
    left = scheduled.decay.survival
    if source.is_of_whole_run and not _is_same(value, left):
        reason = "its factor is that of a constant lr, with which this schedule would leave"
        raise NoEquivalentError(source.key, "a run with a schedule", f"{reason} {left:.4g}")
    return tuple(
        replace(each, value=left, formula=FORMULA, note="")  # exact, whatever the way was
        if each.convention.is_of_whole_run and not _is_same(each.value, left)
        else each
        for each in conversions
    )


def _is_same(value: Number | None, left: float) -> bool:
    return value is not None and isclose(float(value), left, rel_tol=_SAME)
