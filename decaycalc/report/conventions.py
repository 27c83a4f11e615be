"""The conventions: their groups with the common ones, lists, and one record whole."""

import re
from collections.abc import Iterator

from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Loss
from decaycalc.conventions.selection import releases_checked
from decaycalc.conversion.entering import own_quantities
from decaycalc.report.table import (
    Block,
    Cell,
    Column,
    Kind,
    Paragraph,
    Rank,
    Table,
    Tone,
)

_MOST_WORDS = 6  # of a group, as many as are read at a glance
_ALONE = re.compile(r"/\((\w+)\)")  # a divisor that needs no parentheses
_LOSSES = {Loss.MEAN: "mean", Loss.BATCH_SUM: "batch sum", Loss.DATASET_SUM: "sum"}
_MORE = (
    "KEY for one of them whole, a framework's name (keras) for all of its own, --search TEXT, "
    "--all for every one"
)


def summary(conventions: tuple[Convention, ...]) -> Iterator[Block]:
    """Yield the groups with what they hold, and what the common conventions mean."""
    common = tuple(convention for convention in conventions if convention.common)
    frameworks = len({convention.key.partition("-")[0] for convention in conventions})
    text = f"{len(conventions)} conventions of {frameworks} frameworks, papers and measures"
    yield Paragraph(text=text, tone=Tone.VALUE)
    yield _groups(conventions)
    yield _list("The common ones", common)
    yield from _checked(common, among=conventions)
    yield Paragraph(text=_MORE, tone=Tone.QUIET)


def _checked(
    conventions: tuple[Convention, ...], among: tuple[Convention, ...] = ()
) -> Iterator[Paragraph]:
    """Yield the newest releases that the records were executed in, nothing where none was.

    `among` are more records, of which the number of packages is said.
    """
    releases = releases_checked(conventions)
    rest = len(set(releases_checked(among)) - set(releases))
    more = f" and {rest} packages and repositories more" if rest else ""
    if releases:
        yield Paragraph(text=f"Executed in {', '.join(releases)}{more}", tone=Tone.QUIET)


def _by_group(conventions: tuple[Convention, ...]) -> dict[str, tuple[Convention, ...]]:
    """Return the conventions of each group, whatever family they are written in."""
    groups: dict[str, tuple[Convention, ...]] = {}
    for convention in conventions:
        groups[convention.group] = (*groups.get(convention.group, ()), convention)
    return groups


def _groups(conventions: tuple[Convention, ...]) -> Table:
    columns = (
        Column(header="Groups"),
        Column(header="number", kind=Kind.READ),
        Column(header="frameworks and papers", least=24, tone=Tone.QUIET),
    )
    rows = tuple(
        (group, len(members), _some(members)) for group, members in _by_group(conventions).items()
    )
    return Table(title="Groups", columns=columns, rows=rows)


def _some(conventions: tuple[Convention, ...]) -> str:
    """Return the first words of the keys, and how many more there are."""
    words = list(dict.fromkeys(convention.key.partition("-")[0] for convention in conventions))
    rest = len(words) - _MOST_WORDS
    return ", ".join(words[:_MOST_WORDS]) + (f" and {rest} more" if rest > 0 else "")


def listing(conventions: tuple[Convention, ...]) -> Iterator[Block]:
    """Yield one table for each group of conventions."""
    for group, members in _by_group(conventions).items():
        yield _list(group, members)
    yield from _checked(conventions)


def _list(title: str, conventions: tuple[Convention, ...]) -> Table:
    columns = (
        Column(header=title),
        Column(header="means", tone=Tone.VALUE, least=22),
        Column(header="default", rank=Rank.USEFUL),
        Column(header="title", rank=Rank.EXTRA, tone=Tone.QUIET),
    )
    rows = tuple(
        (convention.key, meaning(convention), convention.default or "-", convention.title)
        for convention in conventions
    )
    return Table(title=title, columns=columns, rows=rows)


def meaning(convention: Convention) -> str:
    """Return what the number is: λ of ½λΣw² in its objective, or the decay per step."""
    if convention.refusal is not None:
        return "no single number"
    left, _, right = convention.formula().partition(" = ")
    beside_its_loss = right.replace("/loss_scale", "").replace("loss_scale·", "")
    formula = _ALONE.sub(r"/\1", beside_its_loss.replace("·loss_scale", ""))
    if left != "strength":
        return f"decay per step = {formula}"
    loss = "loss" if convention.loss is None else _LOSSES[convention.loss]
    return f"{loss} + ½λΣw², λ = {formula}"


def record(convention: Convention) -> tuple[Block, ...]:
    """Return one record whole, a line a field."""
    scaled = convention.monomial is not None and "loss_scale" in convention.monomial.names
    shown: tuple[tuple[str, Cell], ...] = (
        ("means", meaning(convention)),
        ("beside", "a loss of any scale: a sum has as many times the λ" if scaled else None),
        ("no number because", convention.refusal),
        ("aliases", ", ".join(convention.aliases)),
        ("group", convention.group),
        ("parameter", convention.parameter),
        ("update", convention.update),
        ("coupling", convention.coupling.value),
        ("optimizer", convention.optimizer),
        ("follows the lr by", convention.follows.value),
        ("own loss", convention.loss.value if convention.loss else None),
        ("default", convention.default),
        ("assumes", ", ".join(f"{name} = {value}" for name, value in convention.defaults)),
        ("takes", ", ".join(own_quantities(convention))),
        ("exempt by default", convention.exempt),
        ("trap", convention.trap),
        ("holds", convention.releases),
        ("estimate because", convention.estimate),
        ("source", convention.source),
        ("verification", convention.verification),
    )
    columns = (Column(header="field", tone=Tone.QUIET), Column(header="", least=30))
    known = tuple(row for row in shown if row[1])
    heading = Paragraph(text=f"{convention.key}: {convention.title}", tone=Tone.VALUE)
    return heading, Table(title="field", columns=columns, rows=known)
