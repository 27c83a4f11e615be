"""Results of checks: as tables, as lines, as annotations of GitHub and as junit XML."""

from collections.abc import Iterator, Sequence

from decaycalc.checks import Checked
from decaycalc.report.digits import escaped
from decaycalc.report.table import Block, Column, Marked, Paragraph, Table, Tone


def tables(results: Sequence[Checked]) -> Iterator[Block]:
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


def _state(result: Checked) -> Marked:
    if result.passed:
        return Marked(content="passed", tone=Tone.EXACT)
    return Marked(content="FAILED", tone=Tone.REFUSED)


def to_github(results: Sequence[Checked], *, path: str) -> str:
    """Return an annotation a failed check, as GitHub Actions reads them from a log.

    Source: docs.github.com, workflow commands for GitHub Actions, "Setting an error message".
    """
    lines = [
        f"::error file={_property(path)},line={result.line},title={_property(result.name)}"
        f"::{_data(result.message)}"
        for result in results
        if not result.passed
    ]
    passed = sum(result.passed for result in results)
    return "\n".join([*lines, f"{passed} of {len(results)} passed", ""])


def _data(text: str) -> str:
    return escaped(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_junit(results: Sequence[Checked]) -> str:
    """Return the checks as a junit test suite, which most CI servers show."""
    failures = sum(result.exit_status == 1 for result in results)
    errors = sum(result.exit_status > 1 for result in results)
    head = f'tests="{len(results)}" failures="{failures}" errors="{errors}"'
    cases = "".join(map(_case, results))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuite name="decaycalc" {head}>\n{cases}</testsuite>\n'
    )


def _case(result: Checked) -> str:
    # Imported here: it takes urllib and email with it, 20 ms of a start.
    from xml.sax.saxutils import escape, quoteattr  # noqa: PLC0415

    name = quoteattr(_printable(result.name))
    if result.passed:
        return f'  <testcase classname="decaycalc.check" name={name}/>\n'
    kind = "failure" if result.exit_status == 1 else "error"
    message = _printable(result.message)
    return (
        f'  <testcase classname="decaycalc.check" name={name}>\n'
        f"    <{kind} message={quoteattr(message)}>{escape(message)}</{kind}>\n"
        "  </testcase>\n"
    )


def _printable(text: str) -> str:
    """Return the text without what XML cannot hold."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
