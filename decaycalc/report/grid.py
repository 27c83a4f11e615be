"""Grid: a table laid out in columns of the width that its cells need, for a rich console.

Rich's own table measures, wraps and pads cell by cell, twice, which is most of the time that a long
list takes. What needs no folding is laid out here line by line, to look the same.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from decaycalc.report.table import Table, show_cell

# Columns of blanks: the one before a line, and those between two columns.
_EDGE, _GAP = " ", "   "


class Grid:
    """A table's titles, headers and cells as texts; a header may have several lines."""

    def __init__(
        self, title: str, columns: list[list[str]], *, right: list[bool], note: str = ""
    ) -> None:
        """Take the columns, each with its header first; those marked `right` align there."""
        self.title, self.columns, self.right, self.note = title, columns, right, note

    @classmethod
    def of(cls, table: Table) -> "Grid":
        """Return the grid of a table."""
        lines = (table.headers, *(tuple(map(show_cell, row)) for row in table.rows))
        columns = [list(column) for column in zip(*lines, strict=True)]
        right = [header in table.numeric for header in table.headers]
        return cls(table.title, columns, right=right, note=table.note)

    @cached_property
    def sizes(self) -> list[int]:
        """The width of each column."""
        return [
            max(*map(_width, column[0].split("\n")), _widest(column)) for column in self.columns
        ]

    @property
    def width(self) -> int:
        """The columns of the terminal that the grid takes, a blank at either end."""
        return 2 * len(_EDGE) + sum(self.sizes) + len(_GAP) * (len(self.sizes) - 1)

    def fits(self, width: int) -> bool:
        """Return whether it can be shown as it is: nothing to fold, and no control characters."""
        texts = (text for column in self.columns for text in column[1:])
        return max(self.width, _width(self.title)) <= width and "".join(texts).isprintable()

    def parted(self, width: int) -> Iterator["Grid"]:
        """Yield the grid, or its columns a few at a time where they are wider together.

        Headers are broken first. The first column heads each part; a column that is too wide even
        alone stands alone beside it.
        """
        if self.width <= width:
            yield self
            return
        narrow = self.selected(range(len(self.columns)), broken=True)
        part = [0]
        for place in range(1, len(self.columns)):
            if narrow.selected([*part, place]).width > width and len(part) > 1:
                yield narrow.selected(part)
                part = [0]
            part.append(place)
        last = narrow.selected(part)
        last.note = self.note
        yield last

    def selected(self, places: Iterable[int], *, broken: bool = False) -> "Grid":
        """Return some of the columns without the note; the title tells a continuation."""
        chosen = list(places)
        columns = [self.columns[place] for place in chosen]
        if broken:
            columns = [[_broken(column), *column[1:]] for column in columns]
        continued = 1 not in chosen and len(chosen) > 1
        title = f"{self.title}, continued" if continued else self.title
        return Grid(title, columns, right=[self.right[place] for place in chosen])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the title and the headers in bold, a rule and the rows."""
        bold = console.get_style("bold")
        header, *rows = zip(*map(self._padded, self.columns, self.sizes, self.right), strict=True)
        yield Segment(self.title, bold)
        yield Segment("\n\n")
        for line in zip(*(cell.split("\n") for cell in header), strict=True):
            yield Segment(_EDGE + _GAP.join(line), bold)
            yield Segment.line()
        yield Segment(f"{_EDGE}{'─' * (self.width - 2 * len(_EDGE))}\n")
        yield Segment("".join([f"{_EDGE}{_GAP.join(row)}\n" for row in rows]) + "\n")

    def _padded(self, column: list[str], size: int, right: bool) -> list[str]:  # noqa: FBT001
        """Return a column's texts with blanks up to its width; headers end on the same line."""
        height = max(column[0].count("\n") for column in self.columns)
        lines = [""] * (height - column[0].count("\n")) + column[0].split("\n")
        return [
            "\n".join(_fill(line, size, right=right) for line in lines),
            *[_fill(text, size, right=right) for text in column[1:]],
        ]


def _width(text: str) -> int:
    """Return the columns that a text takes; plain letters, nearly all there are, take one each."""
    return len(text) if text.isascii() else cell_len(text)


def _fill(text: str, size: int, *, right: bool) -> str:
    blanks = " " * (size - _width(text))
    return blanks + text if right else text + blanks


def _widest(column: list[str]) -> int:
    return max(map(_width, column[1:]), default=0)


def _broken(column: list[str]) -> str:
    """Return a header in lines no longer than the column's cells, as far as its words allow."""
    # Imported here: few tables need it.
    from textwrap import fill  # noqa: PLC0415

    width = _widest(column) or 1
    return fill(column[0], width, break_long_words=False, break_on_hyphens=False)
