"""Findings of sources in the formats of CI: GitHub's annotations, JUnit, SARIF 2.1.0."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from decaycalc.findings.options import RuleChoice
from decaycalc.findings.record import Finding, Level
from decaycalc.findings.rules import find_rule
from decaycalc.report.check import data_of, place_of, printable, property_of

if TYPE_CHECKING:
    from decaycalc.checks import Checked

Found = tuple[str, Finding]
"""The source that a finding is of, and the finding."""

_GITHUB = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def to_github(found: Sequence[Found]) -> list[str]:
    """Return an annotation a finding, as GitHub Actions reads them from a log.

    Source: docs.github.com, workflow commands for GitHub Actions.
    """
    return [
        f"::{_GITHUB[finding.level]} file={property_of(path)},line={finding.line or 1},"
        f"title={property_of(f'{finding.code} {finding.name}')}::{data_of(finding.message)}"
        for path, finding in found
    ]


def to_cases(found: Sequence[Found], choice: RuleChoice) -> list[str]:
    """Return a JUnit test case a finding; one below the failing level passes with its text."""
    # Imported here: it takes urllib and email with it, 20 ms of a start.
    from xml.sax.saxutils import escape, quoteattr  # noqa: PLC0415

    cases = []
    for path, finding in found:
        name = quoteattr(printable(f"{path}: {finding.code} {finding.name}"))
        place = place_of(path, finding.line)
        message = printable(finding.message)
        inner = (
            f"<failure message={quoteattr(message)}>{escape(message)}</failure>"
            if choice.fails(finding)
            else f"<system-out>{escape(message)}</system-out>"
        )
        head = f'<testcase classname="decaycalc.check" name={name}{place}>'
        cases.append(f"  {head}{inner}</testcase>\n")
    return cases


def to_sarif(
    results: Sequence[tuple[str, "Checked"]], found: Sequence[Found], *, version: str
) -> str:
    """Return the assertions that failed and the findings as a SARIF log.

    Source: OASIS SARIF 2.1.0, sections 3.13, 3.14, 3.27 (sarifLog, run, result).
    """
    failed = [(path, result) for path, result in results if not result.passed]
    codes = sorted({finding.code for _, finding in found})
    driver = {
        "name": "decaycalc",
        "version": version,
        "rules": [*([_ASSERTION] if failed else []), *map(_rule, codes)],
    }
    entries = [
        *(_result(_ASSERTION["id"], Level.ERROR, each.message, path, each.line)
          for path, each in failed),
        *(_result(each.code, each.level, each.message, path, each.line) for path, each in found),
    ]  # fmt: skip
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": entries}],
    }
    return json.dumps(log, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


_ASSERTION = {
    "id": "assertion",
    "name": "assertion",
    "shortDescription": {"text": "An assertion of a TOML file holds."},
    "help": {"text": "look at the expected and the actual number ('decaycalc check --help')"},
    "defaultConfiguration": {"level": Level.ERROR.value},
}


def _rule(code: str) -> dict[str, object]:
    rule = find_rule(code)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": f"{rule.fix} ({rule.source})"},
        "defaultConfiguration": {"level": rule.level.value},
    }


def _result(
    rule: object, level: Level, message: str, path: str, line: int | None
) -> dict[str, object]:
    # Imported here: other formats do without it.
    from urllib.parse import quote  # noqa: PLC0415

    region = {} if line is None else {"region": {"startLine": line}}
    # A blank or a % in a path makes it no URI.
    location = {"artifactLocation": {"uri": quote(path.replace("\\", "/"))}, **region}
    return {
        "ruleId": rule,
        "level": level.value,
        "message": {"text": message},
        "locations": [{"physicalLocation": location}],
    }
