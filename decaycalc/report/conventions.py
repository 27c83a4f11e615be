"""The conventions as one table a group, and one record whole."""

from collections.abc import Iterator
from itertools import groupby

from decaycalc.conventions.record import Convention
from decaycalc.report.table import Cell, Table, simple_table


def listing(conventions: tuple[Convention, ...]) -> Iterator[Table]:
    """Yield one table for each group of conventions."""
    headers = ("key", "meaning", "default", "title")
    for group, members in groupby(conventions, key=lambda convention: convention.group):
        body = tuple(
            (
                convention.key,
                convention.formula(),
                convention.default,
                convention.title,
            )
            for convention in members
        )
        yield simple_table(title=group, headers=headers, rows=body)


def record(convention: Convention) -> tuple[Table, ...]:
    """Return one record whole, a line a field."""
    shown: tuple[tuple[str, Cell], ...] = (
        ("aliases", ", ".join(convention.aliases)),
        ("group", convention.group),
        ("parameter", convention.parameter),
        ("formula", convention.formula()),
        ("no scalar because", convention.refusal),
        ("update", convention.update),
        ("coupling", convention.coupling.value),
        ("optimizer", convention.optimizer),
        ("follows the schedule by", convention.follows.value),
        ("own loss", convention.loss.value if convention.loss else None),
        ("default", convention.default),
        ("assumes", ", ".join(f"{name} = {value}" for name, value in convention.defaults)),
        ("exempt by default", convention.exempt),
        ("trap", convention.trap),
        ("source", convention.source),
        ("verification", convention.verification),
    )
    known = tuple(row for row in shown if row[1])
    title = f"{convention.key}: {convention.title}"
    return (simple_table(title=title, headers=("field", "value"), rows=known),)
