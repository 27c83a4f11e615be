"""The output options that every command shares, and writing what they ask for."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.formats import FORMATS, OFFERED, format_of
from decaycalc.cli.names import FILE
from decaycalc.cli.screen import is_long, page, say
from decaycalc.cli.session import FORMAT_OPTIONS, FORMATS_KEY
from decaycalc.cli.shown import Output, Shown
from decaycalc.errors import (
    ContradictionError,
    InvalidValueError,
    UnreadableFileError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTPUT_HELP = "Write FILE, in the format of its extension."
_OUTPUT_NAMES = frozenset({*FORMAT_OPTIONS, "width", "quiet"})


def formatted(formats: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds the output options, for these formats."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return _with_output_options(command, formats)

    return decorate


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the output options; the command returns what is `Shown` and this shows it.

    A command that has written its result itself returns None.
    """
    return _with_output_options(command, OFFERED)


def _with_output_options(command: Callable[..., Any], formats: Sequence[str]) -> Callable[..., Any]:
    """Return the command with the output options."""

    @wraps(command)
    def with_output(**given: Any) -> None:
        context = click.get_current_context()
        output = output_of(context)
        own = {name: value for name, value in given.items() if name not in _OUTPUT_NAMES}
        shown: Shown | None = command(**own)
        if shown is None:
            return
        show(shown, output)
        if shown.status:
            context.exit(shown.status)

    option = click.option
    declarations = (
        option("--format", "format_", type=click.Choice(formats), help="[default: table]"),
        option("--json", "json_", is_flag=True, help="The same as --format json."),
        option("-o", "--output", type=FILE, metavar="FILE", help=_OUTPUT_HELP),
        option("--width", metavar="COLUMNS", help="Width of tables."),
        option("-q", "--quiet", is_flag=True, help="No notes and warnings on stderr."),
    )  # fmt: skip
    decorated: Callable[..., Any] = with_output
    for declare in reversed(declarations):
        decorated = declare(decorated)
    return decorated


def output_of(context: click.Context) -> Output:
    """Return where and how the command's result is to be shown.

    Raises:
        ContradictionError: two formats asked for.
        InvalidValueError: a width that is no width.
    """
    asked: set[str] = context.meta.get(FORMATS_KEY, set())
    if len(asked) > 1:
        raise ContradictionError(f"one format at a time, not {' and '.join(sorted(asked))}")
    given = context.params
    return Output(
        asked=next(iter(asked), None),
        path=given["output"],
        width=take_width(given["width"]),
        quiet=given["quiet"],
    )


def take_width(text: str | None) -> int | None:
    """Return a width in columns, None where none is asked for.

    Raises:
        InvalidValueError: it is no width.
    """
    if text is None:
        return None
    if not text.isdecimal() or not 20 <= int(text) <= 10_000:  # noqa: PLR2004
        raise InvalidValueError("width", text, "must be a number of columns from 20 to 10000")
    return int(text)


def show(shown: Shown, output: Output) -> None:
    """Write the result in its format, and its notes and warnings to stderr.

    Raises:
        ContradictionError: a plot beside a format or a file that has no room for one.
    """
    chosen = format_of(output)
    if shown.plot is not None and (output.is_file or chosen != "table"):
        raise ContradictionError("--plot draws below tables on stdout; --save writes a picture")
    text = _text(shown, output, chosen)
    if output.path is None or not output.is_file:
        (page if chosen == "table" and is_long(text) else write_to_stdout)(text)
    else:
        # Imported here: most starts write to stdout.
        from decaycalc.files.writing import write_whole

        write_whole(output.path, text)
    if output.quiet:
        return
    for note in shown.notes if chosen == "value" or shown.text is not None else ():
        say("note", note)
    for remark in shown.remarks:
        say("note", remark)
    for warning in shown.warnings:
        say("warning", warning)


def _text(shown: Shown, output: Output, chosen: str) -> str:
    """Return the result as text in a format, the command's own or one of all commands."""
    if chosen == "value":
        if shown.value is None:
            raise UsageError("--value has no single number here")
        return shown.value() + "\n"
    if chosen in shown.other:
        return shown.other[chosen]()
    if chosen not in FORMATS:  # a format of findings, where none are shown
        raise UsageError(f"--format {chosen} has no form of this: give {', '.join(OFFERED)}")
    return FORMATS[chosen].write(shown, output)


def write_to_stdout(text: str) -> None:
    """Write to stdout; a reader that has gone away (`| head`) is click's to deal with.

    Raises:
        UnreadableFileError: it cannot be written, the disk is full.
    """
    with guarded_stdout():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def guarded_stdout() -> "Iterator[None]":
    """Turn a full disk behind stdout into an error of ours, raised once.

    Raises:
        UnreadableFileError: stdout cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer would fail once more when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise UnreadableFileError("stdout", error.strerror or str(error), doing="write") from error
