"""Request: arrays of values and quantities, and the scalar conversion of each element."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import runs_with
from decaycalc.conversion.array_forms import Floats
from decaycalc.conversion.convert import Conversion, apply, check_value
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.kept_plans import kept_plan
from decaycalc.conversion.plan import Match, Plan
from decaycalc.record import Record

Places = NDArray[np.intp]


class ArrayRequest(Record):
    """What is asked: arrays by name, `value` among them, in the setting of two runs."""

    source: Convention
    target: Convention
    run: Run
    target_run: Run | None
    match: Match
    arrays: dict[str, Floats]
    shape: tuple[int, ...]

    def element(self, place: int) -> Conversion:
        """Return the scalar conversion of one element, by its place in the flattened result.

        Raises:
            DecaycalcError: it has none.
        """
        return apply(self.plan(place), self.number(place))

    def number(self, place: int) -> Fraction:
        """Return the value of one element.

        Raises:
            InvalidValueError: it is none that the convention can have.
        """
        return check_value(self._at("value", place), self.source)

    def plan(self, place: int) -> Plan:
        """Return the plan of one element.

        Raises:
            DecaycalcError: it has none.
        """
        numbers = {name: self._at(name, place) for name in self.arrays if name != "value"}
        run, target_run = runs_with(self.run, self.target_run, numbers)
        way = kept_plan(self.source, self.target, run=run, target_run=target_run, match=self.match)
        require_taken(way.source, (self.target,), target_run)
        return way

    def _at(self, name: str, place: int) -> float:
        array = self.arrays[name]
        whole = array if array.shape == self.shape else np.broadcast_to(array, self.shape)
        return float(whole.flat[place])

    @property
    def zero_is_sound(self) -> bool:
        """Whether the source can have the number 0."""
        return (
            self.source.form is None
            and self.source.refusal is None
            and (self.source.monomial is None or self.source.monomial.power_of("value") > 0)
        )

    def taken(self, places: Places) -> dict[str, Floats]:
        """Return the arrays of some elements, by their places in the flattened result."""
        index = np.unravel_index(places, self.shape)
        return {
            name: np.broadcast_to(array, self.shape)[index] for name, array in self.arrays.items()
        }
