"""Table: one description of a table, from which text, Markdown, HTML and SVG are made.

Cells stay numbers until a renderer shows them; a column says what kind of number it holds, what it
is worth where the terminal is narrow, and what its colour means.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from decaycalc.record import Record

ENDLESS = 100_000  # columns: more than a text has


class Tone(StrEnum):
    """What a colour means; the value is rich's name of the style."""

    PLAIN = ""
    VALUE = "bold"
    EXACT = "green"
    PARTIAL = "yellow"
    REFUSED = "red"
    QUIET = "dim"


class Kind(StrEnum):
    """What a column holds, which decides its digits and the side that it aligns to.

    READ: a number to be read. COPIED: one to be typed elsewhere. LEFT: a factor, often just below
    1. SHARE: a part of a whole, in per cent.
    """

    TEXT = "text"
    READ = "read"
    COPIED = "copied"
    LEFT = "left"
    SHARE = "share"


class Rank(IntEnum):
    """When a column goes, where a table is wider than the terminal: the highest first.

    EXTRA goes before prose is folded, USEFUL when folded prose is still too wide, KEY never: then
    each row becomes a record.
    """

    KEY = 0
    USEFUL = 1
    EXTRA = 2


# A tuple is a cell of several lines.
Plain = str | int | float | bool | tuple[str, ...] | None


class Marked(Record):
    """A cell with a tone, a kind or a unit of its own."""

    content: Plain
    tone: Tone = Tone.PLAIN
    kind: Kind | None = None
    unit: str = ""


Cell = Plain | Marked


class Column(Record):
    """A column: its header, what it holds, when it goes, what its colour means.

    `least` is the width that its prose may be folded to, 0 where it is not to be folded; at `most`
    it is folded however wide the screen is.
    """

    header: str
    kind: Kind = Kind.TEXT
    rank: Rank = Rank.KEY
    tone: Tone = Tone.PLAIN
    least: int = 0
    most: int = ENDLESS


class Table(Record):
    """A titled table; `note` stands below it. A title that heads the first column stands there."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class Paragraph(Record):
    """Lines of text between tables, an empty line before them where they are `apart`."""

    text: str
    tone: Tone = Tone.PLAIN
    apart: bool = True


Block = Table | Paragraph


def simple_table(
    title: str,
    headers: tuple[str, ...],
    rows: Iterable[tuple[Cell, ...]],
    *,
    numeric: tuple[str, ...] = (),
    note: str = "",
) -> Table:
    """Return a table without narrow forms; columns named in `numeric` hold numbers to be read."""
    columns = tuple(
        Column(header=header, kind=Kind.READ, rank=Rank.KEY)
        if header in numeric
        else Column(header=header, least=12)
        for header in headers
    )
    return Table(title=title, columns=columns, rows=tuple(rows), note=note)
