"""What a check of a source reports: which rules, and from which level on it fails."""

from decaycalc.errors import UnknownNameError
from decaycalc.findings.record import Finding, Level
from decaycalc.findings.rules import chosen
from decaycalc.record import Record

NEVER = "never"
FAIL_ON = (*(level.value for level in Level), NEVER)


class RuleChoice(Record):
    """The rules that are run and those that are not, and the level that fails a check."""

    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    fail_on: str = Level.WARNING.value

    @classmethod
    def of(
        cls, select: tuple[str, ...], ignore: tuple[str, ...], fail_on: str | None
    ) -> "RuleChoice":
        """Return the choice of these texts; codes may be whole, names, or beginnings (DC2).

        Raises:
            UnknownNameError: a code that no rule has, or a level that there is not.
        """
        level = Level.WARNING.value if fail_on is None else fail_on
        if level not in FAIL_ON:
            raise UnknownNameError("level", level, FAIL_ON, hint=f"(one of {', '.join(FAIL_ON)})")
        return cls(select=chosen(select), ignore=chosen(ignore), fail_on=level)

    def fails(self, finding: Finding) -> bool:
        """Return whether a finding fails the check."""
        return self.fail_on != NEVER and finding.level.rank <= Level(self.fail_on).rank
