"""Schedules from files: rows of (step, multiplier) in CSV or JSON."""

import csv
import json
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

from decaycalc.errors import UnreadableFileError

COLUMNS = ("step", "multiplier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of a schedule in rising order of their steps."""

    steps: tuple[float, ...]
    multipliers: tuple[float, ...]


def read_table(path: str) -> Table:
    """Return the rows of a CSV file or, by its suffix, a JSON file.

    CSV has two columns, with or without the heading `step,multiplier`; with it, further columns
    are skipped. JSON is a list of pairs or of objects with these keys, or an object whose `curve`
    is one, such as `decaycalc schedule --json` writes.

    Raises:
        UnreadableFileError: No such file, not text, or no such rows.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UnreadableFileError(path, _reason(error)) from error
    try:
        rows = _json_rows(text) if path.lower().endswith(".json") else _csv_rows(text)
        numbers = [(float(step), float(multiplier)) for step, multiplier in rows]
    except (ValueError, TypeError, KeyError, RecursionError, csv.Error):
        text = "expected rows of (step, multiplier) and nothing else"
        raise UnreadableFileError(path, text) from None
    return _checked(path, numbers)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it is no text"


def _json_rows(text: str) -> list[tuple[Any, ...]]:
    document = json.loads(text)
    rows = document["curve"] if isinstance(document, dict) else document
    return [
        tuple(row[name] for name in COLUMNS) if isinstance(row, dict) else tuple(row)
        for row in rows
    ]


def _csv_rows(text: str) -> list[tuple[Any, ...]]:
    rows = [row for row in csv.reader(text.splitlines()) if row]
    if not rows or not any(cell.strip().lower() == COLUMNS[0] for cell in rows[0]):
        return [tuple(row) for row in rows]
    heading = [cell.strip().lower() for cell in rows[0]]
    places = [heading.index(name) for name in COLUMNS]
    return [tuple(row[place] for place in places) for row in rows[1:]]


def _checked(path: str, rows: list[tuple[float, float]]) -> Table:
    if not rows:
        raise UnreadableFileError(path, "it has no rows")
    for step, multiplier in rows:
        if not (isfinite(step) and isfinite(multiplier) and multiplier >= 0 and step >= 0):
            reason = f"row ({step:g}, {multiplier:g}) has a number that is negative or endless"
            raise UnreadableFileError(path, reason)
    for (first, _), (second, _) in pairwise(rows):
        if second <= first:
            raise UnreadableFileError(path, f"step {second:g} does not come after {first:g}")
    steps, multipliers = zip(*rows, strict=True)
    return Table(steps=steps, multipliers=multipliers)
