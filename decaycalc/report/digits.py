"""Numbers as texts: the one place where digits, notation and units are decided."""

from collections.abc import Sequence
from math import floor, isfinite, log10

from decaycalc.errors import beyond_float64, escaped
from decaycalc.record import replace
from decaycalc.report.table import Cell, Column, Kind, Marked

_WORDS = {None: "-", True: "yes", False: "no"}
_DIGITS = {Kind.READ: 4, Kind.COPIED: 6, Kind.LEFT: 4, Kind.SHARE: 3}  # significant ones
# Outside these, powers of ten are shorter.
_PLAIN_FROM, _PLAIN_BELOW = 1e-5, 1e9
# A factor this near to 1 shows as many nines as tell it from 1, up to so many digits.
_NEAR_ONE, _MOST_NINES = 0.999, 9
_MOST_SHARE = 1e300  # a weight that grew beyond it is told by its factor: 1e307 has no per cent
_MANY_RUNS = 10  # a length of so many runs has no per cent
_NEAR_ALL = 0.9995  # a share that three digits would call 100 %


def column_texts(column: Column, cells: Sequence[Cell]) -> list[str]:
    """Return the texts of a column's cells; numbers of one unit stand in one notation.

    >>> column_texts(Column(header="lr", kind=Kind.READ), [0.1, 7.8e-08, None, 266200])
    ['1e-1', '7.8e-8', '-', '266,200']
    """
    marked = [as_marked(cell, column) for cell in cells]
    powers = {_group(cell) for cell in marked if _needs_power(cell)}
    return [_text(cell, power=_group(cell) in powers) for cell in marked]


def show(number: float, kind: Kind = Kind.READ) -> str:
    """Return one number's text.

    >>> show(0.00025), show(1 / 3), show(5004.5625), show(2.5e-8), show(0.39378, Kind.SHARE)
    ('0.00025', '0.3333', '5,005', '2.5e-8', '39.4 %')
    >>> show(0.99999998, Kind.LEFT), show(1e-4 / 3, Kind.COPIED), show(1281167)
    ('0.99999998', '0.0000333333', '1,281,167')
    """
    return column_texts(Column(header="", kind=kind), [number])[0]


def of_run(share: float) -> Marked:
    """Return a length as a part of the run, in per cent, or as a multiple of it.

    >>> column_texts(Column(header=""), [of_run(0.0222), of_run(2), of_run(427)])
    ['2.22 % of the run', '200 % of the run', '427 × the run']
    """
    if share < _MANY_RUNS:
        return Marked(content=share, unit="of the run", kind=Kind.SHARE)
    return Marked(content=share, unit="× the run", kind=Kind.READ)


def shortest(number: float) -> str:
    """Return a number to be copied in its shorter notation, as people type it.

    >>> shortest(1e-4), shortest(0.002), shortest(0.2)
    ('1e-4', '2e-3', '0.2')
    """
    digits = _DIGITS[Kind.COPIED]
    return min(_written_out(number, digits), _with_power(number, digits), key=len)


def as_marked(cell: Cell, column: Column) -> Marked:
    """Return the cell with what it leaves to its column."""
    if isinstance(cell, Marked):
        return cell if cell.kind else replace(cell, kind=column.kind)
    return Marked(content=cell, kind=column.kind, tone=column.tone)


def _group(cell: Marked) -> tuple[Kind | None, str]:
    return cell.kind, cell.unit


def _needs_power(cell: Marked) -> bool:
    """Return whether a number is too small or too large to be written out."""
    if not isinstance(cell.content, float) or not cell.content:
        return False
    return not _PLAIN_FROM <= abs(cell.content) < _PLAIN_BELOW


def _text(cell: Marked, *, power: bool) -> str:
    text = _content(cell, power=power)
    unit = cell.unit.removesuffix("s") if text == "1" else cell.unit  # 1 step, 1 epoch
    return f"{text} {unit}" if unit else text


def _content(cell: Marked, *, power: bool) -> str:
    content, kind = cell.content, cell.kind or Kind.TEXT
    if content is None or isinstance(content, bool):
        return _WORDS[content]
    if isinstance(content, str):
        return escaped(content)
    if isinstance(content, tuple):
        return "\n".join(map(escaped, content))
    return _number(content, kind, power=power)


def _number(content: float, kind: Kind, *, power: bool) -> str:
    """Return a number as its column shows it.

    Raises:
        InvalidValueError: it is not finite: sums and products may leave float64's range.
    """
    if isinstance(content, float) and not isfinite(content):
        raise beyond_float64()
    if kind == Kind.SHARE:
        return _share(float(content))
    if kind == Kind.LEFT:
        return _left(float(content))
    if isinstance(content, int):
        return f"{content:,}"
    digits = _DIGITS.get(kind, _DIGITS[Kind.COPIED])
    return _with_power(content, digits) if power else _written_out(content, digits)


def _written_out(number: float, digits: int) -> str:
    """Return a number without a power of ten, thousands separated."""
    if not number:
        return "0"
    rounded = float(f"{number:.{digits}g}")
    decimals = max(digits - 1 - floor(log10(abs(rounded))), 0)
    text = f"{rounded:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def _with_power(number: float, digits: int) -> str:
    """Return a number with a power of ten, as people type it."""
    if not number:
        return "0"
    mantissa, _, exponent = f"{number:.{digits - 1}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def _any(number: float, digits: int) -> str:
    """Return a number that stands in no column, in the notation that suits it."""
    beyond = number and not _PLAIN_FROM <= abs(number) < _PLAIN_BELOW
    return (_with_power if beyond else _written_out)(number, digits)


def _left(factor: float) -> str:
    """Return a factor; one just below 1 with the nines that tell it from 1."""
    if not _NEAR_ONE < factor < 1:
        return _any(factor, _DIGITS[Kind.LEFT])
    digits = 1 - floor(log10(1 - factor))
    if digits > _MOST_NINES:
        return f"1 - {_any(1 - factor, 2)}"
    return f"{factor:.{digits}f}".rstrip("0")


def _share(share: float) -> str:
    """Return a share in per cent; one just below 100 % with the nines that tell it from 100."""
    if abs(share) > _MOST_SHARE:
        return f"{_any(share, _DIGITS[Kind.SHARE])} times"
    if not _NEAR_ALL <= share < 1:
        return f"{_any(100 * share, _DIGITS[Kind.SHARE])} %"
    digits = 1 - floor(log10(1 - share))
    if digits > _MOST_NINES:
        return "100 %"
    return f"{100 * share:.{max(digits - 2, 0)}f}".rstrip("0").rstrip(".") + " %"
