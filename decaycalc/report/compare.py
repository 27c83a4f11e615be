"""Two runs side by side: the sentence first, then the quantities, the groups and the factors."""

from collections.abc import Iterator, Mapping

from decaycalc.comparison import Comparison, Row
from decaycalc.report.digits import show
from decaycalc.report.heading import amount
from decaycalc.report.inspect import headline
from decaycalc.report.table import Block, Cell, Column, Kind, Paragraph, Rank, Table, Tone

_WORDS = {
    "value": "weight decay",
    "decay_schedule": "decay schedule",
    "examples_per_step": "B",
    "shrink": "decay per step",
    "sum_shrink": "sum over the run",
    "survival": "weight left at the end",
    "timescale_steps": "timescale, steps",
    "timescale_epochs": "timescale, epochs",
    "timescale_run_fraction": "timescale, of the run",
    "n_decayed": "weights that decay",
}
# What nobody types, so few digits will do.
_READ = {
    **dict.fromkeys(("shrink", "sum_shrink"), Kind.READ),
    **dict.fromkeys((name for name in _WORDS if name.startswith("timescale")), Kind.READ),
    **dict.fromkeys(("survival", "timescale_run_fraction"), Kind.SHARE),
}


def tables(found: Comparison) -> Iterator[Block]:
    """Yield the verdict, the two sides, and why they differ."""
    yield Paragraph(text=found.verdict, tone=Tone.VALUE)
    for name, side in zip(("first", "second"), found.sides, strict=True):
        yield Paragraph(text=f"{name}: {headline(side.training)}", apart=False)
    yield _side_by_side("quantity", [row for row in found.rows if any(_known(row))], _READ)
    if len(found.groups) > 1:
        decays = {row.name: Kind.READ for row in found.groups}
        yield _side_by_side("group, decay per step", list(found.groups), decays)
    if found.factors:
        yield _factors(found)


def _known(row: Row) -> tuple[bool, ...]:
    return tuple(value is not None for value in row.values)


def _side_by_side(title: str, rows: list[Row], kinds: Mapping[str, Kind]) -> Table:
    columns = (
        Column(header=title, tone=Tone.QUIET),
        Column(header="first", least=16),
        Column(header="second", least=16),
        Column(header="ratio", kind=Kind.READ, tone=Tone.VALUE, rank=Rank.USEFUL),
    )
    cells = tuple((_WORDS.get(row.name, row.name), *_cells(row, kinds), row.ratio) for row in rows)
    return Table(title=title, columns=columns, rows=cells)


def _cells(row: Row, kinds: Mapping[str, Kind]) -> Iterator[Cell]:
    """Yield both quantities as texts: below each other stand numbers of every size."""
    for value, unit in zip(row.values, row.units, strict=True):
        if not isinstance(value, float):
            yield value
        elif row.name in kinds:
            yield show(value, kinds[row.name])
        else:
            yield f"{amount(value)} {unit}".rstrip()


def _factors(found: Comparison) -> Table:
    columns = (
        Column(header="why", tone=Tone.QUIET),
        Column(header="factor", kind=Kind.READ, tone=Tone.VALUE),
        Column(header="of"),
    )
    words = {"step": "the decay per step", "sum": "the sum over the run, besides"}
    rows = tuple((each.name, each.factor, words[each.of]) for each in found.factors)
    return Table(title="why", columns=columns, rows=rows)


def rows(found: Comparison) -> list[Mapping[str, object]]:
    """Return one flat row a quantity, for CSV and JSON lines."""
    return [
        {"name": row.name, "first": row.values[0], "second": row.values[1], "ratio": row.ratio}
        for row in found.rows
    ]
