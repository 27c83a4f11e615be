"""`decaycalc conventions`: what each framework means by its number."""

from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.convention_name import (
    ConventionName,
    conventions_option,
    find_convention,
    given_conventions,
)
from decaycalc.cli.output import output_options
from decaycalc.cli.shown import Shown
from decaycalc.errors import UsageError

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
@click.option("--all", "everything", is_flag=True, help="List every one.")
@output_options
def command(key: str | None, everything: bool, **wanted: Any) -> Shown:
    """Show the groups of conventions, or the one called KEY whole.

    A framework's name for KEY (keras, optax) lists its own.
    """
    from decaycalc.conventions.selection import select

    context = click.get_current_context()
    own = given_conventions(context)
    if key is not None:
        for name in [each for each, value in wanted.items() if value is not None]:
            raise UsageError(f"--{name} lists: leave out KEY")
        chosen = named(key, context)
        return shown(chosen, "record" if len(chosen) == 1 else "listing")
    listed = everything or any(wanted.values())
    return shown(select(**wanted, extra=own), "listing" if listed else "summary")


def named(key: str, context: click.Context) -> "tuple[Convention, ...]":
    """Return the convention of that key, or those of the framework of that name.

    Raises:
        UnknownNameError: it is neither.
    """
    from decaycalc.conventions.selection import select
    from decaycalc.errors import UnknownNameError

    try:
        return (find_convention(key, context),)
    except UnknownNameError as error:
        try:
            return select(framework=key, extra=given_conventions(context))
        except UnknownNameError:
            raise error from None


def shown(conventions: "tuple[Convention, ...]", form: str) -> Shown:
    """Return the conventions in all their shapes; `form` is `summary`, `listing` or `record`."""

    def rows() -> Any:
        return [convention.to_dict() for convention in conventions]

    def tables() -> Any:
        from decaycalc.report import conventions as report

        if form == "record":
            return report.record(conventions[0])
        return report.summary(conventions) if form == "summary" else report.listing(conventions)

    return Shown(name="conventions", body=lambda: {"conventions": rows()}, tables=tables, rows=rows)
