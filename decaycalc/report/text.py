"""Tables as text, HTML and SVG through rich."""

import io
from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from decaycalc.report.table import Table, show_cell

# Rich pads nothing on the right, so a width beyond any table means the natural one.
_NATURAL = 100_000


def rich_table(table: Table) -> RichTable:
    """Return the table as a rich renderable."""
    shown = RichTable(
        title=table.title,
        title_justify="left",
        caption=table.note or None,
        caption_justify="left",
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
    for table in tables:
        console.print(rich_table(table))
    lines = stream.getvalue().splitlines()
    return console, "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"
