"""All rules by their codes, and what they find in a run."""

import re
from collections.abc import Iterable, Mapping

from decaycalc.errors import UnknownNameError
from decaycalc.findings import file, number, rounding, size, tensors
from decaycalc.findings.record import Finding, Rule, Subject

RULES: tuple[Rule, ...] = (
    *number.RULES,
    *tensors.RULES,
    *size.RULES,
    *rounding.RULES,
    *file.RULES,
)
_COMMENT = re.compile(r"(?:#|//)\s*decaycalc:\s*ignore\s+([A-Z0-9, ]+)")


def find_rule(code: str) -> Rule:
    """Return the rule of a code or a name.

    Raises:
        UnknownNameError: there is none.
    """
    wanted = code.strip()
    for rule in RULES:
        if wanted.upper() == rule.code or wanted.lower() == rule.name:
            return rule
    known = [name for rule in RULES for name in (rule.code, rule.name)]
    raise UnknownNameError("rule", code, known, hint="('decaycalc guide rules' lists them)")


def chosen(codes: Iterable[str]) -> frozenset[str]:
    """Return the codes that a selection means: whole codes, names, or beginnings such as DC2.

    Raises:
        UnknownNameError: one that no rule has.
    """
    found: set[str] = set()
    for text in codes:
        for code in filter(None, re.split(r"[,\s]+", text)):
            begun = [rule.code for rule in RULES if rule.code.startswith(code.upper())]
            found.update(begun or [find_rule(code).code])
    return frozenset(found)


def findings(
    subject: Subject,
    *,
    select: frozenset[str] = frozenset(),
    ignore: frozenset[str] = frozenset(),
    comments: Mapping[int, frozenset[str]] | None = None,
) -> tuple[Finding, ...]:
    """Return what the rules find, gravest first; nothing selected means every rule.

    `comments` are the codes that comments of the file ignore, by line; line 0 holds for the file.
    """
    wanted = [rule for rule in RULES if (not select or rule.code in select)]
    found = [
        Finding(
            code=rule.code, name=rule.name, level=hit.level or rule.level, message=hit.message,
            where=hit.where, line=hit.line, fix=rule.fix, source=rule.source,
        )
        for rule in wanted
        if rule.code not in ignore
        for hit in rule.find(subject)
    ]  # fmt: skip
    kept = (each for each in found if not _is_ignored(each, comments or {}))
    return tuple(sorted(kept, key=lambda each: (each.level.rank, each.code)))


def _is_ignored(finding: Finding, comments: Mapping[int, frozenset[str]]) -> bool:
    places = (0, finding.line or 0)
    return any(finding.code in comments.get(place, frozenset()) for place in places)


def comments_of(text: str) -> dict[int, frozenset[str]]:
    """Return the codes that `# decaycalc: ignore DC201` comments name, by line.

    A comment alone on its line holds for the whole file, which is line 0.

    >>> comments_of("lr: 1  # decaycalc: ignore DC104")
    {1: frozenset({'DC104'})}
    """
    found: dict[int, frozenset[str]] = {}
    for line, content in enumerate(text.splitlines(), start=1):
        match = _COMMENT.search(content)
        if match is not None:
            place = 0 if not content[: match.start()].strip() else line
            codes = frozenset(re.split(r"[,\s]+", match[1].strip()))
            found[place] = found.get(place, frozenset()) | codes
    return found
