"""The group of commands, for its help page, the version, and names that are no command's."""

from importlib import import_module

import click

from decaycalc import __version__
from decaycalc.cli import COMMANDS
from decaycalc.cli.session import environment_formats, session_of, typed_values

# What is read of a command line whose command there is not: whether its errors are to be JSON.
_UNKNOWN = click.Command(
    "unknown",
    params=[
        click.Option(["--format", "format_"]),
        click.Option(["--json", "json_"], is_flag=True),
    ],
)


_ALL = "'decaycalc -h' lists them"
# What other programs have as commands.
_OF_OTHERS = {
    "help": "'decaycalc -h' is the help, 'decaycalc COMMAND -h' a command's",
    "version": "'decaycalc --version' prints it",
}


def _instead(word: str) -> str:
    """Return what to give where a word stands in a command's place, empty for any other word."""
    from decaycalc.training.reading.numbers import typed_number
    from decaycalc.training.source import is_there

    if typed_number(word) is not None:
        return f"'decaycalc convert {word} --from KEY' converts a number"
    if is_there(word):
        return f"'decaycalc inspect {word}' reads a training file"
    return _OF_OTHERS.get(word, "")


class Commands(click.Group):
    """A group that imports a command's module when it is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's)
        """Return the names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's)
        """Return a command by name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"decaycalc.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's)
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command.

        Raises:
            UnknownNameError: there is none of that name; it suggests the nearest.
        """
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from decaycalc.errors import UnknownNameError

            session_of(ctx).decide(typed_values(_UNKNOWN, args[1:]), environment_formats())
            instead = _instead(args[0])
            known = () if instead else COMMANDS
            raise UnknownNameError("command", args[0], known, hint=f"({instead or _ALL})")
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version and leave, where it is wanted."""
    if wanted:
        click.echo(f"decaycalc {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,  # click.version_option would load the locale at every start
    help="Show the version and exit.",
)
def program() -> None:
    """Weight decay, converted.

    What a framework's weight-decay number does to a weight in one step, how large its penalty is,
    and what it is in every other convention. Start with 'decaycalc convert --help'.
    """
