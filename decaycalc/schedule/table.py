"""Schedules from files: rows of a step and a multiplier, or of lr or weight_decay themselves.

A CSV file has a heading that names its columns, or two columns of steps and multipliers. A JSON
file is a list of pairs or of objects, an object whose `curve` is one, such as `decaycalc schedule
--json` writes, or a Trainer's trainer_state.json, whose `log_history` tells the lr of some steps.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import isfinite
from typing import Any

from decaycalc.errors import UnreadableFileError
from decaycalc.files.text import read_text

LARGEST_MULTIPLIER = 1e9  # as of multipliers that are typed
_EXPECTED = "expected rows of (step, multiplier) and nothing else"


class ScheduleOf(StrEnum):
    """What a schedule is of."""

    LR = "lr"
    DECAY = "weight_decay"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource:
    """What a file is read for: a schedule `of` a quantity whose peak is `peak`, if known."""

    of: ScheduleOf = ScheduleOf.LR
    peak: float | None = None

    @property
    def multipliers(self) -> tuple[str, ...]:
        """The columns that hold multipliers."""
        return (
            ("decay_multiplier", "multiplier") if self.of is ScheduleOf.DECAY else ("multiplier",)
        )

    @property
    def absolutes(self) -> tuple[str, ...]:
        """The columns that hold the quantity itself."""
        return ("weight_decay",) if self.of is ScheduleOf.DECAY else ("lr", "learning_rate")

    def column_of(self, names: Iterable[str]) -> str | None:
        """Return the column to read, None where there is none: first what holds the quantity."""
        given = set(names)
        return next((name for name in (*self.absolutes, *self.multipliers) if name in given), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTable:
    """Rows of a schedule in rising order of their steps.

    `unit` is what one multiplier is of the values, 1 where they are multipliers. `is_logged` tells
    that they are a log's, which has only some of the steps.
    """

    path: str
    column: str
    steps: tuple[float, ...]
    values: tuple[float, ...]
    source: TableSource
    is_logged: bool = False

    @property
    def unit(self) -> float:
        """What the values are divided by."""
        if self.column not in self.source.absolutes:
            return 1.0
        return max(self.values) if self.source.peak is None else self.source.peak

    def multipliers(self) -> tuple[float, ...]:
        """Return each row's multiplier."""
        return tuple(value / self.unit for value in self.values)

    def notes(self) -> Iterable[str]:
        """Yield what a reader must know of them, a line each."""
        largest, name = max(self.values), self.column
        if self.column in self.source.absolutes and self.source.peak is None:
            yield f"file: {name} is taken over its largest value, {largest:g}"
        elif self.unit not in {1.0, largest}:
            yield f"file: {name} rises to {largest:g}, {largest / self.unit:.4g} of {self.unit:g}"
        if self.is_logged:
            yield (
                f"file: {name} is known at {len(self.steps)} logged steps; between them it is"
                " interpolated, before the first and after the last it stays"
            )


def read_table(path: str, source: TableSource | None = None) -> StepTable:
    """Return the rows of a CSV file or, by its suffix, a JSON file.

    Raises:
        UnreadableFileError: Not a readable text file, or no such rows in it.
    """
    source = source or TableSource()
    text = read_text(path)
    try:
        is_json = path.lower().endswith(".json")
        table = _from_json(text, path, source) if is_json else _from_csv(text, path, source)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, csv.Error):
        raise UnreadableFileError(path, _EXPECTED) from None
    _check(table)
    return table


def _from_json(text: str, path: str, source: TableSource) -> StepTable:
    document = json.loads(text)
    if isinstance(document, dict) and "log_history" in document:
        return _from_log(document["log_history"], path, source)
    rows = document["curve"] if isinstance(document, dict) else document
    if not rows or not isinstance(rows[0], dict):
        return _from_pairs(rows, path, source)
    return _from_records(rows, path, source)


def _from_log(entries: list[Mapping[str, Any]], path: str, source: TableSource) -> StepTable:
    """Return a Trainer's logged lr. The lr logged after k steps is that of the k-th, number k - 1.

    Source: transformers trainer.py, `_inner_training_loop` ("get learning rate before update").
    """
    rows = [
        {**entry, "step": entry["step"] - 1}
        for entry in entries
        if source.column_of(entry) is not None
    ]
    if not rows:
        names = " or ".join(source.absolutes)
        raise UnreadableFileError(path, f"its log_history holds no {names}")
    return _from_records(rows, path, source, is_logged=True)


def _from_csv(text: str, path: str, source: TableSource) -> StepTable:
    rows = [row for row in csv.reader(text.splitlines()) if row]
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "step" not in heading:
        return _from_pairs(rows, path, source)
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(heading):
            reason = f"row {number} has {len(row)} cells, the heading {len(heading)}"
            raise UnreadableFileError(path, reason)
    records = [dict(zip(heading, row, strict=True)) for row in rows[1:]]
    return _from_records(records, path, source, names=heading)


def _from_pairs(rows: list[Any], path: str, source: TableSource) -> StepTable:
    pairs = [(float(step), float(value)) for step, value in rows]
    return StepTable(
        path=path,
        column=source.multipliers[-1],
        steps=tuple(step for step, _ in pairs),
        values=tuple(value for _, value in pairs),
        source=source,
    )


def _from_records(
    rows: Sequence[Mapping[str, Any]],
    path: str,
    source: TableSource,
    *,
    names: Iterable[str] | None = None,
    is_logged: bool = False,
) -> StepTable:
    column = source.column_of(rows[0] if names is None else names)
    if column is None:
        known = ", ".join((*source.absolutes, *source.multipliers))
        raise UnreadableFileError(path, f"it has no column of {known}")
    return StepTable(
        path=path,
        column=column,
        steps=tuple(float(row["step"]) for row in rows),
        values=tuple(float(row[column]) for row in rows),
        source=source,
        is_logged=is_logged,
    )


def _check(table: StepTable) -> None:
    """Refuse rows that no schedule has.

    Raises:
        UnreadableFileError: No rows, a number that is negative or infinite, steps out of order.
    """
    if not table.steps:
        raise UnreadableFileError(table.path, "it has no rows")
    for step, value in zip(table.steps, table.values, strict=True):
        if not (isfinite(step) and isfinite(value) and value >= 0 and step >= 0):
            reason = f"row ({step:g}, {value:g}) has a number that is negative or infinite"
            raise UnreadableFileError(table.path, reason)
    for first, second in pairwise(table.steps):
        if second <= first:
            reason = f"step {second:g} does not come after {first:g}"
            raise UnreadableFileError(table.path, reason)
    if not table.unit:
        raise UnreadableFileError(table.path, f"its {table.column} is 0 throughout")
    if max(table.values) / table.unit > LARGEST_MULTIPLIER:
        reason = f"{table.column} {max(table.values):g} is more than 1e9 of {table.unit:g}"
        raise UnreadableFileError(table.path, reason)
