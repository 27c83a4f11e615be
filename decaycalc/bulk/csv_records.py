"""Records of CSV: their text and their cells, and what becomes of a quote that does not end."""

import re
from collections import deque
from collections.abc import Iterator

from decaycalc.bulk.stream import Stream

# A quoted cell that goes on for more characters than this is taken for a stray quote.
LONGEST_CELL = 1 << 17
# From an opening quote to the one that closes it; two in a row are a quote within.
_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")')
Places = list[tuple[int, int]]


class UnclosedError(Exception):
    """A quoted cell that does not end in the text."""


def cells_of(text: str) -> list[str] | None:
    """Return a record's cells, None where its quotes are broken.

    >>> cells_of('a,"b ""c"", d",e"f,'), cells_of('"a" b')
    (['a', 'b "c", d', 'e"f', ''], None)

    Raises:
        UnclosedError: a quoted cell does not end.
    """
    places = places_of(text)
    if places is None:
        return None
    return [_plain(text[start:end]) for start, end in places]


def _plain(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def places_of(text: str) -> Places | None:
    """Return where a record's cells begin and end in its text, None where quotes are broken.

    Raises:
        UnclosedError: a quoted cell does not end.
    """
    text, places, at = text.removesuffix("\r"), [], 0
    while True:
        start = at
        if text.startswith('"', at):
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                raise UnclosedError
            at = quoted.end()
        else:
            at = text.find(",", at)
            at = len(text) if at < 0 else at
        places.append((start, at))
        if at == len(text):
            return places
        if text[at] != ",":
            return None
        at += 1


class Records:
    """The records of a stream, each as it stands and with its cells.

    A quoted cell may go on in further lines. Where it does not end, or the record has not as many
    cells as `width`, its first line alone is the bad record and the next one is read afresh: one
    stray quote takes no other row with it.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream, self._lines = stream, stream.lines()
        self._again: deque[tuple[int, str]] = deque()
        self.width: int | None = None
        self.line = 0

    def __iter__(self) -> Iterator[tuple[str, list[str] | None]]:
        """Yield records; the cells of one with broken quotes are None."""
        while (line := self._next()) is not None:
            if '"' not in line:
                yield line, line.removesuffix("\r").split(",")
            else:
                yield self._quoted(line)

    def _next(self) -> str | None:
        """Return the next line and take note of its number."""
        if self._again:
            self.line, line = self._again.popleft()
            return line
        found = next(self._lines, None)
        self.line = self._stream.line
        return found

    def _quoted(self, line: str) -> tuple[str, list[str] | None]:
        """Return a record with quotes in it, which may go on in further lines."""
        number, text = self.line, line
        taken: list[tuple[int, str]] = []
        while True:
            try:
                cells = cells_of(text)
            except UnclosedError:
                if self._goes_on(taken):
                    text = "\n".join([line, *(more for _, more in taken)])
                    continue
                cells = None
            break
        self.line = number
        if taken and (cells is None or len(cells) != (self.width or len(cells))):
            self._again.extendleft(reversed(taken))
            return line, None
        return text, cells

    def _goes_on(self, taken: list[tuple[int, str]]) -> bool:
        """Take the lines up to the next with a quote; return whether there is one near enough."""
        size = sum(len(line) for _, line in taken)
        while size <= LONGEST_CELL and (line := self._next()) is not None:
            taken.append((self.line, line))
            size += len(line)
            if '"' in line:
                return True
        return False
