"""The parameter groups of a run as a table."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from decaycalc.report.table import Cell, Column, Kind, Table, Tone


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the groups with lr, number, decay per step, and the number in each target."""
    targets = [made["convention"] for row in rows[:1] for made in row["conversions"]]
    counted = any(row["n_tensors"] is not None for row in rows)
    columns = (
        Column(header="Groups"),
        Column(header="lr", kind=Kind.READ),
        Column(header="number", kind=Kind.READ),
        Column(header="decay per step", kind=Kind.READ, tone=Tone.VALUE),
        *((Column(header="tensors", kind=Kind.READ),) if counted else ()),
        *((Column(header="weights", kind=Kind.READ),) if counted else ()),
        *(Column(header=key, kind=Kind.COPIED) for key in targets),
    )
    names = (
        "name",
        "lr",
        "weight_decay",
        "shrink",
        *(("n_tensors", "n_weights") if counted else ()),
    )
    body = tuple(
        (*(cast("Cell", row[name]) for name in names), *_numbers(row, targets)) for row in rows
    )
    return Table(title="Groups", columns=columns, rows=body)


def _numbers(row: Mapping[str, Any], targets: Sequence[str]) -> tuple[Cell, ...]:
    """Return a group's number in each target; nothing where it is exempt."""
    numbers = {made["convention"]: made["value"] for made in row["conversions"]}
    return tuple(numbers.get(key) for key in targets)
