"""The program: one command, loaded when it is called, and errors in one line."""

import sys
from collections.abc import Sequence

import click

from decaycalc.cli.screen import say
from decaycalc.cli.session import Session, environment_formats
from decaycalc.cli.streams import one_line, prepare_streams
from decaycalc.errors import (
    DecaycalcError,
    InvalidValueError,
    MissingPackageError,
    MissingQuantityError,
    NoEquivalentError,
    TextSyntaxError,
    UnreadableFileError,
    UsageError,
)

_BEFORE_COMMAND = "; options stand behind a command: decaycalc convert 1e-4 --from KEY"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status: 0 done, 1 no answer, 2 bad usage or input."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    session = Session()
    session.decide({}, environment_formats())
    prepare_streams()
    try:
        return _run(words, session)
    except DecaycalcError as error:
        return _report(error, session)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except (click.ClickException, OSError, ModuleNotFoundError) as error:
        return _report(_ours(error, words), session)
    except UnicodeEncodeError as error:  # half a pair of UTF-16: no shell, but a caller can give it
        return _report(_unnameable(error, words), session)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130


def _ours(
    error: click.ClickException | OSError | ModuleNotFoundError, words: Sequence[str]
) -> DecaycalcError:
    """Return what click or Python raised as an error of ours; a fault in the program stays one."""
    if isinstance(error, click.ClickException):
        return _usage_error(error, words)
    if isinstance(error, ModuleNotFoundError):
        if str(error.name).startswith("decaycalc"):
            raise error
        return MissingPackageError(str(error.name))
    # Help and version go to stdout by click, which may be a full disk.
    return UnreadableFileError("stdout", error.strerror or str(error), doing="write")


def _unnameable(error: UnicodeEncodeError, words: Sequence[str]) -> DecaycalcError:
    """Return what the system could not be asked for as an error of ours; other texts are a fault.

    Raises:
        UnicodeEncodeError: what could not be encoded is none of the words.
    """
    for word in words:
        if error.object and str(error.object) in word:
            return UnreadableFileError(word, "no file can have this name")
    raise error


def _run(words: list[str], session: Session) -> int:
    """Run the program; errors are raised."""
    if sorted(words) == ["--json", "--version"]:
        from decaycalc.cli.version import print_versions

        session.wants_json = True
        return print_versions()
    from decaycalc.cli.group import program

    status = program.main(words, "decaycalc", standalone_mode=False, obj=session)
    return status if isinstance(status, int) else 0


def _usage_error(error: click.ClickException, words: Sequence[str]) -> DecaycalcError:
    """Return click's complaint as one of ours, in one line."""
    if isinstance(error, click.NoSuchOption):
        for word in words:
            if word.startswith("-") and _is_number(word) and not _is_number(error.option_name[:1]):
                return UsageError(f"VALUE {word} must not be negative")
        return UsageError(f"no such option {error.option_name!r}{_way_out(error)}")
    text = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(f"{text[:1].lower()}{text[1:]}{_usage(error)}")


def _usage(error: click.ClickException) -> str:
    """Return a command's arguments where one is missing or too many, else nothing."""
    of_arguments = type(error) is click.UsageError or isinstance(error, click.MissingParameter)
    context = getattr(error, "ctx", None)
    if not of_arguments or context is None:
        return ""
    pieces = context.command.collect_usage_pieces(context)
    return f"; usage: {' '.join([context.command_path, *pieces])}"


def _way_out(error: click.NoSuchOption) -> str:
    """Return what to give for an unknown option, empty where nothing is near.

    What a trainer calls an option is answered with ours, where the command has it or another one is
    named; so is what `--set` gives.
    """
    from decaycalc.cli.foreign_flags import ours
    from decaycalc.conventions.runs import EXTRA_FIELDS

    if error.ctx is not None and isinstance(error.ctx.command, click.Group):
        near = [each for each in error.possibilities or () if each[:4] == error.option_name[:4]]
        return _did_you_mean(near) or _BEFORE_COMMAND
    name = error.option_name.lstrip("-").replace("-", "_")
    known = () if error.ctx is None else _options_of(error.ctx.command)
    spelt = f"--{name.replace('_', '-')}"
    if spelt in known:
        return f"; give {spelt}"
    if name in EXTRA_FIELDS and "--set" in known:
        return f"; give --set {name}=NUMBER"
    meant = ours(error.option_name)
    flag = meant.partition(" ")[0].rstrip(",")
    if flag in known or (meant and (not flag.startswith("-") or "(of " in meant)):
        return f"; give {meant}"
    others = [each for each in error.possibilities or () if each != "--help" or name[:1] == "h"]
    return _did_you_mean(others)


def _did_you_mean(names: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(map(repr, names))}?" if names else ""


def _options_of(command: click.Command) -> tuple[str, ...]:
    """Return the names that a command's options have."""
    return tuple(name for option in command.params for name in option.opts)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _report(error: DecaycalcError, session: Session) -> int:
    """Print the error in one line (a caret above it for a syntax error) and return its status."""
    text = one_line(str(error))
    if isinstance(error, InvalidValueError) and error.name.startswith("to_"):
        from decaycalc.algebra.quantity import flag_named

        text = text.replace(error.name, flag_named(error.name), 1)
    if isinstance(error, NoEquivalentError):
        text = text.replace("; gradient_rms gives", "; --gradient-rms gives")
    if isinstance(error, MissingQuantityError):
        from decaycalc.cli.flags import way_out

        text += f"; {way_out(error.missing)}"
    if session.settings:
        from decaycalc.cli.strays import set_elsewhere

        text += one_line(set_elsewhere(text, session.settings))
    if isinstance(error, TextSyntaxError):
        click.echo(error.caret(), err=True)
    say("error", text)
    if session.wants_json:
        from decaycalc.report.document import to_json

        click.echo(to_json({"error": error.to_dict(text)}, indent=None), err=True)
    return error.exit_status
