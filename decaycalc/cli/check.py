"""`decaycalc check`: assertions about weight decays, and rules about whole runs, for CI."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.formats import OFFERED
from decaycalc.cli.names import CODE, FILE
from decaycalc.cli.options import KIND, run_options, source_options
from decaycalc.cli.output import formatted
from decaycalc.cli.shown import Shown
from decaycalc.conventions.run import Run
from decaycalc.errors import UsageError

if TYPE_CHECKING:
    from decaycalc.checks import Checked
    from decaycalc.findings.options import RuleChoice
    from decaycalc.report.document_types import CheckJson, FoundInJson
    from decaycalc.report.findings import Found

_LEVELS = ("error", "warning", "note", "never")


@click.command(
    "check",
    cls=Command,
    examples=(
        "decaycalc check decay.toml",
        "decaycalc check train.yaml --format github",
        "decaycalc check run.sh --select DC1 --fail-on note",
        "decaycalc check train.yaml -N 50000 --world-size 8",
        "decaycalc check --explain DC301",
    ),
)
@click.argument("files", type=FILE, nargs=-1, metavar="FILE...")
@click.option(
    "--select", type=CODE, multiple=True, metavar="CODES", help="Only these rules, DC101 or DC2."
)
@click.option("--ignore", type=CODE, multiple=True, metavar="CODES", help="Not these rules.")
@click.option("--fail-on", type=click.Choice(_LEVELS), metavar="LEVEL",
              help="error, warning, note or never.  [default: warning]")  # fmt: skip
@click.option("--explain", "code", type=CODE, metavar="CODE", help="Explain one rule.")
@KIND
@source_options
@run_options
@formatted((*OFFERED, "github", "junit", "sarif"))
def command(
    *,
    files: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    code: str | None,
    kind: str | None,
    more: dict[str, Any],
    run: Run,
) -> Shown:
    """Check TOML assertions, or a training file (or a published run) by the rules DC...

    A TOML FILE of tables holds assertions: the fields of 'decaycalc convert', and to + equals, or
    quantity + min, max or equals, or recipes = [two names or files]; in a pyproject.toml they are
    the tables of [tool.decaycalc.check]. Any other FILE is read as a training run, and rules say
    where its decay is not what it seems; '# decaycalc: ignore DC104' in it ignores one, the run's
    options take the place of its own, and --arch names its network for the rules on tensors.

    The exit status is 0 when all is well, 1 when an assertion or a rule from --fail-on on fails,
    and 2 when something cannot be evaluated or read.
    """
    from decaycalc.cli.checked_files import choice_of, explained, run_all

    if code is not None:
        return explained(code)
    if not files:
        raise UsageError("give a FILE: assertions in TOML, or a training file")
    choice = choice_of(select, ignore, fail_on)
    results, found = run_all(files, kind=kind, choice=choice, run=run, **more)
    return shown(results, found, choice)


def shown(
    results: "Sequence[tuple[str, Checked]]", found: "Sequence[Found]", choice: "RuleChoice"
) -> Shown:
    """Return assertions and findings in all their shapes."""
    from decaycalc import __version__
    from decaycalc.report import check as report
    from decaycalc.report import findings as of_rules
    from decaycalc.report.heading import counted

    checked = [result for _, result in results]
    failed = any(choice.fails(finding) for _, finding in found)
    passed = all(result.passed for result in checked) and not failed
    rows = [result.to_dict() for result in checked]
    lines: list[FoundInJson] = [{"file": path, **finding.to_dict()} for path, finding in found]
    body: CheckJson = {"checks": rows, "findings": lines, "passed": passed}
    statuses = (*(result.exit_status for result in checked), int(failed))

    def github() -> str:
        notes = [line for path, result in results for line in report.to_github([result], path=path)]
        good = sum(result.passed for result in checked)
        ends = [f"{good} of {len(checked)} passed"] if checked else []
        ends += [counted(len(found), "finding")] if found or not checked else []
        return "\n".join([*notes, *of_rules.to_github(found), *ends, ""])

    return Shown(
        name="check",
        body=lambda: body,
        tables=lambda: report.tables(checked, found, failed=failed),
        rows=lambda: [*rows, *lines],
        other={
            "github": github,
            "junit": lambda: report.to_junit(
                [*report.to_cases(results), *of_rules.to_cases(found, choice)]
            ),
            "sarif": lambda: of_rules.to_sarif(results, found, version=__version__),
        },
        status=max(statuses),
    )
