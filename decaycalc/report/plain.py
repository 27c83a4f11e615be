"""Tables and rows as Markdown, CSV and JSON lines."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from decaycalc.errors import escaped
from decaycalc.report.document import to_json
from decaycalc.report.layout import strips
from decaycalc.report.table import Block, Paragraph

Row = Mapping[str, object]
# What a spreadsheet would run: OWASP, "CSV Injection".
_FORMULA_STARTS = ("=", "+", "-", "@")


def to_markdown(blocks: Iterable[Block]) -> str:
    """Return the blocks as GitHub Markdown."""
    return "\n\n".join(map(_block, blocks)) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return "<br>\n".join(_inert(escaped(line)) for line in block.text.split("\n"))
    columns = strips(block)
    title = "" if block.title == columns[0].header else f"**{_inert(block.title)}**\n\n"
    rule = ["---:" if strip.is_number else "---" for strip in columns]
    rows = zip(*(strip.texts for strip in columns), strict=True)
    lines = [tuple(strip.header for strip in columns), rule, *rows]
    body = "\n".join(f"| {' | '.join(map(_inert, line))} |" for line in lines)
    note = f"\n\n{_inert(block.note)}" if block.note else ""
    return f"{title}{body}{note}"


def _inert(text: str) -> str:
    """Return a text without what would end a cell or be taken for a tag."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("|", "\\|").replace("\n", "<br>")


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
    if isinstance(value, list | dict | tuple):
        return to_json(value, indent=None)
    return _defused(escaped(value)) if isinstance(value, str) else value


def _defused(text: str) -> str:
    """Return a text that a spreadsheet takes for a text, whatever it begins with."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def to_jsonl(rows: Iterable[Row]) -> str:
    """Return one JSON object a line."""
    return "".join(to_json(row, indent=None) + "\n" for row in rows)
