"""Tables as text, HTML and SVG through rich."""

import io
from collections.abc import Iterable, Iterator
from textwrap import fill

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable

from decaycalc.report.table import Table, show_cell

# Rich pads nothing on the right, so a width beyond any table means the natural one.
_NATURAL = 100_000
# Columns of blanks that the box takes at both ends, and between two columns.
_EDGE, _GAP = 2, 3


def rich_table(table: Table) -> RichTable:
    """Return the table as a rich renderable."""
    shown = RichTable(
        title=table.title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for header in table.headers:
        right = header in table.numeric
        shown.add_column(header, justify="right" if right else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*map(show_cell, row))
    return shown


def fitted(table: Table, width: int) -> Iterator[Table]:
    """Yield the table, or its columns a few at a time where they are wider together.

    Headers are broken first. The first column heads each part; a column that is too wide even
    alone is folded.
    """
    whole = _sizes(table, table.headers)
    if sum(whole) + _EDGE + _GAP * (len(whole) - 1) <= width:
        yield table
        return
    headers = tuple(_broken(table, place) for place in range(len(table.headers)))
    sizes = _sizes(table, headers)
    part, used = [0], sizes[0] + _EDGE
    for place, size in enumerate(sizes[1:], start=1):
        if used + size + _GAP > width and len(part) > 1:
            yield _columns(table, headers, part)
            part, used = [0], sizes[0] + _EDGE
        part, used = [*part, place], used + size + _GAP
    yield _columns(table, headers, part, note=table.note)


def _sizes(table: Table, headers: tuple[str, ...]) -> list[int]:
    """Return the width of each column under headers of one or more lines."""
    return [
        max(*map(cell_len, header.split("\n")), _cells_width(table, place))
        for place, header in enumerate(headers)
    ]


def _cells_width(table: Table, place: int) -> int:
    return max((cell_len(show_cell(row[place])) for row in table.rows), default=0)


def _broken(table: Table, place: int) -> str:
    """Return a header in lines no longer than the column's cells, as far as its words allow."""
    width = _cells_width(table, place) or 1
    return fill(table.headers[place], width, break_long_words=False, break_on_hyphens=False)


def _columns(table: Table, headers: tuple[str, ...], places: list[int], *, note: str = "") -> Table:
    """Return some of a table's columns; the title tells a continuation."""
    return Table(
        title=table.title if 1 in places or len(places) == 1 else f"{table.title}, continued",
        headers=tuple(headers[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in table.rows),
        numeric=tuple(headers[place] for place in places if table.headers[place] in table.numeric),
        note=note,
    )


def to_text(
    tables: Iterable[Table], *, width: int | None, colour: bool, record: bool = False
) -> str:
    """Return the tables as text; `width` None is their natural width, `colour` adds escapes."""
    return _console(tables, width=width, colour=colour, record=record)[1]


def to_html(tables: Iterable[Table], *, width: int | None) -> str:
    """Return the tables as an HTML page."""
    return _console(tables, width=width, colour=True, record=True)[0].export_html()


def to_svg(tables: Iterable[Table], *, width: int | None) -> str:
    """Return the tables as an SVG picture."""
    console = _console(tables, width=width or _widest(tables), colour=True, record=True)[0]
    return console.export_svg(title="decaycalc")


def _widest(tables: Iterable[Table]) -> int:
    """Return the columns that the widest table takes."""
    text = to_text(tables, width=None, colour=False)
    return max((len(line) for line in text.splitlines()), default=1)


def _console(
    tables: Iterable[Table], *, width: int | None, colour: bool, record: bool
) -> tuple[Console, str]:
    """Return a console that has printed the tables, and what it printed."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width or _NATURAL,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        record=record,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    for table in (part for whole in tables for part in fitted(whole, width or _NATURAL)):
        console.print(rich_table(table))
        if table.note:
            console.print(table.note, "\n", sep="")
    lines = stream.getvalue().splitlines()
    return console, "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"
