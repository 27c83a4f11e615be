"""The program: the group of commands, loaded one at a time, and errors in one line."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

import click

from decaycalc import __version__
from decaycalc.cli.command import Helpful
from decaycalc.errors import (
    DecaycalcError,
    MissingQuantityError,
    TextSyntaxError,
    UnreadableFileError,
    UsageError,
)

COMMANDS = {
    "convert": "One weight decay in every other convention.",
    "conventions": "What each framework means by its number.",
    "schedule": "What happens to a weight under a learning-rate schedule.",
    "arch": "Which tensors of a network decay, and how large the penalty is.",
    "transfer": "What lr and weight decay become when the run changes.",
    "recipes": "Published runs, in one common unit.",
    "check": "Assertions for CI: do two settings mean the same decay?",
    "verify": "Train twice and compare: the proof of a conversion.",
    "guide": "Short pages on weight decay.",
    "schema": "JSON Schemas of the outputs.",
    "completion": "Shell completion for bash, zsh and fish.",
}


class Commands(Helpful, click.Group):
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
        """Find the command, with the nearest name where there is none."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from decaycalc.errors import UnknownNameError

            raise UnknownNameError("command", args[0], COMMANDS)
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status: 0 done, 1 no answer, 2 bad usage or input."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _speak_utf8()
    try:
        return _run(words)
    except DecaycalcError as error:
        return _report(error, words)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return _report(_usage_error(error, words), words)
    except OSError as error:
        # Help and version go to stdout by click, which may be a full disk.
        return _report(UnreadableFileError("stdout", str(error.strerror), doing="write"), words)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130


def _run(words: list[str]) -> int:
    """Run the program; errors are raised."""
    if sorted(words) == ["--json", "--version"]:
        from decaycalc.cli.version import print_versions

        return print_versions()
    status = program.main(args=words, prog_name="decaycalc", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _speak_utf8() -> None:
    """Write UTF-8 whatever the locale: formulas hold λ, Σ and ·."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8")


def _usage_error(error: click.ClickException, words: Sequence[str]) -> DecaycalcError:
    """Return click's complaint as one of ours, in one line."""
    if isinstance(error, click.NoSuchOption):
        for word in words:
            if word.startswith("-") and _is_number(word) and not _is_number(error.option_name[:1]):
                return UsageError(f"VALUE {word} must not be negative")
        return UsageError(f"no such option {error.option_name!r}{_hint(error.possibilities)}")
    text = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(text[:1].lower() + text[1:])


def _hint(names: Sequence[str] | None) -> str:
    """Return the question after an unknown option, empty where nothing is near."""
    return f"; did you mean {' or '.join(map(repr, names))}?" if names else ""


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _report(error: DecaycalcError, words: Sequence[str]) -> int:
    """Print the error in one line (a caret above it for a syntax error) and return its status."""
    text = str(error)
    if isinstance(error, MissingQuantityError):
        from decaycalc.cli.flags import way_out

        text += f"; {way_out(error.missing)}"
    if isinstance(error, TextSyntaxError):
        click.echo(error.caret(), err=True)
    click.echo(f"error: {text}", err=True)
    if _wants_json(words):
        from decaycalc.report.document import to_json

        body = {"type": error.kind, "message": text, **error.fields()}
        click.echo(to_json({"error": body}, indent=None), err=True)
    return error.exit_status


def _wants_json(words: Sequence[str]) -> bool:
    """Return whether the command line asks for JSON, readable even where it is broken."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    return any(
        word in {"--json", "--format=json"} or (word == "--format" and following == "json")
        for word, following in pairs
    )
