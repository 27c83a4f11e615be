"""What a weight decay may be, rule by rule, with intervals and conditions."""

from collections.abc import Iterator

from decaycalc.conversion.assumptions import Assumption
from decaycalc.report import heading
from decaycalc.report.table import Block, Column, Kind, Paragraph, Rank, Table, Tone
from decaycalc.transfers.suggested import Suggested, Suggestion


def _columns(parameter: str) -> tuple[Column, ...]:
    return (
        Column(header="Rule"),
        Column(header=parameter, kind=Kind.COPIED, tone=Tone.VALUE),
        Column(header="from", kind=Kind.READ),
        Column(header="to", kind=Kind.READ),
        Column(header="holds for", rank=Rank.USEFUL, least=24),
    )


def tables(found: Suggested, *, explain: bool = False) -> Iterator[Block]:
    """Yield the run, the rules' numbers, and those that give none; `explain` derives each."""
    aim = found.aim
    record = aim.convention
    yield Paragraph(text=f"{record.key}  {record.parameter} for this run", tone=Tone.VALUE)
    yield heading.setting(aim.run, assumptions=_assumed(found))
    if aim.n_parameters is not None:
        parameters = heading.amount(aim.n_parameters)
        yield Paragraph(text=f"{parameters} parameters, N and B in tokens", apart=False)
    for name, value, why in found.assumptions:
        if name != "momentum":
            yield Paragraph(text=f"{name} {value:g}: {why}", tone=Tone.QUIET, apart=False)
    columns = _columns(record.parameter)
    rows = tuple(
        (entry.rule, entry.value, entry.low, entry.high, entry.conditions[0])
        for entry in found.suggestions
    )
    yield Table(title="Rule", columns=columns, rows=rows)
    yield from _without(found)
    if explain:
        yield from map(_derivation, found.suggestions)


def _assumed(found: Suggested) -> tuple[Assumption, ...]:
    """Return the assumptions that are the run's own, to be marked in its line."""
    return tuple(
        Assumption(name=name, value=value, why=why)
        for name, value, why in found.assumptions
        if name == "momentum"
    )


def _without(found: Suggested) -> Iterator[Paragraph]:
    for entry in found.unavailable:
        yield Paragraph(text=f"{entry.rule}: {entry.message}", tone=Tone.QUIET, apart=False)


def _derivation(entry: Suggestion) -> Table:
    """Return one rule's steps, conditions and source."""
    rows = (
        *(("step", step) for step in entry.steps),
        *(("holds for", condition) for condition in entry.conditions),
        ("source", entry.source),
    )
    columns = (Column(header="", tone=Tone.QUIET), Column(header=entry.rule, least=30))
    return Table(title="", columns=columns, rows=rows)
