"""The parameter groups of a run as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from decaycalc.errors import escaped
from decaycalc.report.digits import show
from decaycalc.report.table import Cell, Column, Kind, Table, Tone

_COUNTS = ("n_tensors", "n_weights")


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the groups with lr, number, decay per step, and the number in each target."""
    targets = list(dict.fromkeys(made["convention"] for row in rows for made in _made(row)))
    counts = _COUNTS if any(row["n_tensors"] is not None for row in rows) else ()
    left = ("survival",) if any(row["survival"] is not None for row in rows) else ()
    columns = (
        Column(header="Groups"),
        Column(header="lr", kind=Kind.READ),
        Column(header="number", kind=Kind.READ),
        Column(header="decay per step", kind=Kind.READ, tone=Tone.VALUE),
        *(Column(header="left at the end", kind=Kind.SHARE) for _ in left),
        *(Column(header=name.removeprefix("n_"), kind=Kind.READ) for name in counts),
        *(Column(header=key, kind=Kind.COPIED) for key in targets),
    )
    shown = ("lr", "weight_decay", "shrink", *left, *counts)
    body = tuple(
        (named(row), *(row[name] for name in shown), *_numbers(row, targets)) for row in rows
    )
    return Table(title="Groups", columns=columns, rows=body)


def named(row: Mapping[str, Any]) -> str:
    """Return a group's name, with the share of steps and the point where they are not plain."""
    share, towards = row["update_share"], row["towards"]
    parts = [escaped(row["name"])]
    parts += [f"in {show(100 * share)} % of the steps"] if share != 1 else []
    parts += ["towards its start"] if towards == "initial" else []
    return ", ".join(parts)


def _made(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return a group's conversions, where the command makes any."""
    made: Sequence[Mapping[str, Any]] = row.get("conversions", ())
    return made


def _numbers(row: Mapping[str, Any], targets: Sequence[str]) -> tuple[Cell, ...]:
    """Return a group's number in each target; nothing where it is exempt."""
    numbers = {made["convention"]: made["value"] for made in _made(row)}
    return tuple(numbers.get(key) for key in targets)
