"""Rows of CSV: each comes back as it was, with the result's columns added."""

from typing import Any

from decaycalc.algebra.number import plural
from decaycalc.bulk.converter import Converter
from decaycalc.bulk.csv_records import Records, places_of
from decaycalc.bulk.fields import SETTINGS, Finder
from decaycalc.bulk.formats import CSV_COLUMNS, CsvColumns, to_csv
from decaycalc.bulk.stream import BadRowError, Stream, Tally, as_ours
from decaycalc.conventions.catalogue import find
from decaycalc.errors import ContradictionError, DecaycalcError, UsageError

_MOST_NAMED = 20  # columns in a complaint


class BadHeaderError(DecaycalcError):
    """A CSV header without the column that holds the values; `columns` are those it has."""

    kind = "bad-header"

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        more = [f"and {len(columns) - _MOST_NAMED} more"] if len(columns) > _MOST_NAMED else []
        found = ", ".join([*map(repr, columns[:_MOST_NAMED]), *more]) or "a line that is not CSV"
        super().__init__(f"no column is called 'value'; found: {found}{_delimiter_hint(columns)}")


def _delimiter_hint(columns: list[str]) -> str:
    """Return what is said of a header whose only column looks like several."""
    for delimiter in ";\t":
        if len(columns) == 1 and delimiter in columns[0]:
            return f"; fields must be separated by commas, not by {delimiter!r}"
    return ""


def convert_csv(stream: Stream, defaults: dict[str, Any], finder: Finder = find) -> Tally:
    """Answer rows of CSV: each comes back as it was, with the result's columns added.

    Raises:
        ContradictionError: a column that occurs twice, or that a result would be called.
        BadHeaderError: no column is called `value`.
        UsageError: neither a column nor a default says what to convert from, or to which target.
    """
    records = Records(stream)
    head = next((record for record in records if record[0] and not record[0].isspace()), None)
    if head is None:
        return stream.tally
    table = _Table(head[1] or [], defaults, finder)
    records.width = table.width
    stream.put(_extended(table.own(head[0]), "," + ",".join(CSV_COLUMNS)))
    tally, put = stream.tally, stream.put
    for raw, cells in records:
        if not raw or raw.isspace():
            continue
        tally.rows += 1
        try:
            more = table.row_text(cells)
            put(_extended(table.own(raw), more))
        except Exception as error:  # noqa: BLE001  (no row may cost the others their answers)
            put(table.error(records.line, raw, cells, as_ours(error)))
            if stream.failed():
                break
    stream.flush()
    return stream.tally


class _Table:
    """The columns of a CSV file and the converter of its rows."""

    def __init__(self, header: list[str], defaults: dict[str, Any], finder: Finder) -> None:
        self._names = [name.strip().removeprefix("\ufeff") for name in header]
        self._writer = CsvColumns()
        self._converter = Converter(defaults, self._writer, finder)
        self.width = len(self._names)
        # The columns of an earlier result, which this one replaces.
        self._n_old = len(CSV_COLUMNS) if (*self._names[-len(CSV_COLUMNS) :],) == CSV_COLUMNS else 0
        self._n_own = self.width - self._n_old
        names = self._names[: self._n_own]
        known = [name for name in names if name in SETTINGS or name == "value"]
        for name in names:
            if name in CSV_COLUMNS or known.count(name) > 1:
                why = "is what a result is called" if name in CSV_COLUMNS else "occurs twice"
                raise ContradictionError(f"column {name!r} {why}")
        if "value" not in known and "value" not in defaults:
            raise BadHeaderError(self._names)
        _require_ends({**dict.fromkeys(known, ""), **defaults})
        self._columns = self._converter.table({name: names.index(name) for name in known})
        self._value = names.index("value") if "value" in known else None

    def row_text(self, cells: list[str] | None) -> str:
        """Return the result's columns.

        Raises:
            DecaycalcError: the row has no answer.
        """
        if cells is None:
            raise BadRowError("not CSV: a quoted field does not end where it should")
        if len(cells) != self.width:
            raise BadRowError(
                f"{len(cells)} {plural(len(cells), 'field')} where the header has {self.width}"
            )
        value = None if self._value is None else cells[self._value]
        return self._converter.row_text(self._columns, cells, value)

    def own(self, raw: str) -> str:
        """Return a record without the columns of an earlier result."""
        if not self._n_old:
            return raw
        places = places_of(raw) or []
        end = "\r" if raw.endswith("\r") else ""
        return raw[: places[self._n_own - 1][1]] + end if len(places) == self.width else raw

    def error(self, line: int, raw: str, cells: list[str] | None, error: DecaycalcError) -> str:
        """Return a bad row with its error in the error's own column.

        Text with broken quotes, of which no cells can be made, stands in the first, quoted.
        """
        more = self._writer.error(line, error)
        if cells is None:
            return to_csv([raw.removesuffix("\r")]) + "," * (self._n_own - 1) + more
        raw = self.own(raw)
        return _extended(raw, "," * (self._n_own - len(cells)) + more)


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
