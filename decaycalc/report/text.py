"""Tables as text, HTML and SVG through rich."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console

from decaycalc.report.grid import Grid
from decaycalc.report.table import Table

if TYPE_CHECKING:
    from rich.table import Table as RichTable

# Rich pads nothing on the right, so a width beyond any table means the natural one.
_NATURAL = 100_000


def rich_table(grid: Grid) -> "RichTable":
    """Return a grid as rich's own table, which folds what is too wide."""
    # Imported here: few tables need folding.
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415

    shown = RichTable(
        title=grid.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    for column, right in zip(grid.columns, grid.right, strict=True):
        shown.add_column(column[0], justify="right" if right else "left", overflow="fold")
    for row in zip(*(column[1:] for column in grid.columns), strict=True):
        shown.add_row(*row)
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
    for grid in (part for table in tables for part in Grid.of(table).parted(console.width)):
        console.print(grid if grid.fits(console.width) else rich_table(grid))
        if grid.note:
            console.print(grid.note, "\n", sep="")
    lines = stream.getvalue().splitlines()
    return console, "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"
