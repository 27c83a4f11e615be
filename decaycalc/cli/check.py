"""`decaycalc check`: assertions about weight decays, for CI."""

from typing import TYPE_CHECKING

import click

from decaycalc.cli.command import Command
from decaycalc.cli.formats import OFFERED
from decaycalc.cli.names import FILE
from decaycalc.cli.output import Shown, formatted
from decaycalc.files.text import read_text

if TYPE_CHECKING:
    from decaycalc.checks import Checked


@click.command(
    "check",
    cls=Command,
    examples=(
        "decaycalc check decay.toml",
        "decaycalc check pyproject.toml --format github",
        "decaycalc check decay.toml -o report.xml --format junit",
    ),
)
@click.argument("file", type=FILE)
@formatted((*OFFERED, "github", "junit"))
def command(file: str) -> Shown:
    """Check the assertions of a TOML FILE (- is stdin), or of [tool.decaycalc.check] in it.

    Each table is a check: the fields of 'decaycalc convert', and to + equals, or quantity + min,
    max or equals, or recipes = [two names or files]. A check says all that it means: defaults of
    options in [tool.decaycalc] or DECAYCALC_* variables do not enter it.

    The exit status is 0 when all pass, 1 when one fails or converts what has no equivalent, and 2
    when one cannot be evaluated (an unknown field or name, a bad or missing number; the others
    still run), or when FILE cannot be read or holds something else than checks.
    """
    from decaycalc.checks import parse_checks, run_check

    path = "stdin" if file == "-" else file
    checks = parse_checks(read_text(file, streams=True, stdin=True), path=path)
    return shown(tuple(map(run_check, checks)), path=path)


def shown(results: "tuple[Checked, ...]", *, path: str) -> Shown:
    """Return the checks in all their shapes."""
    from decaycalc.report import check as report

    rows = [result.to_dict() for result in results]
    return Shown(
        name="check",
        body=lambda: {"checks": rows, "passed": all(result.passed for result in results)},
        tables=lambda: report.tables(results),
        rows=lambda: rows,
        other={
            "github": lambda: report.to_github(results, path=path),
            "junit": lambda: report.to_junit(results),
        },
        status=max((result.exit_status for result in results), default=0),
    )
