"""Finding and Rule: what is known of a run that does not do what its number says, with a code."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypedDict

from decaycalc.record import Record
from decaycalc.training.measure import Figures
from decaycalc.training.record import Group, Sourced, Training


class Level(StrEnum):
    """How grave a finding is, gravest first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for an error, 2 for a note."""
        return list(Level).index(self)


class Subject(Record):
    """A run as the rules see it: its training, its decay's figures and those of its groups."""

    training: Training
    figures: Figures
    groups: tuple[tuple[Group, float | None], ...] = ()

    def quantity(self, name: str) -> Sourced | None:
        """Return a quantity with its origin, None where the run has none of that name."""
        return next((found for found in self.training.quantities if found.name == name), None)


class Hit(Record):
    """One place where a rule applies; `level` where it is not the rule's own."""

    message: str
    where: str = ""
    line: int | None = None
    level: Level | None = None


def at(message: str, quantity: Sourced | None) -> Hit:
    """Return a hit at the place of a quantity, where there is one."""
    if quantity is None:
        return Hit(message=message)
    return Hit(message=message, where=quantity.where, line=quantity.line)


class RuleJson(TypedDict):
    """One rule: what it finds, what mends it, and what it rests on."""

    code: str
    name: str
    level: str
    summary: str
    fix: str
    source: str


class FindingJson(TypedDict):
    """A place where a rule applies."""

    code: str
    name: str
    level: str
    message: str
    where: str
    line: int | None
    fix: str
    source: str


class Rule(Record):
    """One rule: its stable code, how grave it is, when it applies, what mends it, what it rests on.

    `summary` is the rule in one sentence; `find` yields a hit for each place.
    """

    code: str
    name: str
    level: Level
    summary: str
    fix: str
    source: str
    find: Callable[[Subject], Iterable[Hit]]

    def to_dict(self) -> RuleJson:
        """Return the rule as JSON holds it."""
        return {
            "code": self.code,
            "name": self.name,
            "level": self.level.value,
            "summary": self.summary,
            "fix": self.fix,
            "source": self.source,
        }


class Finding(Record):
    """A rule's hit in one run; JSON's `findings`."""

    code: str
    name: str
    level: Level
    message: str
    where: str
    line: int | None
    fix: str
    source: str

    def to_dict(self) -> FindingJson:
        """Return the finding as JSON holds it."""
        return {
            "code": self.code,
            "name": self.name,
            "level": self.level.value,
            "message": self.message,
            "where": self.where,
            "line": self.line,
            "fix": self.fix,
            "source": self.source,
        }
