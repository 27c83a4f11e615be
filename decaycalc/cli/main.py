"""The program: one command, loaded when it is called, and errors in one line."""

import sys
from collections.abc import Sequence

import click

from decaycalc.cli.screen import say
from decaycalc.cli.session import Session, environment_formats
from decaycalc.cli.streams import one_line, prepare_streams
from decaycalc.errors import (
    DecaycalcError,
    MissingPackageError,
    MissingQuantityError,
    TextSyntaxError,
    UnreadableFileError,
)


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
        from decaycalc.cli.usage_errors import usage_error

        return usage_error(error, words)
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


def _flag(name: str) -> str:
    from decaycalc.algebra.quantity import flag_named

    return flag_named(name)


def _report(error: DecaycalcError, session: Session) -> int:
    """Print the error in one line (a caret above it for a syntax error) and return its status."""
    text = one_line(error.in_words(_flag))
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
