"""Lengths on the axis of a run: steps, epochs or percent, and what turns them into steps."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil

from decaycalc.errors import InvalidValueError, MissingQuantityError

LARGEST_COUNT = 2**53  # beyond it a float64 no longer tells one step from the next


class Unit(StrEnum):
    """What a length counts; its text is the suffix in the schedule's text."""

    STEPS = ""
    EPOCHS = "epochs"
    PERCENT = "%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The run that a schedule is laid over: its steps, and the steps of an epoch if known."""

    total_steps: int
    steps_per_epoch: Fraction | None = None

    def __post_init__(self) -> None:
        """Check the counts.

        Raises:
            InvalidValueError: A count below 1 or not whole.
        """
        if not 1 <= self.total_steps <= LARGEST_COUNT or self.total_steps % 1:
            raise InvalidValueError("steps", self.total_steps, "must be a whole number from 1 on")
        if self.steps_per_epoch is not None and self.steps_per_epoch <= 0:
            value = float(self.steps_per_epoch)
            raise InvalidValueError("steps_per_epoch", value, "must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """An amount of steps, epochs or percent of the run."""

    amount: Fraction
    unit: Unit = Unit.STEPS

    def steps(self, span: Span) -> int:
        """Return the length in steps, rounded up.

        Raises:
            MissingQuantityError: Epochs, where the steps of an epoch are unknown.
            InvalidValueError: More steps than can be counted.
        """
        steps = ceil(self.amount * self._unit_steps(span))
        if steps > LARGEST_COUNT:
            raise InvalidValueError("length", str(self), "is more steps than can be counted")
        return steps

    def _unit_steps(self, span: Span) -> Fraction:
        if self.unit is Unit.PERCENT:
            return Fraction(span.total_steps, 100)
        if self.unit is Unit.STEPS:
            return Fraction(1)
        if span.steps_per_epoch is None:
            raise MissingQuantityError(f"{self} in a schedule", ("dataset_size", "batch_size"))
        return span.steps_per_epoch

    def __str__(self) -> str:
        amount = self.amount
        is_short = amount.denominator == 1 and amount <= LARGEST_COUNT
        digits = str(amount.numerator) if is_short else repr(float(amount))
        return f"{digits}{self.unit}"
