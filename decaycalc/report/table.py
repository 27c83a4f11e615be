"""Table: a result as plain rows, whose cells stay numbers until a renderer shows them."""

from decaycalc.algebra.formula import number_text
from decaycalc.record import Record

Cell = str | int | float | bool | None


class Table(Record):
    """A titled table; `note` stands below it. Columns named in `numeric` align to the right."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: tuple[str, ...] = ()
    note: str = ""


def show_cell(cell: Cell) -> str:
    """Return a cell's text: the one place where digits are decided.

    >>> show_cell(0.00025), show_cell(1.2345678901234e-05), show_cell(None), show_cell(266200)
    ('0.00025', '1.2345679e-05', '-', '266,200')
    """
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}" if abs(cell) >= 10_000 else str(cell)  # noqa: PLR2004
    if isinstance(cell, float):
        return number_text(cell)
    return cell
