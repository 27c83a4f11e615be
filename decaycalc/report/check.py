"""Results of checks: as tables, as lines, as annotations of GitHub and as junit XML."""

from collections.abc import Iterator, Sequence

from decaycalc.checks import Checked
from decaycalc.report.table import Table, simple_table


def tables(results: Sequence[Checked]) -> Iterator[Table]:
    """Yield the one table of checks."""
    failed = sum(not result.passed for result in results)
    rows = tuple(
        ("passed" if result.passed else "FAILED", result.name, result.message) for result in results
    )
    note = f"{len(results) - failed} of {len(results)} passed"
    yield simple_table(title="Checks", headers=("", "check", "message"), rows=rows, note=note)


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
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


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
