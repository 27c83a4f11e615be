"""Results of checks: as tables, as lines, as annotations of GitHub and as junit XML."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from decaycalc.errors import escaped
from decaycalc.findings.record import Finding, Level
from decaycalc.report.heading import counted
from decaycalc.report.table import Block, Column, Marked, Paragraph, Table, Tone

if TYPE_CHECKING:
    from decaycalc.checks import Checked


def tables(
    results: Sequence["Checked"],
    found: Sequence[tuple[str, Finding]] = (),
    *,
    failed: bool = False,
) -> Iterator[Block]:
    """Yield the verdict, then the checks, failed ones first, then the findings of each source."""
    if results:
        yield from _checked(results)
    if found or not results:
        yield from _found(found, failed=failed)


def _found(found: Sequence[tuple[str, Finding]], *, failed: bool) -> Iterator[Block]:
    """Yield a verdict and the findings, a line each, below the name of their source."""
    if not found:
        yield Paragraph(text="nothing found", tone=Tone.EXACT)
        return
    counts = Counter(finding.level for _, finding in found)
    text = ", ".join(counted(counts[level], level.value) for level in Level if counts[level])
    verdict = f"{text}: FAILED" if failed else text
    yield Paragraph(text=verdict, tone=Tone.REFUSED if failed else Tone.EXACT)
    for path, members in groupby(found, key=lambda each: each[0]):
        yield Paragraph(text=escaped(path), tone=Tone.VALUE)
        yield from findings(finding for _, finding in members)


_TONES = {Level.ERROR: Tone.REFUSED, Level.WARNING: Tone.PARTIAL, Level.NOTE: Tone.QUIET}


def findings(found: Iterable[Finding]) -> Iterator[Paragraph]:
    """Yield a line a finding, `DC301 note     ...`."""
    for each in found:
        place = "" if each.line is None else f" (line {each.line}: {escaped(each.where)})"
        text = f"{each.code} {each.level:7}  {escaped(each.message)}{place}"
        yield Paragraph(text=text, tone=_TONES[each.level], apart=False)


def _checked(results: Sequence["Checked"]) -> Iterator[Block]:
    """Yield the verdict, then the checks, failed ones first."""
    passed = sum(result.passed for result in results)
    failed = len(results) - passed
    count = f"of {len(results)}"
    verdict = f"{failed} {count} FAILED" if failed else f"{passed} {count} passed"
    yield Paragraph(text=verdict, tone=Tone.REFUSED if failed else Tone.EXACT)
    columns = (
        Column(header="Checks"),
        Column(header="name", least=16),
        Column(header="message", least=24),
    )
    ordered = sorted(results, key=lambda result: result.passed)
    rows = tuple((_state(result), result.name, result.message) for result in ordered)
    yield Table(title="Checks", columns=columns, rows=rows)


def _state(result: "Checked") -> Marked:
    if result.passed:
        return Marked(content="passed", tone=Tone.EXACT)
    return Marked(content="FAILED", tone=Tone.REFUSED)


def to_github(results: Sequence["Checked"], *, path: str) -> list[str]:
    """Return an annotation a failed check, as GitHub Actions reads them from a log.

    Source: docs.github.com, workflow commands for GitHub Actions, "Setting an error message".
    """
    return [
        f"::error file={property_of(path)},line={result.line},title={property_of(result.name)}"
        f"::{data_of(result.message)}"
        for result in results
        if not result.passed
    ]


def data_of(text: str) -> str:
    """Return the text as the message of an annotation."""
    return escaped(text).replace("%", "%25")


def property_of(text: str) -> str:
    """Return the text as a property of an annotation."""
    return data_of(text).replace(":", "%3A").replace(",", "%2C")


def to_cases(results: Sequence[tuple[str, "Checked"]]) -> list[str]:
    """Return a JUnit test case a check."""
    return [_case(path, result) for path, result in results]


def place_of(path: str, line: int | None) -> str:
    """Return the attributes of a JUnit test case that say where it stands, as pytest writes them.

    Source: pytest, junit_family xunit1: file and line.
    """
    from xml.sax.saxutils import quoteattr  # noqa: PLC0415  (as in _case)

    known = "" if line is None else f' line="{line}"'
    return f" file={quoteattr(printable(path))}{known}"


def to_junit(cases: Sequence[str]) -> str:
    """Return test cases as a JUnit test suite, which most CI servers show."""
    failures = sum("<failure" in case for case in cases)
    errors = sum("<error" in case for case in cases)
    head = f'tests="{len(cases)}" failures="{failures}" errors="{errors}"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuite name="decaycalc" {head}>\n{"".join(cases)}</testsuite>\n'
    )


def _case(path: str, result: "Checked") -> str:
    # Imported here: it takes urllib and email with it, 20 ms of a start.
    from xml.sax.saxutils import escape, quoteattr  # noqa: PLC0415

    name = quoteattr(printable(result.name))
    head = f'<testcase classname="decaycalc.check" name={name}{place_of(path, result.line)}'
    if result.passed:
        return f"  {head}/>\n"
    kind = "failure" if result.exit_status == 1 else "error"
    message = printable(result.message)
    return (
        f"  {head}>\n"
        f"    <{kind} message={quoteattr(message)}>{escape(message)}</{kind}>\n"
        "  </testcase>\n"
    )


def printable(text: str) -> str:
    """Return the text without what XML cannot hold."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
