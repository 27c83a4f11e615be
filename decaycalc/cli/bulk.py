"""`decaycalc convert --input`: one conversion a row; the other options are the rows' defaults."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from decaycalc.errors import DecaycalcError, UnreadableFileError, UsageError

if TYPE_CHECKING:
    from decaycalc.bulk.fields import Finder
    from decaycalc.bulk.stream import Tally

_INPUT_HELP = "Convert rows of FILE (- is stdin): fields by the options' names, value, from, to ..."
# A row's names for the options whose parameters are called otherwise.
_FIELD_NAMES = {"source": "from", "targets": "to", "everything": "all", "framework": "emit"}
_NO_FIELDS = frozenset({"value_only", "format_", "json_", "output", "width", "quiet"})
_PATIENCE = 1.0  # seconds before progress is shown


class RowsFailedError(DecaycalcError):
    """Rows without a result; the others have theirs."""

    kind = "rows-failed"
    exit_status = 1

    def __init__(self, failed: int, rows: int) -> None:
        self.failed, self.rows = failed, rows
        super().__init__(f"{failed} of {rows} rows failed")


def bulk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--input` and what goes with it; with it, the other options are the rows' defaults."""

    @wraps(command)
    def with_input(**given: Any) -> Any:
        path, format_, on_error = (
            given.pop(name) for name in ("input", "input_format", "on_error")
        )
        if path is not None:
            return convert_rows(path, format_, given, stop=on_error == "stop")
        if format_ is not None or on_error != "continue":
            raise UsageError("--input-format and --on-error go with --input")
        return command(**given)

    option, choice = click.option, click.Choice
    declarations = (
        option("--input", metavar="FILE", help=_INPUT_HELP),
        option("--input-format", type=choice(["jsonl", "csv"]), help="[default: by extension]"),
        option("--on-error", type=choice(["continue", "stop"]), default="continue",
               show_default=True, help="What to do at a bad row."),
    )  # fmt: skip
    decorated: Callable[..., Any] = with_input
    for declare in reversed(declarations):
        decorated = declare(decorated)
    return decorated


def convert_rows(path: str, format_: str | None, given: dict[str, Any], *, stop: bool) -> None:
    """Convert the rows of a file to stdout or to the file asked for.

    Raises:
        RowsFailedError: some rows have no result.
        UsageError: an option that rows have no use for.
    """
    from decaycalc.bulk import stream

    chosen = _row_format(path, format_, given)
    convert = stream.convert_csv if chosen == "csv" else stream.convert_jsonl
    with _reading(path) as source, _sink(given["output"]) as sink:
        watch = _progress(quiet=given["quiet"])
        rows = stream.Stream(source, sink, stop=stop, watch=watch)
        tally = convert(rows, _defaults(given), _finder())
        watch.done()
    if tally.failed:
        raise RowsFailedError(tally.failed, tally.rows)


def _finder() -> "Finder":
    """Return what finds a convention by its name as the command line does, remembering it."""
    from functools import lru_cache, partial

    from decaycalc.cli.options import find_convention

    return lru_cache(maxsize=1024)(partial(find_convention, ctx=click.get_current_context()))


def _row_format(path: str, format_: str | None, given: dict[str, Any]) -> str:
    """Return how rows are written: as said, by the file's name, else as JSON lines.

    Raises:
        UsageError: an output format that is not the rows' own.
    """
    chosen = format_ or ("csv" if path.lower().endswith(".csv") else "jsonl")
    asked = "json" if given["json_"] else given["format_"]
    if given["value_only"] or asked not in {None, chosen}:
        name = "--value" if given["value_only"] else f"--format {asked}"
        raise UsageError(f"{name} does not go with --input: rows come back as {chosen}")
    return chosen


def _defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given as a row's fields.

    Raises:
        UsageError: one that rows have no use for.
    """
    from decaycalc.bulk.fields import SETTINGS

    fields = {
        _FIELD_NAMES.get(option, option): value
        for option, value in given.items()
        if option not in _NO_FIELDS and value not in (None, False, ())
    }
    for name in fields:
        if name != "value" and name not in SETTINGS:
            raise UsageError(f"--{name.replace('_', '-')} does not go with --input")
    if "from" in fields:
        fields["from"] = fields["from"].key
    if "to" in fields:
        names = tuple(convention.key for convention in fields["to"])
        fields["to"] = names if len(names) > 1 else names[0]
    return fields


@contextmanager
def _reading(path: str) -> Iterator[BinaryIO]:
    """Give the input.

    Raises:
        UnreadableFileError: it cannot be read.
    """
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = open(path, "rb")  # noqa: SIM115, PTH123  (closed below)
    except OSError as error:
        raise UnreadableFileError(path, error.strerror or str(error)) from error
    with stream:
        yield stream


@contextmanager
def _sink(path: str | None) -> Iterator[BinaryIO]:
    """Give the output.

    Raises:
        UnreadableFileError: it cannot be written.
    """
    from decaycalc.cli import output

    if path in {None, "-"}:
        with output.guarded_stdout():
            yield sys.stdout.buffer
    else:
        with output.writing(str(path)) as stream:
            yield stream


class _Progress:
    """The number of rows done, on a line of stderr that is written over and removed at the end."""

    def __init__(self) -> None:
        from time import monotonic

        self._now = monotonic
        self._next, self._shown = monotonic() + _PATIENCE, False

    def __call__(self, tally: "Tally") -> None:
        if self._now() >= self._next:
            self._next, self._shown = self._now() + _PATIENCE / 5, True
            failed = f", {tally.failed:,} failed" if tally.failed else ""
            click.echo(f"\r{tally.rows:,} rows{failed}", err=True, nl=False)

    def done(self) -> None:
        """Remove the line."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)


class _Silence(_Progress):
    """No progress."""

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, tally: "Tally") -> None:
        """Say nothing."""


def _progress(*, quiet: bool) -> _Progress:
    return _Silence() if quiet or not sys.stderr.isatty() else _Progress()
