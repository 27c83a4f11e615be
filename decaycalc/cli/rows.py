"""`decaycalc convert --input`: one conversion a row; the other options are the rows' defaults."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from decaycalc.algebra.number import plural
from decaycalc.algebra.quantity import flag_named
from decaycalc.cli.formats import OF_ROWS, named_by
from decaycalc.cli.output import guarded_stdout, output_of
from decaycalc.cli.request import Request
from decaycalc.cli.screen import say
from decaycalc.cli.shown import Output
from decaycalc.cli.streams import require_stdin
from decaycalc.errors import UnreadableFileError, UsageError
from decaycalc.files.text import name_of, open_stream, reason_of
from decaycalc.files.writing import writing

if TYPE_CHECKING:
    from decaycalc.bulk.fields import Finder
    from decaycalc.bulk.sniff import ByteStream
    from decaycalc.bulk.stream import Tally

# A row's names for the options whose parameters are called otherwise.
_FIELD_NAMES = {
    "source": "from",
    "targets": "to",
    "everything": "all",
    "framework": "emit",
    "groups": "group",
}
_NO_FIELDS = frozenset({"input", "input_format", "on_error", "quantities"})
_PATIENCE = 1.0  # seconds before progress is shown


def convert_rows(request: Request, path: str) -> None:
    """Convert the rows of a file to stdout or to the file asked for; bad rows make the status 1.

    Raises:
        UsageError: an option that rows have no use for.
    """
    from decaycalc.bulk.csv_rows import convert_csv
    from decaycalc.bulk.json_rows import convert_jsonl
    from decaycalc.bulk.stream import Stream

    output = output_of(click.get_current_context())
    _refuse_overwriting(path, output.path)
    _require_row_format(output)
    defaults, finder = row_fields(request), _finder()
    with _reading(path) as opened:
        source, chosen = _row_format(opened, path, request.input_format)
        _require_agreement(output, chosen)
        convert = convert_csv if chosen == "csv" else convert_jsonl
        with _sink(output.path) as sink:
            watch = _Progress(hidden=output.quiet or not sys.stderr.isatty())
            rows = Stream(source, sink, stop=request.on_error == "stop", watch=watch)
            tally = convert(rows, defaults, finder)
            watch.done()
    _report(tally, path, quiet=output.quiet)


def _refuse_overwriting(path: str, output: str | None) -> None:
    """Refuse an output that is the input: what a stop leaves out would be lost.

    Raises:
        UsageError: both are one file.
    """
    if output in {None, "-"}:
        return
    try:
        same = os.path.samestat(os.stat(0 if path == "-" else path), os.stat(str(output)))  # noqa: PTH116
    except OSError:  # one of them is not there: what comes next says so
        return
    if same:
        raise UsageError(f"-o {output} is the file that --input reads; write to another one")


def _report(tally: "Tally", path: str, *, quiet: bool) -> None:
    """Say what came of the rows where it is not what was to be expected."""
    if not tally.rows and not quiet:
        say("note", f"{name_of(path)!r} holds no rows")
    if tally.failed:
        verb = "has an error" if tally.failed == 1 else "have errors"
        rows = plural(tally.rows, "row")
        click.echo(f"{tally.failed} of {tally.rows} {rows} {verb}", err=True)
        click.get_current_context().exit(1)


def _finder() -> "Finder":
    """Return what finds a convention by its name as the command line does, remembering it."""
    from functools import lru_cache, partial

    from decaycalc.cli.convention_name import find_convention

    return lru_cache(maxsize=1024)(partial(find_convention, ctx=click.get_current_context()))


def _promised(output: Output) -> tuple[str, str] | None:
    """Return the format that the output is to have and what says so, None where nothing does."""
    if output.asked == "value":
        return "value", "--value"
    if output.asked is not None:
        return output.asked, f"--format {output.asked}"
    named = named_by(output.path) if output.path is not None else None
    return None if named is None else (named, f"-o {output.path}")


def _require_row_format(output: Output) -> None:
    """Refuse an output format that rows cannot have.

    Raises:
        UsageError: it is neither jsonl nor csv.
    """
    promised = _promised(output)
    if promised and promised[0] not in OF_ROWS:
        raise UsageError(f"{promised[1]} does not go with --input: rows come back as jsonl or csv")


def _require_agreement(output: Output, chosen: str) -> None:
    """Refuse an output format that is not the rows' own.

    Raises:
        UsageError: it is another.
    """
    promised = _promised(output)
    if promised and promised[0] != chosen:
        raise UsageError(f"{promised[1]} does not go with --input: the rows come back as {chosen}")


def _row_format(source: "ByteStream", path: str, format_: str | None) -> "tuple[ByteStream, str]":
    """Return the source and how its rows are written: as said, by its name, else as it begins."""
    named = named_by(path)
    known = format_ or (named if named in OF_ROWS else None)
    if known is not None:
        return source, known
    from decaycalc.bulk.sniff import Begun

    begun = Begun(source)
    return begun, begun.format


def row_fields(request: Request) -> dict[str, Any]:
    """Return the options that were given as a row's fields.

    Raises:
        UsageError: one that rows have no use for.
    """
    from decaycalc.bulk.fields import SETTINGS

    given = {**vars(request), **request.quantities}
    fields = {
        _FIELD_NAMES.get(option, option): value
        for option, value in given.items()
        if option not in _NO_FIELDS and value not in (None, False, ())
    }
    for name in fields:
        if name != "value" and name not in SETTINGS:
            raise UsageError(f"{flag_named(name)} does not go with --input")
    return {**fields, **_names(request)}


def _names(request: Request) -> dict[str, Any]:
    """Return the names of the conventions that were given, by the fields of a row."""
    names: dict[str, Any] = {}
    if request.source is not None:
        names["from"] = request.source.key
    if request.targets:
        keys = tuple(convention.key for convention in request.targets)
        names["to"] = keys if len(keys) > 1 else keys[0]
    return names


@contextmanager
def _reading(path: str) -> "Iterator[ByteStream]":
    """Give the input.

    Raises:
        UnreadableFileError: it cannot be read.
    """
    if path == "-":
        require_stdin()
        yield sys.stdin.buffer  # type: ignore[misc]  # it has read1
        return
    try:
        stream = open_stream(path)
    except (OSError, ValueError) as error:
        raise UnreadableFileError(path, reason_of(error)) from error
    with stream:
        yield stream


@contextmanager
def _sink(path: str | None) -> Iterator[BinaryIO]:
    """Give the output.

    Raises:
        UnreadableFileError: it cannot be written.
    """
    if path in {None, "-"}:
        with guarded_stdout():
            yield sys.stdout.buffer
    else:
        with writing(str(path)) as stream:
            yield stream


class _Progress:
    """The number of rows done, on a line of stderr that is written over and removed at the end."""

    def __init__(self, *, hidden: bool) -> None:
        from time import monotonic

        self._now = monotonic
        self._next, self._shown = inf if hidden else monotonic() + _PATIENCE, False

    def __call__(self, tally: "Tally") -> None:
        if self._now() >= self._next:
            self._next, self._shown = self._now() + _PATIENCE / 5, True
            failed = f", {tally.failed:,} failed" if tally.failed else ""
            click.echo(f"\r{tally.rows:,} rows{failed}", err=True, nl=False)

    def done(self) -> None:
        """Remove the line."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
