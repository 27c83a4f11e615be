"""The output options that every command shares, and writing what they ask for."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

import click

from decaycalc.cli.names import FILE
from decaycalc.cli.screen import colour, columns, is_long, is_terminal, page, say
from decaycalc.cli.session import FORMAT_OPTIONS, FORMATS_KEY
from decaycalc.errors import (
    ContradictionError,
    InvalidValueError,
    UnreadableFileError,
    UsageError,
)
from decaycalc.files.writing import write_whole
from decaycalc.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from decaycalc.report.table import Block

_OUTPUT_HELP = "Write FILE, in the format of its extension."
_PLOT_WIDTH = 80
_OUTPUT_NAMES = frozenset({*FORMAT_OPTIONS, "width", "quiet"})
FORMATS = ("table", "json", "jsonl", "csv", "md")
BY_EXTENSION = {
    ".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".md": "md", ".html": "html",
    ".svg": "svg", ".txt": "table",
}  # fmt: skip


class Output(Record):
    """Where and how a result is to be shown; `asked` is the format that options name."""

    asked: str | None
    path: str | None
    width: int | None
    quiet: bool

    @property
    def is_file(self) -> bool:
        """Whether the result goes to a file."""
        return self.path not in {None, "-"}

    @property
    def format(self) -> str:
        """The format asked for, else the one of the file's extension; `table` for stdout.

        Raises:
            InvalidValueError: an extension that names no format.
        """
        return self.asked or _format_of(self.path)


class Draw(Protocol):
    """A plot as text of `width` columns."""

    def __call__(self, *, width: int, colour: bool) -> str:
        """Return the text."""


class Shown(Record):
    """A result in all its shapes, each made when it is asked for.

    `name` names the JSON document, `body` is its content after the three schema keys; `rows` are
    the lines of CSV and JSONL; `value` is the bare number; `warnings` go to stderr, and so do
    `notes` where the result has no room for them: beside a bare number and beside code.
    `text`, where there is one, stands for the tables on a terminal and in text files; `other` are
    texts in formats of the command's own. `plot` is drawn below the tables. `status` is what the
    program leaves with.
    """

    name: str
    body: Callable[[], Mapping[str, object]]
    tables: "Callable[[], Iterable[Block]]"
    rows: Callable[[], Sequence[Mapping[str, object]]]
    value: Callable[[], str] | None = None
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    text: Callable[[], str] | None = None
    other: Mapping[str, Callable[[], str]] = {}
    status: int = 0
    plot: "Draw | None" = None


def formatted(formats: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds the output options, for these formats."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return _with_output_options(command, formats)

    return decorate


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the output options; the command returns what is `Shown` and this shows it.

    A command that has written its result itself returns None.
    """
    return _with_output_options(command, FORMATS)


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


def _format_of(path: str | None) -> str:
    """Return the format that a file's extension names; `table` for stdout."""
    if path is None or path == "-":
        return "table"
    extension = os.path.splitext(path)[1].lower()  # noqa: PTH122  (pathlib costs a start 5 ms)
    if extension not in BY_EXTENSION:
        raise InvalidValueError(
            "output", path, f"must end in one of {' '.join(BY_EXTENSION)}, or give --format"
        )
    return BY_EXTENSION[extension]


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
    """Write the result in its format, and its warnings to stderr."""
    if shown.plot is not None and (output.is_file or output.format != "table"):
        raise ContradictionError("--plot draws below tables on stdout; --save writes a picture")
    text = _text(shown, output)
    if output.path is None or not output.is_file:
        (page if output.format == "table" and is_long(text) else write_to_stdout)(text)
    else:
        write_whole(output.path, text)
    if not output.quiet:
        bare = output.format == "value" or shown.text is not None
        for note in shown.notes if bare else ():
            click.echo(f"note: {note}", err=True)
        for warning in shown.warnings:
            say("warning", warning)


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
        from decaycalc.report.html import to_page

        return to_page(shown.tables())
    if output.format == "svg":
        return text.to_svg(shown.tables(), width=output.width)
    terminal = not output.is_file and is_terminal(sys.stdout)
    width, coloured = columns(output.width, terminal=terminal), colour(terminal=terminal)
    written = text.to_text(shown.tables(), width=width, colour=coloured)
    if shown.plot is None:
        return written
    return f"{written}\n{shown.plot(width=width or _PLOT_WIDTH, colour=coloured)}\n"


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
