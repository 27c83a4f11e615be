"""A result in all its shapes, and where and how it is to be shown."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from decaycalc.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from decaycalc.report.table import Block


class Output(Record):
    """Where and how a result is to be shown; `asked` is the format that options name."""

    asked: str | None
    path: str | None
    width: int | None
    quiet: bool

    @property
    def is_file(self) -> bool:
        """Whether the result goes to a file."""
        return self.path not in {None, "-"}


class Draw(Protocol):
    """A plot as text of `width` columns."""

    def __call__(self, *, width: int, colour: bool) -> str:
        """Return the text."""


class Shown(Record):
    """A result in all its shapes, each made when it is asked for.

    `name` names the JSON document, `body` is its content after the three schema keys; `rows` are
    the lines of CSV and JSONL; `value` is the bare number; `warnings` go to stderr, and so do
    `remarks`, which are notes, and `notes` where the result has no room for them: beside a bare
    number and beside code.
    `text`, where there is one, stands for the tables on a terminal and in text files; `other` are
    texts in formats of the command's own. `plot` is drawn below the tables. `status` is what the
    program leaves with.
    """

    name: str
    body: Callable[[], Mapping[str, object]]
    tables: "Callable[[], Iterable[Block]]"
    rows: Callable[[], Sequence[Mapping[str, object]]]
    value: Callable[[], str] | None = None
    warnings: Sequence[str] = ()
    remarks: Sequence[str] = ()
    notes: Sequence[str] = ()
    text: Callable[[], str] | None = None
    other: Mapping[str, Callable[[], str]] = {}
    status: int = 0
    plot: "Draw | None" = None
