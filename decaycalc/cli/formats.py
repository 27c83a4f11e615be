"""The output formats, one function each: a result as text."""

import os
import sys
from collections.abc import Callable

from decaycalc.cli.screen import colour, columns, is_terminal
from decaycalc.cli.shown import Output, Shown
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record

_PLOT_WIDTH = 80


class Format(Record):
    """An output format: what writes it, the extension of its files, and where it may be asked for.

    One that is `offered` may be named by --format; one `for_rows` is also what rows come in.
    """

    write: Callable[[Shown, Output], str]
    extension: str
    offered: bool = True
    for_rows: bool = False


def to_table(shown: Shown, output: Output) -> str:
    """Return the result as tables for people, with the plot below them where there is one."""
    if shown.text is not None:
        return shown.text()
    from decaycalc.report.text import to_text

    terminal = not output.is_file and is_terminal(sys.stdout)
    width, coloured = columns(output.width, terminal=terminal), colour(terminal=terminal)
    written = to_text(shown.tables(), width=width, colour=coloured)
    if shown.plot is None:
        return written
    return f"{written}\n{shown.plot(width=width or _PLOT_WIDTH, colour=coloured)}\n"


def to_json(shown: Shown, _: Output) -> str:
    """Return the result as its JSON document."""
    from decaycalc.report import document

    return document.to_json(document.document(shown.name, shown.body())) + "\n"


def to_jsonl(shown: Shown, _: Output) -> str:
    """Return the result's rows as JSON, one a line."""
    from decaycalc.report import plain

    return plain.to_jsonl(shown.rows())


def to_csv(shown: Shown, _: Output) -> str:
    """Return the result's rows as CSV."""
    from decaycalc.report import plain

    return plain.to_csv(shown.rows())


def to_markdown(shown: Shown, _: Output) -> str:
    """Return the result's tables in Markdown."""
    from decaycalc.report import plain

    return plain.to_markdown(shown.tables())


def to_html(shown: Shown, _: Output) -> str:
    """Return the result's tables as a page."""
    from decaycalc.report.html import to_page

    return to_page(shown.tables())


def to_svg(shown: Shown, output: Output) -> str:
    """Return the result's tables as a picture."""
    from decaycalc.report.text import to_svg

    return to_svg(shown.tables(), width=output.width)


FORMATS = {
    "table": Format(write=to_table, extension=".txt"),
    "json": Format(write=to_json, extension=".json"),
    "jsonl": Format(write=to_jsonl, extension=".jsonl", for_rows=True),
    "csv": Format(write=to_csv, extension=".csv", for_rows=True),
    "md": Format(write=to_markdown, extension=".md"),
    "html": Format(write=to_html, extension=".html", offered=False),
    "svg": Format(write=to_svg, extension=".svg", offered=False),
}
OFFERED = tuple(name for name, each in FORMATS.items() if each.offered)
OF_ROWS = tuple(name for name, each in FORMATS.items() if each.for_rows)
_BY_EXTENSION = {each.extension: name for name, each in FORMATS.items()}


def extension_of(path: str) -> str:
    """Return a file name's extension in lower case, empty where it has none."""
    return os.path.splitext(path)[1].lower()  # noqa: PTH122  (pathlib costs a start 5 ms)


def named_by(path: str) -> str | None:
    """Return the format that a file's extension names, None where it names none."""
    return _BY_EXTENSION.get(extension_of(path))


def format_of(output: Output) -> str:
    """Return the format asked for, else the one of the file's extension; `table` for stdout.

    Raises:
        InvalidValueError: an extension that names no format.
    """
    if output.asked is not None or output.path is None or not output.is_file:
        return output.asked or "table"
    found = named_by(output.path)
    if found is None:
        known = " ".join(_BY_EXTENSION)
        raise InvalidValueError(
            "output", output.path, f"must end in one of {known}, or give --format"
        )
    return found
