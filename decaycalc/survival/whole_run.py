"""What stands for a whole run, where its lr or its decay follows a schedule."""

from math import isclose
from typing import TYPE_CHECKING

from decaycalc.algebra.number import Number
from decaycalc.conventions.forms import PER_RUN_FACTOR
from decaycalc.conventions.record import Convention
from decaycalc.conversion.convert import Conversion
from decaycalc.errors import NoEquivalentError
from decaycalc.record import replace

if TYPE_CHECKING:
    from decaycalc.survival.scheduled import ScheduleAnswer

_SAME = 1e-9  # relative: a schedule that is constant after all
FORMULA = "factor = Π(1 - decay per step), over the schedule"


def is_of_one(record: Convention) -> bool:
    """Return whether a convention's number is a factor of the whole run."""
    return record.form is PER_RUN_FACTOR


def over_the_run(
    conversions: tuple[Conversion, ...], scheduled: "ScheduleAnswer"
) -> tuple[Conversion, ...]:
    """Return conversions in which a factor of the whole run is what the schedule leaves."""
    left = scheduled.decay.survival
    return tuple(
        replace(each, value=left, formula=FORMULA, note="")  # exact, whatever the way was
        if is_of_one(each.convention) and not _is_same(each.value, left)
        else each
        for each in conversions
    )


def require_known_lr(source: Convention, target: Convention, open_lr: str) -> None:
    """Refuse what is of the whole run where `open_lr` says that its lr is not known.

    Raises:
        NoEquivalentError: one of the two conventions is.
    """
    if open_lr and (is_of_one(source) or is_of_one(target)):
        raise NoEquivalentError(source.key, target.key, open_lr)


def require_constant(source: Convention, value: Number | None, scheduled: "ScheduleAnswer") -> None:
    """Refuse a factor of the whole run that is of a constant lr, where the run has a schedule.

    Raises:
        NoEquivalentError: the schedule leaves another share of a weight.
    """
    if not is_of_one(source):
        return
    left = scheduled.decay.survival
    if not _is_same(value, left):
        reason = "its factor is that of a constant lr, with which this schedule would leave"
        raise NoEquivalentError(source.key, "a run with a schedule", f"{reason} {left:.4g}")


def _is_same(value: Number | None, left: float) -> bool:
    return value is not None and isclose(float(value), left, rel_tol=_SAME)
