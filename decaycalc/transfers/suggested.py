"""What a weight decay is wanted for, and what every rule suggests."""

from dataclasses import dataclass
from typing import TypedDict

from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run, RunJson
from decaycalc.conversion.assumptions import Assumption, AssumptionJson
from decaycalc.conversion.side import Side
from decaycalc.record import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a weight decay is wanted for: a convention, a run, and the number of parameters."""

    convention: Convention
    run: Run
    n_parameters: float | None = None

    @property
    def side(self) -> Side:
        """The convention in the run, whose decay per step a rule fixes."""
        return Side(convention=self.convention, run=self.run)

    @property
    def tokens(self) -> bool:
        """Whether the run is a language model's, counted in tokens."""
        return self.n_parameters is not None


class SuggestionJson(TypedDict):
    """One rule's number and its interval."""

    rule: str
    convention: str
    parameter: str
    value: float
    low: float
    high: float
    within_fit: bool
    conditions: list[str]
    derivation: list[str]
    source: str


class NotSuggestedJson(TypedDict):
    """A rule without a number, and why."""

    rule: str
    missing: list[str]
    message: str


class SuggestedJson(TypedDict):
    """What every rule says of a run."""

    run: RunJson
    n_parameters: float | None
    assumptions: list[AssumptionJson]
    suggestions: list[SuggestionJson]
    unavailable: list[NotSuggestedJson]
    warnings: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One rule's number, its interval, what it rests on and how it was computed."""

    rule: str
    convention: Convention
    value: float
    low: float
    high: float
    conditions: tuple[str, ...]
    source: str
    steps: tuple[str, ...]
    within_fit: bool = True

    def to_dict(self) -> SuggestionJson:
        """Return the suggestion as JSON's `suggestions` holds it."""
        return {
            "rule": self.rule,
            "convention": self.convention.key,
            "parameter": self.convention.parameter,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "within_fit": self.within_fit,
            "conditions": list(self.conditions),
            "derivation": list(self.steps),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSuggested:
    """A rule without a number, and the condition that fails or the quantities that it lacks."""

    rule: str
    missing: tuple[str, ...]
    message: str

    def to_dict(self) -> NotSuggestedJson:
        """Return the entry as JSON's `unavailable` holds it."""
        return {"rule": self.rule, "missing": list(self.missing), "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested(Result):
    """What every rule says of a run."""

    aim: Aim
    suggestions: tuple[Suggestion, ...]
    unavailable: tuple[NotSuggested, ...]
    warnings: tuple[str, ...]
    assumptions: tuple[Assumption, ...]

    def to_dict(self) -> SuggestedJson:
        """Return the document's content after its schema keys."""
        return {
            "run": self.aim.run.to_dict(),
            "n_parameters": self.aim.n_parameters,
            "assumptions": [assumption.to_dict() for assumption in self.assumptions],
            "suggestions": [suggestion.to_dict() for suggestion in self.suggestions],
            "unavailable": [entry.to_dict() for entry in self.unavailable],
            "warnings": list(self.warnings),
        }
