"""Layout: a table as texts that fit a width, by fewer columns, folded prose or records."""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len

from decaycalc.record import Record
from decaycalc.report.digits import as_marked, column_texts
from decaycalc.report.table import ENDLESS, Cell, Column, Kind, Rank, Table, Tone

# Columns of blanks: one at either end, and those between two columns.
_EDGES, _GAP = 2, 3
_LONGEST_WORD = 24  # a convention's key; a longer path is broken at its slashes
_SQUEEZED = 12  # columns that a few words can still be read in


class Strip(Record):
    """A column as texts with their tones, and the columns of the terminal that it takes."""

    header: str
    texts: tuple[str, ...]
    tones: tuple[Tone, ...]
    width: int
    least: int = 0
    most: int = ENDLESS
    rank: Rank = Rank.KEY
    is_number: bool = False

    @property
    def broken(self) -> int:
        """The width with its header broken at blanks."""
        return min(max(_widest(self.header.split()), _widest(self.texts)), self.most)

    @property
    def is_folded(self) -> bool:
        """Whether a cell is wider than the strip."""
        return self.width < _widest(self.texts)

    @property
    def folded(self) -> int:
        """The width with its prose folded too, as far as it may be."""
        least = max(_widest(self.header.split()), self.least, self._word)
        return min(self.broken, least if self.least else self.broken)

    @property
    def squeezed(self) -> int:
        """The width with its prose folded further, where it may be folded at all."""
        return min(self.folded, max(_widest(self.header.split()), _SQUEEZED, self._word))

    @property
    def _word(self) -> int:
        """The width of the longest name, which is copied and so is not to be broken."""
        words = (word for text in self.texts for word in text.split())
        return min(max(map(_width, words), default=0), _LONGEST_WORD)

    def of_width(self, width: int) -> "Strip":
        """Return the strip in another width."""
        return Strip(
            header=self.header, texts=self.texts, tones=self.tones, width=width, least=self.least,
            most=self.most, rank=self.rank, is_number=self.is_number,
        )  # fmt: skip


def strips(table: Table) -> tuple[Strip, ...]:
    """Return the table's columns at the width that each of them needs."""
    cells: Iterable[Sequence[Cell]] = zip(*table.rows, strict=True)
    return tuple(map(_strip, table.columns, cells if table.rows else [()] * len(table.columns)))


def _strip(column: Column, cells: Sequence[Cell]) -> Strip:
    texts = tuple(column_texts(column, cells))
    return Strip(
        header=column.header,
        texts=texts,
        tones=tuple(as_marked(cell, column).tone for cell in cells),
        width=min(max(_width(column.header), _widest(texts)), column.most),
        least=column.least,
        most=column.most,
        rank=column.rank,
        is_number=column.kind != Kind.TEXT,
    )


def fitted(columns: tuple[Strip, ...], width: int) -> tuple[Strip, ...] | None:
    """Return the columns that fit a width, None where only records would.

    Headers are broken first; columns of the highest rank go next, then prose is folded, then all
    columns go but the key ones, whose prose is folded further.
    """
    for kept in _without(columns, Rank.EXTRA):
        chosen = _of_widths(kept, [strip.broken for strip in kept], width)
        if chosen is not None:
            return chosen
    stiff = tuple(strip for strip in columns if strip.rank != Rank.EXTRA)
    for kept in _without(stiff, Rank.USEFUL):
        chosen = _of_widths(kept, [strip.folded for strip in kept], width)
        if chosen is not None:
            return chosen
    key = tuple(strip for strip in stiff if strip.rank == Rank.KEY)
    return _of_widths(key, [s.squeezed if s.least else s.broken for s in key], width)


def _without(columns: tuple[Strip, ...], rank: Rank) -> Iterator[tuple[Strip, ...]]:
    """Yield the columns, then without the last of a rank, and so on until none of it is left."""
    kept = list(columns)
    yield tuple(kept)
    for strip in reversed(columns):
        if strip.rank == rank:
            kept.remove(strip)
            yield tuple(kept)


def _of_widths(
    columns: tuple[Strip, ...], widths: list[int], width: int
) -> tuple[Strip, ...] | None:
    """Return the columns widened from their least widths to fill the width, None if too wide."""
    left = width - total(widths)
    if left < 0:
        return None
    growing = [place for place, strip in enumerate(columns) if widths[place] < strip.width]
    while left and growing:
        for place in growing[:left]:
            widths[place] += 1
            left -= 1
        growing = [place for place in growing if widths[place] < columns[place].width]
    return tuple(strip.of_width(size) for strip, size in zip(columns, widths, strict=True))


def records(columns: tuple[Strip, ...], width: int, *, title: str) -> tuple[Strip, ...]:
    """Return the rows one below the other, a field and its value a line.

    What the title says already names no field. Values have what they need of the width, the fields'
    names the rest, a quarter at least.
    """
    fields: list[str] = []
    values: list[str] = []
    tones: list[Tone] = []
    for place in range(len(columns[0].texts)):
        for strip in columns:
            fields.append("" if strip.header == title else strip.header)
            values.append(strip.texts[place])
            tones.append(strip.tones[place])
        fields.append("")
        values.append("")
        tones.append(Tone.PLAIN)
    quiet = (Tone.QUIET,) * len(fields)
    least = max(_widest(word for field in fields for word in field.split()), width // 4)
    left = width - total([0, _widest(values)])
    size = min(_widest(fields), width // 2, max(least, left))
    rest = min(_widest(values), max(width - total([size, 0]), 1))
    return (
        Strip(header="", texts=tuple(fields), tones=quiet, width=size),
        Strip(header="", texts=tuple(values), tones=tuple(tones), width=rest),
    )


def total(widths: Iterable[int]) -> int:
    """Return the columns that a table of these widths takes, a blank at either end."""
    sizes = list(widths)
    return sum(sizes) + _GAP * (len(sizes) - 1) + _EDGES


def _widest(texts: Iterable[str]) -> int:
    return max((_width(line) for text in texts for line in text.split("\n")), default=0)


def _width(text: str) -> int:
    """Return the columns that a text takes; plain letters, nearly all there are, take one each."""
    return len(text) if text.isascii() else cell_len(text)
