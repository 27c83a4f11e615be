"""`decaycalc conventions`: what each framework means by its number."""

from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.options import (
    ConventionName,
    conventions_option,
    find_convention,
    given_conventions,
)
from decaycalc.cli.output import Shown, output_options

if TYPE_CHECKING:
    from decaycalc.conventions.record import Convention


@click.command(
    "conventions",
    cls=Command,
    examples=(
        "decaycalc conventions",
        "decaycalc conventions pytorch-adamw",
        "decaycalc conventions --search lamb",
        "decaycalc conventions --framework keras --json",
    ),
)
@click.argument("key", required=False, shell_complete=ConventionName().shell_complete)
@conventions_option
@click.option("--search", metavar="TEXT", help="Those that mention TEXT.")
@click.option(
    "--invariant",
    type=click.Choice(["strength", "shrink", "none"]),
    help="Those that fix the objective, the decay per step, or neither.",
)
@click.option(
    "--framework", metavar="NAME", help="Those of one framework, by the key's first word."
)
@output_options
def command(key: str | None, **wanted: Any) -> Shown:
    """List the conventions, or show the one called KEY whole."""
    from decaycalc.conventions.selection import select

    context = click.get_current_context()
    own = given_conventions(context)
    chosen = select(**wanted, extra=own) if key is None else (find_convention(key, context),)
    return shown(chosen, whole=key is not None)


def shown(conventions: "tuple[Convention, ...]", *, whole: bool) -> Shown:
    """Return the conventions in all their shapes."""

    def rows() -> Any:
        return [convention.to_dict() for convention in conventions]

    def tables() -> Any:
        from decaycalc.report import conventions as report

        return report.record(conventions[0]) if whole else report.listing(conventions)

    return Shown(name="conventions", body=lambda: {"conventions": rows()}, tables=tables, rows=rows)
