"""Tables and rows as Markdown, CSV and JSON lines."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from decaycalc.report.document import to_json
from decaycalc.report.table import Table, show_cell

Row = Mapping[str, object]


def to_markdown(tables: Iterable[Table]) -> str:
    """Return the tables as GitHub Markdown."""
    return "\n\n".join(map(_markdown, tables)) + "\n"


def _markdown(table: Table) -> str:
    rule = ["---:" if header in table.numeric else "---" for header in table.headers]
    rows = [table.headers, rule, *([show_cell(cell) for cell in row] for row in table.rows)]
    lines = [f"| {' | '.join(map(_escaped, row))} |" for row in rows]
    note = ["", table.note] if table.note else []
    return "\n".join([f"**{table.title}**", "", *lines, *note])


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def to_csv(rows: Sequence[Row]) -> str:
    """Return the rows as CSV with a header; lists become JSON, None an empty field."""
    stream = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _field(value) for name, value in row.items()})
    return stream.getvalue()


def _field(value: object) -> object:
    return to_json(value, indent=None) if isinstance(value, list | dict | tuple) else value


def to_jsonl(rows: Iterable[Row]) -> str:
    """Return one JSON object a line."""
    return "".join(to_json(row, indent=None) + "\n" for row in rows)
