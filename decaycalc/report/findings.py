"""Findings of sources in the formats of CI: GitHub's annotations, JUnit, SARIF 2.1.0."""

import json
from collections.abc import Iterable, Sequence

from decaycalc.findings.options import Choice
from decaycalc.findings.record import Finding, Level
from decaycalc.findings.rules import RULES
from decaycalc.report.check import data_of, printable, property_of

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


def to_cases(found: Sequence[Found], choice: Choice) -> list[str]:
    """Return a JUnit test case a finding; one below the failing level passes with its text."""
    # Imported here: it takes urllib and email with it, 20 ms of a start.
    from xml.sax.saxutils import escape, quoteattr  # noqa: PLC0415

    cases = []
    for path, finding in found:
        name = quoteattr(printable(f"{path}: {finding.code} {finding.name}"))
        message = printable(finding.message)
        inner = (
            f"<failure message={quoteattr(message)}>{escape(message)}</failure>"
            if choice.fails(finding)
            else f"<system-out>{escape(message)}</system-out>"
        )
        cases.append(f'  <testcase classname="decaycalc.check" name={name}>{inner}</testcase>\n')
    return cases


def to_sarif(found: Sequence[Found], *, version: str) -> str:
    """Return the findings as a SARIF log.

    Source: OASIS SARIF 2.1.0, sections 3.13, 3.14, 3.27 (sarifLog, run, result).
    """
    driver = {
        "name": "decaycalc",
        "version": version,
        "rules": [_rule(code) for code in sorted({finding.code for _, finding in found})],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": list(_results(found))}],
    }
    return json.dumps(log, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, object]:
    rule = next(each for each in RULES if each.code == code)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": f"{rule.fix} ({rule.source})"},
        "defaultConfiguration": {"level": rule.level.value},
    }


def _results(found: Sequence[Found]) -> Iterable[dict[str, object]]:
    for path, finding in found:
        region = {} if finding.line is None else {"region": {"startLine": finding.line}}
        location = {"artifactLocation": {"uri": path.replace("\\", "/")}, **region}
        yield {
            "ruleId": finding.code,
            "level": finding.level.value,
            "message": {"text": finding.message},
            "locations": [{"physicalLocation": location}],
        }
