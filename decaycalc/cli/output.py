"""The output options that every command shares, and writing what they ask for."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.names import FILE
from decaycalc.errors import (
    ContradictionError,
    InvalidValueError,
    UnreadableFileError,
    UsageError,
)
from decaycalc.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from decaycalc.report.table import Table

_OUTPUT_HELP = "Write there, in the format of its extension; - is stdout."
_TYPED = frozenset({click.core.ParameterSource.COMMANDLINE})
FORMATS = ("table", "json", "jsonl", "csv", "md")
_BY_EXTENSION = {
    ".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".md": "md", ".html": "html",
    ".svg": "svg", ".txt": "table",
}  # fmt: skip


class Output(Record):
    """Where and how a result is to be shown."""

    format: str
    path: str | None
    width: int | None
    quiet: bool


class Shown(Record):
    """A result in all its shapes, each made when it is asked for.

    `name` names the JSON document, `body` is its content after the three schema keys; `rows` are
    the lines of CSV and JSONL; `value` is the bare number; `warnings` go to stderr.
    `text`, where there is one, stands for the tables on a terminal and in text files; `other` are
    texts in formats of the command's own. `status` is what the program leaves with.
    """

    name: str
    body: Callable[[], Mapping[str, object]]
    tables: "Callable[[], Iterable[Table]]"
    rows: Callable[[], Sequence[Mapping[str, object]]]
    value: Callable[[], str] | None = None
    warnings: Sequence[str] = ()
    text: Callable[[], str] | None = None
    other: Mapping[str, Callable[[], str]] = {}
    status: int = 0


def formatted(formats: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds the output options, for these formats."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return _with_output_options(command, formats)

    return decorate


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the output options; the command returns what is `Shown` and this shows it."""
    return _with_output_options(command, FORMATS)


def _with_output_options(command: Callable[..., Any], formats: Sequence[str]) -> Callable[..., Any]:
    """Return the command with the output options."""

    @wraps(command)
    def with_output(**given: Any) -> None:
        output = take_output(given)
        shown = command(**given)
        show(shown, output)
        if shown.status:
            click.get_current_context().exit(shown.status)

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


def take_output(given: dict[str, Any]) -> Output:
    """Take the output options out of a mapping.

    Raises:
        ContradictionError: two formats asked for.
        InvalidValueError: an extension that names no format, or a width that is no width.
    """
    asked = _asked_format(given)
    if len(asked) > 1:
        raise ContradictionError(f"one format at a time, not {' and '.join(sorted(asked))}")
    path, width = given.pop("output"), given.pop("width")
    chosen = next(iter(asked), None) or _format_of(path)
    return Output(format=chosen, path=path, width=_width(width), quiet=given.pop("quiet"))


def _asked_format(given: dict[str, Any]) -> set[str]:
    """Return the formats asked for: on the command line, else in the user's configuration."""
    asked = {
        "format_": given.pop("format_"),
        "json_": "json" if given.pop("json_") else None,
        "value_only": "value" if given.get("value_only") else None,
        "output": None,
    }
    context = click.get_current_context()
    typed = {name for name in asked if context.get_parameter_source(name) in _TYPED}
    if typed and "value_only" not in typed and asked["value_only"]:
        given["value_only"] = None
    names = typed or asked.keys()
    return {format_ for name in names if (format_ := asked[name]) is not None}


def _format_of(path: str | None) -> str:
    """Return the format that a file's extension names; `table` for stdout."""
    if path is None or path == "-":
        return "table"
    extension = os.path.splitext(path)[1].lower()  # noqa: PTH122  (pathlib costs a start 5 ms)
    if extension not in _BY_EXTENSION:
        raise InvalidValueError(
            "output", path, f"must end in one of {' '.join(_BY_EXTENSION)}, or give --format"
        )
    return _BY_EXTENSION[extension]


def _width(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 20 <= int(text) <= 10_000:  # noqa: PLR2004
        raise InvalidValueError("width", text, "must be a number of columns from 20 to 10000")
    return int(text)


def show(shown: Shown, output: Output) -> None:
    """Write the result in its format, and its warnings to stderr."""
    text = _text(shown, output)
    if output.path is None or output.path == "-":
        write_to_stdout(text)
    else:
        write_atomically(output.path, text)
    if not output.quiet:
        for warning in shown.warnings:
            click.echo(f"warning: {warning}", err=True)


def _text(shown: Shown, output: Output) -> str:
    """Return the result as text in the format asked for."""
    if output.format == "value":
        if shown.value is None:
            raise UsageError("--value has no single number here")
        return shown.value() + "\n"
    if output.format in shown.other:
        return shown.other[output.format]()
    if output.format == "table" and shown.text is not None:
        return shown.text()
    if output.format == "json":
        from decaycalc.report.document import document, to_json

        return to_json(document(shown.name, shown.body())) + "\n"
    if output.format in {"jsonl", "csv", "md"}:
        return _plain(shown, output.format)
    return _rich(shown, output)


def _plain(shown: Shown, format_: str) -> str:
    from decaycalc.report import plain

    if format_ == "md":
        return plain.to_markdown(shown.tables())
    return (plain.to_csv if format_ == "csv" else plain.to_jsonl)(shown.rows())


def _rich(shown: Shown, output: Output) -> str:
    from decaycalc.report import text

    if output.format == "html":
        return text.to_html(shown.tables(), width=output.width)
    if output.format == "svg":
        return text.to_svg(tuple(shown.tables()), width=output.width)
    to_file = output.path not in {None, "-"}
    terminal = sys.stdout.isatty() and not to_file
    return text.to_text(
        shown.tables(),
        width=table_width(output, terminal=terminal),
        colour=colour(terminal=terminal),
    )


def table_width(output: Output, *, terminal: bool) -> int | None:
    """Return the columns to fill: --width, COLUMNS, the terminal's; None is the natural width."""
    if output.width is not None:
        return output.width
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    return os.get_terminal_size().columns if terminal else None


def colour(*, terminal: bool) -> bool:
    """Return whether escapes are wanted: NO_COLOR beats FORCE_COLOR beats the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


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


def write_atomically(path: str, text: str) -> None:
    """Write a file whole or not at all; a device or a pipe is written as it is.

    Raises:
        UnreadableFileError: it cannot be written.
    """
    with writing(path) as file:
        file.write(text.encode("utf-8", "surrogateescape"))


@contextmanager
def writing(path: str) -> "Iterator[BinaryIO]":
    """Give a file to write to, which takes its place when all is written, or not at all.

    A device or a pipe is written as it is; a link's target is replaced, not the link. A new file's
    permissions follow the umask, those of an old one stay.

    Raises:
        UnreadableFileError: it cannot be written.
    """
    from pathlib import Path

    file = Path(path)
    try:
        if file.exists() and not file.is_file():
            with file.open("wb") as stream:
                yield stream
        else:
            yield from _replacing(file.resolve())
    except OSError as error:
        raise UnreadableFileError(path, error.strerror or str(error), doing="write") from error


def _replacing(file: "Path") -> "Iterator[BinaryIO]":
    """Give a file beside the one meant, and move it there when all is written."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
        if file.exists():
            temporary.chmod(file.stat().st_mode & 0o7777)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
