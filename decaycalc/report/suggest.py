"""What a weight decay may be, rule by rule, with intervals and conditions."""

from collections.abc import Callable, Iterator

from decaycalc.conversion.assumptions import Assumption
from decaycalc.report import heading
from decaycalc.report.table import Block, Column, Kind, Paragraph, Rank, Table, Tone
from decaycalc.transfers.suggested import Suggested, Suggestion


def _columns(parameter: str) -> tuple[Column, ...]:
    return (
        Column(header="Rule"),
        Column(header=parameter, kind=Kind.COPIED, tone=Tone.VALUE),
        Column(header="from", kind=Kind.COPIED),
        Column(header="to", kind=Kind.COPIED),
        Column(header="holds for", rank=Rank.USEFUL, least=24),
    )


def tables(
    found: Suggested, *, flag_of: Callable[[str], str] = str, explain: bool = False
) -> Iterator[Block]:
    """Yield the run, the rules' numbers, and those that give none; `explain` derives each.

    `flag_of` names what a quantity is given by.
    """
    aim = found.aim
    record = aim.convention
    yield Paragraph(text=f"{record.key}  {record.parameter} for this run", tone=Tone.VALUE)
    yield heading.setting(aim.run, assumptions=_assumed(found))
    if aim.n_parameters is not None:
        parameters = heading.counted(float(aim.n_parameters), "parameter")
        yield Paragraph(text=f"{parameters}, N and B in tokens", apart=False)
    for entry in found.assumptions:
        if entry.name == "epochs":
            text = f"epochs {heading.amount(entry.value)}: {entry.why}"
            yield Paragraph(text=text, tone=Tone.QUIET, apart=False)
    columns = _columns(record.parameter)
    rows = tuple(
        (entry.rule, entry.value, entry.low, entry.high, entry.conditions[0])
        for entry in found.suggestions
    )
    yield Table(title="Rule", columns=columns, rows=rows)
    yield from _without(found, flag_of)
    if explain:
        yield from map(_derivation, found.suggestions)


def _assumed(found: Suggested) -> tuple[Assumption, ...]:
    """Return the assumptions that are the run's own, to be marked in its line."""
    return tuple(entry for entry in found.assumptions if entry.name != "epochs")


def _without(found: Suggested, flag_of: Callable[[str], str]) -> Iterator[Paragraph]:
    """Yield the rules without a number, with what to give or the condition that fails."""
    for entry in found.unavailable:
        needed = f"with {', '.join(map(flag_of, entry.missing))}" if entry.missing else ""
        text = f"{entry.rule}: {needed or entry.message}"
        yield Paragraph(text=text, tone=Tone.QUIET, apart=False)


def _derivation(entry: Suggestion) -> Table:
    """Return one rule's steps, conditions and source."""
    rows = (
        *(("step", step) for step in entry.steps),
        *(("holds for", condition) for condition in entry.conditions),
        ("source", entry.source),
    )
    columns = (Column(header="", tone=Tone.QUIET), Column(header=entry.rule, least=30))
    return Table(title="", columns=columns, rows=rows)
