"""measure: a training's decay per step and over its whole run, in the common unit (numpy)."""

from fractions import Fraction
from typing import TypedDict

from decaycalc.algebra.quantity import exact
from decaycalc.conversion.decay import Decay, decay_of
from decaycalc.conversion.side import Side
from decaycalc.errors import MissingQuantityError
from decaycalc.record import Record
from decaycalc.training.record import TYPED, Course, Training

# No training has so many steps; following them one by one would take minutes.
MOST_STEPS = 50_000_000


class FiguresJson(TypedDict):
    """A decay in the common unit; null where something is open."""

    shrink: float | None
    timescale_steps: float | None
    timescale_epochs: float | None
    timescale_run_fraction: float | None
    sum_shrink: float | None
    survival: float | None


class Figures(Record):
    """A decay in the common unit; None where something is open.

    `shrink` is that of one step at peak lr, to first order (1/step); timescales are its inverse.
    `sum_shrink` adds it up under the schedule and `survival` is what is left of an undriven weight.
    """

    shrink: float | None = None
    timescale_steps: float | None = None
    timescale_epochs: float | None = None
    timescale_run_fraction: float | None = None
    sum_shrink: float | None = None
    survival: float | None = None

    def to_dict(self) -> FiguresJson:
        """Return the figures as JSON holds them."""
        return {
            "shrink": self.shrink,
            "timescale_steps": self.timescale_steps,
            "timescale_epochs": self.timescale_epochs,
            "timescale_run_fraction": self.timescale_run_fraction,
            "sum_shrink": self.sum_shrink,
            "survival": self.survival,
        }


def measure(training: Training, *, course: Course | None = None) -> Figures:
    """Return the figures of a training's decay; a `course` takes the place of its schedules.

    Raises:
        UnknownNameError: a convention that is none of the catalogue's.
        InvalidValueError, ContradictionError: numbers that no run can have.
    """
    known = known_decay(training)
    if known is None:
        return Figures()
    side, number, decay = known
    sum_shrink, survival = _over_the_run(training, side, number, course)
    return Figures(
        shrink=decay.first_order_shrink,
        timescale_steps=decay.timescale_steps,
        timescale_epochs=decay.timescale_epochs,
        timescale_run_fraction=decay.timescale_run_fraction,
        sum_shrink=sum_shrink,
        survival=survival,
    )


def known_decay(training: Training) -> tuple[Side, Fraction, Decay] | None:
    """Return a training's side, its number and its decay; None where they are not known.

    Raises:
        UnknownNameError: a convention that is none of the catalogue's.
        InvalidValueError, ContradictionError: numbers that no run can have.
    """
    record = training.record
    if record is None or training.value is None:
        return None
    side = Side(convention=record, run=training.run)
    number = exact(training.value, name=record.parameter)
    decay = decay_of(side, number)
    return None if decay is None else (side, number, decay)


def _over_the_run(
    training: Training, side: Side, value: Fraction, course: Course | None
) -> tuple[float | None, float | None]:
    """Return the sum of all shrinks and the survival; None without schedule or length."""
    total = side.run.total_steps
    # Options without a schedule mean a constant lr; a file that tells of none leaves it open.
    known = training.schedule is not None or course is not None or training.kind == TYPED
    if not known or total is None or total > MOST_STEPS:
        return None, None
    # Imported here: numpy is a third of a start, and most files do not tell their length.
    from decaycalc.schedule.model import tabulate  # noqa: PLC0415
    from decaycalc.survival.scheduled import (  # noqa: PLC0415
        lay_decay_schedule,
        lay_schedule,
        rule_of,
    )
    from decaycalc.survival.summary import survive  # noqa: PLC0415

    text = training.decay_schedule
    try:
        laid = lay_schedule(training.schedule or "constant", side.run)
        own = None if text is None else lay_decay_schedule(text, side, value)
    except MissingQuantityError:  # lengths in epochs, whose steps are not known
        return None, None
    if course is not None:
        laid = tabulate(course.lrs)
        own = own if course.decays is None else tabulate(course.decays)
    whole = survive(laid, rule_of(side, value), decay_schedule=own, n_points=2)
    return whole.sum_shrink, whole.survival
