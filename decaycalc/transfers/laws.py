"""Scaling laws of language-model training: fits, labelled with their range and source.

A fit's exponent is published; its coefficient we could not confirm in a public text, so it is the
user's: either a number of their own or a reference run from which the law is carried on.
"""

from typing import TypedDict

from decaycalc.errors import InvalidValueError
from decaycalc.record import Record, replace


class Law(Record):
    """A power law `quantity = coefficient·variable^exponent`, fitted on `low <= variable <= high`.

    `low` and `high` are None where the range was not found stated. `exponents` are the ends of the
    exponent's interval, the same number twice where none was found.
    """

    name: str
    formula: str
    exponent: float
    exponents: tuple[float, float]
    low: float | None
    high: float | None
    source: str

    def carry(self, reference: float, *, variable: float, to_variable: float) -> float:
        """Return the quantity at `to_variable` from its value at `variable`.

        >>> round(BATCH.carry(1.0, variable=1.0, to_variable=2.0), 4)
        1.3041

        Raises:
            InvalidValueError: an argument, or the result, that is not a positive number.
        """
        _require(self.name, reference)
        ratio = _require("variable", to_variable) / _require("variable", variable)
        _require("ratio of the runs", ratio)
        return _require(self.name, reference * ratio**self.exponent)

    def spread(
        self, reference: float, *, variable: float, to_variable: float
    ) -> tuple[float, float]:
        """Return the ends of what is carried on, by the ends of the exponent's interval."""
        ends = [
            replace(self, exponent=exponent).carry(
                reference, variable=variable, to_variable=to_variable
            )
            for exponent in self.exponents
        ]
        return min(ends), max(ends)

    def warning(self, variable: float) -> str:
        """Return a line if the variable lies outside the fitted range, else an empty text."""
        if self.low is None or self.high is None or self.low <= variable <= self.high:
            return ""
        return (
            f"{self.name}: {variable:.6g} is outside the fitted range {self.low:g} to {self.high:g}"
        )


_POWER_LINES = "Bergsma et al., arXiv 2505.13738"

TIMESCALE = Law(
    name="timescale",
    formula="timescale (share of the run) = c·(D/P)^-0.527",
    exponent=-0.527,
    exponents=(-0.529, -0.507),
    low=20,
    high=1280,
    source=f"{_POWER_LINES}: fit over tokens per parameter, 10/90 % bootstrap -0.529 to -0.507",
)
BATCH = Law(
    name="optimal batch size",
    formula="B_opt (tokens) = c·D^0.383",
    exponent=0.383,
    exponents=(0.383, 0.383),
    low=None,
    high=None,
    source=_POWER_LINES,
)


class ProjectionJson(TypedDict):
    """A scaling law carried on to the new run, with its interval."""

    law: str
    formula: str
    exponent: float
    fitted_range: list[float | None] | None
    value: float
    to_value: float
    to_low: float
    to_high: float
    warning: str
    source: str


class Projection(Record):
    """A law carried on from one run to another: its quantity here and there, with an interval."""

    law: Law
    value: float
    to_value: float
    interval: tuple[float, float]
    warning: str

    def to_dict(self) -> ProjectionJson:
        """Return the projection as JSON's `laws` holds it."""
        return {
            "law": self.law.name,
            "formula": self.law.formula,
            "exponent": self.law.exponent,
            "fitted_range": None if self.law.low is None else [self.law.low, self.law.high],
            "value": self.value,
            "to_value": self.to_value,
            "to_low": self.interval[0],
            "to_high": self.interval[1],
            "warning": self.warning,
            "source": self.law.source,
        }


def project(law: Law, value: float, *, variable: float, to_variable: float) -> Projection:
    """Return a law carried on from a reference run.

    Raises:
        InvalidValueError: an argument that is not a positive number.
    """
    outside = (law.warning(variable), law.warning(to_variable))
    return Projection(
        law=law,
        value=value,
        to_value=law.carry(value, variable=variable, to_variable=to_variable),
        interval=law.spread(value, variable=variable, to_variable=to_variable),
        warning="; ".join(filter(None, outside)),
    )


def _require(name: str, value: float) -> float:
    if not 0 < value < float("inf"):
        raise InvalidValueError(name, value, "must be a positive number")
    return value
