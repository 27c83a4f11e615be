"""Finding and Rule: what is known of a run that does not do what its number says, with a code."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A run as the rules see it: its training, its decay's figures and those of its groups."""

    training: Training
    figures: Figures
    groups: tuple[tuple[Group, float | None], ...] = ()

    def quantity(self, name: str) -> Sourced | None:
        """Return a quantity with its origin, None where the run has none of that name."""
        return next((found for found in self.training.quantities if found.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule's hit in one run; JSON's `findings`."""

    code: str
    name: str
    level: Level
    message: str
    where: str
    line: int | None
    fix: str
    source: str

    def to_dict(self) -> dict[str, object]:
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
