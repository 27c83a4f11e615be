"""Streams of rows: read in chunks, answered in order, written before the next chunk is awaited."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO

from decaycalc.bulk.converter import Converter
from decaycalc.bulk.fields import RESULTS, SETTINGS, Finder
from decaycalc.bulk.formats import CSV_COLUMNS, CsvColumns, JsonMembers
from decaycalc.bulk.sniff import Source
from decaycalc.conventions.catalogue import find
from decaycalc.errors import ContradictionError, DecaycalcError, UsageError

CHUNK = 1 << 16
LONGEST_LINE = 1 << 24
_MOST_NAMED = 20  # columns in a complaint
Cells = list[str] | None


class BadRowError(DecaycalcError):
    """A line that is no row."""

    kind = "bad-row"


class BadHeaderError(DecaycalcError):
    """A CSV header without the column that holds the values; `columns` are those it has."""

    kind = "bad-header"

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        more = [f"and {len(columns) - _MOST_NAMED} more"] if len(columns) > _MOST_NAMED else []
        found = ", ".join([*map(repr, columns[:_MOST_NAMED]), *more])
        super().__init__(f"no column is called 'value'; found: {found}{_delimiter_hint(columns)}")


def _delimiter_hint(columns: list[str]) -> str:
    """Return what is said of a header whose only column looks like several."""
    for delimiter in ";\t":
        if len(columns) == 1 and delimiter in columns[0]:
            return f"; fields must be separated by commas, not by {delimiter!r}"
    return ""


@dataclass(slots=True)
class Tally:
    """How many rows were answered, and how many of them have no result."""

    rows: int = 0
    failed: int = 0


class Stream:
    """Rows from `source`, their results to `sink`.

    `stop` ends the work at the first bad row; `watch` is told the tally now and then.
    """

    def __init__(
        self,
        source: Source,
        sink: BinaryIO,
        *,
        stop: bool = False,
        watch: Callable[[Tally], None] = lambda _tally: None,
    ) -> None:
        self._source, self._sink, self._stop, self._watch = source, sink, stop, watch
        self._ready: list[str] = []
        self.put = self._ready.append  # adds a line of output
        self.tally = Tally()
        self.line = 0

    def failed(self) -> bool:
        """Count a bad row and return whether to stop at it."""
        self.tally.failed += 1
        return self._stop

    def flush(self) -> None:
        """Write what is ready."""
        if self._ready:
            self._ready.append("")
            self._sink.write("\n".join(self._ready).encode("utf-8", "surrogateescape"))
            self._sink.flush()
            self._ready.clear()
            self._watch(self.tally)

    def lines(self) -> Iterator[str]:
        """Yield the lines without their ends; bytes that are no UTF-8 become surrogates."""
        for chunk in self._chunks():
            for line in chunk.decode("utf-8", "surrogateescape").split("\n"):
                self.line += 1
                yield line

    def _chunks(self) -> Iterator[bytes]:
        """Yield whole lines, without the end of the last.

        Raises:
            BadRowError: a line of more than 16 MiB.
        """
        rest = b""
        while True:
            self.flush()
            data = self._source.read1(CHUNK)
            if not data:
                break
            whole, end, rest = (rest + data).rpartition(b"\n")
            if end:
                yield whole
            if len(rest) > LONGEST_LINE:
                raise BadRowError(f"line {self.line + 1} is longer than 16 MiB")
        if rest:
            yield rest


def _not_finite(name: str) -> None:
    raise BadRowError(f"not JSON: {name}")


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_not_finite)
_SCAN: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]


def convert_jsonl(stream: Stream, defaults: dict[str, Any], finder: Finder = find) -> Tally:
    """Answer rows of JSON lines: each object comes back with its result's members added."""
    writer = JsonMembers()
    converter = Converter(defaults, writer, finder)
    for line in stream.lines():
        if not line or line.isspace():
            continue
        stream.tally.rows += 1
        try:
            stream.put(_answered(line, converter))
        except DecaycalcError as error:
            stream.put(writer.error(stream.line, error))
            if stream.failed():
                break
    stream.flush()
    return stream.tally


def _answered(line: str, converter: Converter) -> str:
    """Return the row with its result.

    Raises:
        DecaycalcError: it is no row, or has no answer.
    """
    try:
        row, end = _SCAN(line, 0)
    except (StopIteration, ValueError, RecursionError):
        row, end = None, 0
    if end != len(line) or type(row) is not dict:
        line, row = _tidied(line)
    elif not line.isascii():
        _check_encoding(line)
    shape = converter.shape(tuple(row))
    result = converter.answer(shape, row, row.get("value"))
    if shape.collides:
        kept = {name: value for name, value in json.loads(line).items() if name not in RESULTS}
        line = json.dumps(kept, ensure_ascii=False)
    separator = ", " if len(line) > len("{}") else ""
    return f"{line[:-1]}{separator}{result}"


def _check_encoding(line: str) -> None:
    """Refuse bytes that are no UTF-8."""
    try:
        line.encode()
    except UnicodeEncodeError:
        raise BadRowError("not UTF-8") from None


def _tidied(line: str) -> tuple[str, dict[str, Any]]:
    """Return the line without what surrounds its object, and the object.

    Raises:
        BadRowError: it is no UTF-8, no JSON or no object.
    """
    _check_encoding(line)
    line = line.strip(" \t\r\ufeff")
    try:
        row, end = _SCAN(line, 0)
    except StopIteration as error:
        raise BadRowError(f"not JSON: unexpected text at character {error.value + 1}") from None
    except json.JSONDecodeError as error:
        raise BadRowError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise BadRowError("not JSON: nested too deeply") from None
    if end != len(line):
        raise BadRowError(f"not JSON: unexpected text at character {end + 1}")
    if not isinstance(row, dict):
        raise BadRowError("not a JSON object")
    return line, row


def convert_csv(stream: Stream, defaults: dict[str, Any], finder: Finder = find) -> Tally:
    """Answer rows of CSV: each comes back as it was, with the result's columns added.

    Raises:
        ContradictionError: a column that occurs twice, or that a result would be called.
        BadHeaderError: no column is called `value`.
        UsageError: neither a column nor a default says what to convert from, or to which target.
    """
    lines = stream.lines()
    head = next((line for line in lines if line and not line.isspace()), None)
    if head is None:
        return stream.tally
    raw, header = _record(head, lines)
    table = _CsvTable(header or [], defaults, finder)
    stream.put(_extended(raw, "," + ",".join(CSV_COLUMNS)))
    tally, put = stream.tally, stream.put
    for line in lines:
        raw, cells = _record(line, lines) if '"' in line else (line, line.split(","))
        if not raw or raw.isspace():
            continue
        tally.rows += 1
        try:
            more = table.answer(cells)
            put(raw + more if raw[-1] != "\r" else _extended(raw, more))
        except DecaycalcError as error:
            stream.put(_extended(*table.error(stream.line, raw, cells, error)))
            if stream.failed():
                break
    stream.flush()
    return stream.tally


class _CsvTable:
    """The columns of a CSV file and the converter of its rows."""

    def __init__(self, header: list[str], defaults: dict[str, Any], finder: Finder) -> None:
        self._names = [name.strip().removeprefix("\ufeff") for name in header]
        self._writer = CsvColumns()
        self._converter = Converter(defaults, self._writer, finder)
        known = [name for name in self._names if name in SETTINGS or name == "value"]
        for name in self._names:
            if name in CSV_COLUMNS or known.count(name) > 1:
                why = "is what a result is called" if name in CSV_COLUMNS else "occurs twice"
                raise ContradictionError(f"column {name!r} {why}")
        if "value" not in known and "value" not in defaults:
            raise BadHeaderError(self._names)
        _require_ends({**dict.fromkeys(known, ""), **defaults})
        self._shape = self._converter.table({name: self._names.index(name) for name in known})
        self._value = self._names.index("value") if "value" in known else None
        self._n = len(self._names)

    def answer(self, cells: Cells) -> str:
        """Return the result's columns.

        Raises:
            DecaycalcError: the row has no answer.
        """
        if cells is None:
            raise BadRowError("not CSV: a quoted field does not end where it should")
        if len(cells) != self._n:
            raise BadRowError(f"{len(cells)} fields where the header has {self._n}")
        cells[-1] = cells[-1].removesuffix("\r")
        value = None if self._value is None else cells[self._value]
        return self._converter.answer(self._shape, cells, value)

    def error(self, line: int, raw: str, cells: Cells, error: DecaycalcError) -> tuple[str, str]:
        """Return a bad row and its error, in the error's own column; no broken quotes come out."""
        more = self._writer.error(line, error)
        if cells is None:
            return "," * (len(self._names) - 1), more
        return raw, "," * (len(self._names) - len(cells)) + more


def _require_ends(fields: dict[str, Any]) -> None:
    """Refuse a table whose every row would lack its source, or its one target.

    Raises:
        UsageError: it is one.
    """
    if "from" not in fields:
        raise UsageError("give --from, or a column 'from': what the values are in")
    if "to" not in fields or isinstance(fields["to"], tuple):
        raise UsageError("a CSV row has room for one target: give one --to, or a column 'to'")


def _extended(raw: str, more: str) -> str:
    """Return a record with columns added before its line's end."""
    return f"{raw[:-1]}{more}\r" if raw.endswith("\r") else raw + more


def _record(line: str, lines: Iterator[str]) -> tuple[str, Cells]:
    """Return a record as it stands, and its fields; a quoted one may go on in further lines."""
    if '"' not in line:
        return line, line.removesuffix("\r").split(",")
    taken: list[str] = []

    def feed() -> Iterator[str]:
        for text in chain((line,), lines):
            taken.append(text)
            yield text + "\n"

    try:
        cells = next(csv.reader(feed(), strict=True))
    except csv.Error:
        cells = None
    return "\n".join(taken), cells
