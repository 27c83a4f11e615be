"""Unavailable: a convention that a question does not reach, and why."""

from typing import TypedDict

from decaycalc.conventions.record import Convention
from decaycalc.errors import InvalidValueError, MissingQuantityError, NoEquivalentError
from decaycalc.record import Record


class UnavailableJson(TypedDict):
    """A convention out of reach, and why."""

    convention: str
    reason: str
    missing: list[str]
    message: str


class Unavailable(Record):
    """A convention that the question does not reach, and why.

    `reason` is `missing` (then `missing` names the quantities) or `no-equivalent`; `estimate_by`
    is the quantity that the message says an estimate is given by.
    """

    convention: Convention
    reason: str
    missing: tuple[str, ...]
    message: str
    estimate_by: str = ""

    def to_dict(self) -> UnavailableJson:
        """Return the entry as JSON's `unavailable` holds it."""
        return {
            "convention": self.convention.key,
            "reason": self.reason,
            "missing": list(self.missing),
            "message": self.message,
        }

    @classmethod
    def of(
        cls,
        convention: Convention,
        error: NoEquivalentError | MissingQuantityError | InvalidValueError,
    ) -> "Unavailable":
        """Return the entry of a convention that was tried, by the error that it ended in."""
        if isinstance(error, MissingQuantityError):
            missing, message = error.missing, str(error)
            return cls(convention=convention, reason="missing", missing=missing, message=message)
        message, estimate_by = str(error), ""
        if isinstance(error, NoEquivalentError):
            message, estimate_by = error.reason, error.parts[-1]
        return cls(
            convention=convention, reason="no-equivalent", missing=(), message=message,
            estimate_by=estimate_by,
        )  # fmt: skip
