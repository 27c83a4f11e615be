"""Records as tables, for notebooks, rich consoles and `print`."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from shutil import get_terminal_size
from typing import Any

from rich.console import Group

from decaycalc.report.html import to_fragment
from decaycalc.report.table import Block, Cell, simple_table
from decaycalc.report.text import rich_group as group_of
from decaycalc.report.text import to_text

# Results that are shown as their command shows them, and the report that does so.
_REPORTS = {
    "Comparison": "compare",
    "Inspection": "inspect",
    "Probe": "probe",
    "Suggested": "suggest",
    "Verification": "verify",
}


def rich_group(record: Any) -> Group:
    """Return a record's tables as one rich renderable."""
    return group_of(blocks_of(record))


def html(record: Any) -> str:
    """Return a record's tables as the HTML that a notebook shows, their style among it."""
    return to_fragment(blocks_of(record))


def text(result: Any) -> str:
    """Return a result's tables as text of the terminal's width."""
    return to_text(blocks_of(result), width=get_terminal_size().columns, colour=False).rstrip()


def blocks_of(record: Any) -> tuple[Block, ...]:
    """Return a record's tables: those that the command line shows, or its fields."""
    # Imported here: a table of fields needs none of this.
    from decaycalc.answers import Answer  # noqa: PLC0415
    from decaycalc.conventions.record import Convention  # noqa: PLC0415
    from decaycalc.report import conventions, convert, transfer  # noqa: PLC0415
    from decaycalc.transfers.records import Transfer  # noqa: PLC0415

    if isinstance(record, Answer):
        return tuple(convert.tables(record, flag_of=str))
    if isinstance(record, Transfer):
        return tuple(transfer.tables(record, (), flag_of=str))
    if type(record).__name__ in _REPORTS:
        report = import_module(f"decaycalc.report.{_REPORTS[type(record).__name__]}")
        return tuple(report.tables(record))
    if isinstance(record, Convention):
        return conventions.record(record)
    rows = tuple(_rows("", _fields(record)))
    name = type(record).__name__
    return (simple_table(name, (name, "value"), rows),)


def _fields(record: Any) -> Mapping[str, Any]:
    """Return a record's fields by name, as JSON holds them where it does."""
    to_dict = getattr(record, "to_dict", None)
    fields: Mapping[str, Any] = vars(record) if to_dict is None else to_dict()
    return fields


def _rows(head: str, value: Any) -> Iterator[tuple[Cell, ...]]:
    """Yield name and number, one line each, names within names with a dot."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _rows(f"{head}.{name}" if head else str(name), part)
    elif value is None or isinstance(value, str | int | float):
        yield head, value
    elif value:
        yield head, str(value)
