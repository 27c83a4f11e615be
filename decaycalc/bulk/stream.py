"""Stream: rows read in chunks, and results written before the next chunk is awaited."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from decaycalc.bulk.sniff import ByteStream
from decaycalc.errors import DecaycalcError

CHUNK = 1 << 16
LONGEST_LINE = 1 << 24  # bytes; a line is held whole


class BadRowError(DecaycalcError):
    """A line that is not a row."""

    kind = "bad-row"


class UnforeseenError(DecaycalcError):
    """A fault of ours that a row has brought to light; the other rows are none the worse for it."""

    kind = "unforeseen"

    def __init__(self, error: Exception) -> None:
        super().__init__(f"a fault of decaycalc, please report it: {error!r}")


def as_ours(error: Exception) -> DecaycalcError:
    """Return an error that a row has raised as one of ours."""
    return error if isinstance(error, DecaycalcError) else UnforeseenError(error)


@dataclass(slots=True)
class Tally:
    """How many rows were answered, and how many of them have no result."""

    rows: int = 0
    failed: int = 0


class Stream:
    """Rows from `source`, their results to `sink`.

    `stop` ends the work at the first bad row; `watch` is told the tally now and then. `escapes`
    names what becomes of lone surrogates: bytes that are not UTF-8, or a JSON text's own.
    """

    def __init__(
        self,
        source: ByteStream,
        sink: BinaryIO,
        *,
        stop: bool = False,
        watch: Callable[[Tally], None] = lambda _tally: None,
    ) -> None:
        self._source, self._sink, self._stop, self._watch = source, sink, stop, watch
        self._ready: list[str] = []
        self.put = self._ready.append  # adds a line of output
        self.escapes = "surrogateescape"
        self.tally = Tally()
        self.line = 0
        self._end = ""

    def failed(self) -> bool:
        """Count a bad row and return whether to stop at it."""
        self.tally.failed += 1
        return self._stop

    def flush(self) -> None:
        """Write what is ready."""
        if self._ready:
            self._ready.append("")
            self._sink.write((self._end or "\n").join(self._ready).encode("utf-8", self.escapes))
            self._sink.flush()
            self._ready.clear()
            self._watch(self.tally)

    def lines(self) -> Iterator[str]:
        """Yield the lines without their ends; bytes that are not UTF-8 become surrogates."""
        for chunk in self._chunks():
            for line in chunk.decode("utf-8", "surrogateescape").split(self._end or "\n"):
                self.line += 1
                yield line

    def _chunks(self) -> Iterator[bytes]:
        """Yield whole lines, without the end of the last.

        Raises:
            BadRowError: a line of more than 16 MiB.
        """
        rest = b""
        while True:
            self.flush()
            data = self._source.read1(CHUNK)
            if not data:
                break
            self._end = self._end or _line_end(rest + data)
            whole, end, rest = (rest + data).rpartition((self._end or "\n").encode())
            if end:
                yield whole
            if len(rest) > LONGEST_LINE:
                raise BadRowError(f"line {self.line + 1} is longer than 16 MiB")
        if rest:
            yield rest.removesuffix(b"\r") if self._end != "\n" else rest


def _line_end(data: bytes) -> str:
    r"""Return what ends a text's lines: `\n` (also of `\r\n`), or the classic Mac's `\r`.

    Empty where the text does not tell yet: a last `\r` may be half of an end.
    """
    if b"\n" in data:
        return "\n"
    return "\r" if b"\r" in data[:-1] else ""
