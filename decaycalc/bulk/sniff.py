"""Sniffing: what a stream of rows is written in, by how it begins."""

from typing import Protocol

_BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 16  # bytes read at a time until one is not blank


class ByteStream(Protocol):
    """Where rows are read from, as they come."""

    def read1(self, size: int, /) -> bytes:
        """Return some bytes, none at the end."""


class Begun:
    """A stream whose beginning has been looked at; reads give all of it, as it comes."""

    def __init__(self, source: ByteStream) -> None:
        self._source, self._head = source, b""
        while not self._told():
            data = self._source.read1(_CHUNK)
            if not data:
                break
            self._head += data

    def _told(self) -> bytes:
        """Return the beginning without what is blank."""
        return self._head.removeprefix(_BOM).strip()

    @property
    def format(self) -> str:
        """JSON lines where the first byte that is not blank begins an object or a list, else CSV.

        >>> from io import BytesIO
        >>> Begun(BytesIO(b' {"value": 1}')).format, Begun(BytesIO(b"value,lr")).format
        ('jsonl', 'csv')
        """
        told = self._told()
        return "jsonl" if not told or told.startswith((b"{", b"[")) else "csv"

    def read1(self, size: int) -> bytes:
        """Return some bytes, none at the end."""
        head, self._head = self._head, b""
        return head or self._source.read1(size)
