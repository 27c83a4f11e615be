"""What to type in other frameworks: the table Elsewhere, and what is out of reach."""

import re
from collections.abc import Callable, Iterator

from decaycalc.answers import Answer
from decaycalc.conventions.record import Convention, Coupling, Equivalence
from decaycalc.conversion.convert import Conversion
from decaycalc.conversion.decay import WORTH_SAYING, Decay
from decaycalc.conversion.equivalence import ALIKE, UNCLIPPED
from decaycalc.conversion.unavailable import Unavailable
from decaycalc.report.digits import shortest, show
from decaycalc.report.table import Cell, Column, Kind, Marked, Paragraph, Rank, Table, Tone
from decaycalc.report.words import class_cell, conditions_of, names_of

_SOME_LR = 1e-3  # an Adam-like optimizer's, for an example
_LEAST = 26  # columns that a class with its conditions may be folded to
_FIRST_ORDER = "to first order"


def elsewhere(answer: Answer, conversions: tuple[Conversion, ...]) -> Table:
    """Return the numbers to type elsewhere, those that go furthest first.

    Conversions that say the same share a row.
    """
    with_lr = any(conversion.lr is not None for conversion in conversions)
    formulas = answer.value is None
    columns = (
        Column(header="Elsewhere", least=18),
        Column(header="parameter"),
        *(() if formulas else (Column(header="value", kind=Kind.COPIED, tone=Tone.VALUE),)),
        *((Column(header="lr", kind=Kind.COPIED),) if with_lr else ()),
        Column(header="is", least=_LEAST),
        Column(header="formula", rank=Rank.KEY if formulas else Rank.EXTRA, tone=Tone.QUIET),
    )
    rows = []
    for alike in _alike(conversions, answer.decay):
        first = alike[0]
        value = () if formulas else (_value(first),)
        lr = (first.lr,) if with_lr else ()
        state = class_cell(first.equivalence, _conditions(first, answer.decay))
        name, parameter = names_of(tuple(c.convention for c in alike)), first.convention.parameter
        rows.append((name, parameter, *value, *lr, state, first.formula))
    return Table(title="Elsewhere", columns=columns, rows=tuple(rows))


def _conditions(conversion: Conversion, decay: Decay | None = None) -> str:
    """Return a conversion's conditions, the framework's defaults that it assumes among them.

    That a decay is held to first order goes unsaid where the source's `decay` is hardly another.
    """
    defaults = (f"{name} {show(value)}, its default" for name, value in conversion.assumed)
    texts = (conversion.condition, *conditions_of(conversion.note), *defaults)
    unsaid = {"", _FIRST_ORDER} if _is_linear(decay, conversion.convention) else {""}
    return "; ".join(text for text in dict.fromkeys(texts) if text not in unsaid)


def _is_linear(decay: Decay | None, target: Convention) -> bool:
    """Return whether the decay of both sides is about what it is to first order."""
    bent = target.coupling != Coupling.DECOUPLED or target.proximal or target.compounds
    if decay is None or bent:
        return False
    first = decay.first_order_shrink
    return abs(decay.per_step_shrink - first) * WORTH_SAYING <= abs(first)


def _value(conversion: Conversion) -> Cell:
    """Return the number, or what it is of an lr that is not known."""
    if conversion.layers:
        return "by layer"
    return conversion.value if conversion.per_lr is None else _per_lr(conversion.per_lr)


def _per_lr(number: float) -> str:
    return f"{shortest(number)} / its lr"


def _alike(
    conversions: tuple[Conversion, ...], decay: Decay | None
) -> list[tuple[Conversion, ...]]:
    """Return the conversions that say the same together, those that go furthest first."""
    groups: dict[object, list[Conversion]] = {}
    for conversion in conversions:
        formula = conversion.formula.partition(" = ")[2] if conversion.value is None else ""
        record = conversion.convention
        what = (record.parameter, conversion.value, conversion.per_lr, conversion.lr, formula)
        state = (conversion.equivalence, _conditions(conversion, decay), conversion.layers)
        groups.setdefault((what, state), []).append(conversion)
    far = list(Equivalence)
    return sorted(map(tuple, groups.values()), key=lambda each: far.index(each[0].equivalence))


def single(conversion: Conversion) -> Iterator[Paragraph]:
    """Yield the one number that was asked for: what it is, how far it goes, on what it rests."""
    record = conversion.convention
    if conversion.layers:
        number = f"{record.parameter} by layer"
    elif conversion.per_lr is not None:
        example = show(conversion.per_lr / _SOME_LR, Kind.COPIED)
        number = f"{record.parameter} = {_per_lr(conversion.per_lr)} (--to-lr 1e-3: {example})"
    elif conversion.value is None:
        number = record.parameter
    else:
        number = f"{record.parameter} = {show(conversion.value, Kind.COPIED)}"
    lr = "" if conversion.lr is None else f", lr {show(conversion.lr, Kind.COPIED)}"
    state = conversion.equivalence.words
    yield Paragraph(
        text=f"{record.key}  {number}{lr}   {state}   {conversion.formula}",
        tone=Tone.VALUE,
        apart=False,
    )
    unclipped = UNCLIPPED if UNCLIPPED in conversion.note else ""
    # Which settings those are has room here.
    alike = next((text for text in conversion.note.split("; ") if text.startswith(ALIKE)), ALIKE)
    conditions = "; ".join(filter(None, (_conditions(conversion).replace(ALIKE, alike), unclipped)))
    if conditions:
        yield Paragraph(text=conditions, tone=Tone.PARTIAL, apart=False)


def by_layer(conversions: tuple[Conversion, ...]) -> Table:
    """Return the numbers of the conventions that have one a layer."""
    rows = tuple(
        (conversion.convention.key, name, value)
        for conversion in conversions
        for name, value in conversion.layers
    )
    columns = (
        Column(header="By layer"),
        Column(header="layer"),
        Column(header="value", kind=Kind.COPIED, tone=Tone.VALUE),
    )
    return Table(title="By layer", columns=columns, rows=rows)


def out_of_reach(
    entries: tuple[Unavailable, ...], *, flag_of: Callable[[str], str]
) -> Iterator[Paragraph]:
    """Yield what to give for which conventions, and those that nothing reaches."""
    groups: dict[str, list[Convention]] = {}
    for entry in entries:
        needed = ", ".join(dict.fromkeys(map(flag_of, entry.missing)))
        what = f"with {needed}" if needed else "no equivalent"
        groups.setdefault(what, []).append(entry.convention)
    parts = [f"{what}: {names_of(tuple(records))}" for what, records in groups.items()]
    if parts:
        yield Paragraph(text=" · ".join(parts), tone=Tone.QUIET, apart=False)


def reasons(entries: tuple[Unavailable, ...], *, flag_of: Callable[[str], str]) -> Table:
    """Return the conventions out of reach by the reason that each of them has."""
    groups: dict[Cell, list[str]] = {}
    for entry in entries:
        needed = ", ".join(map(flag_of, entry.missing))
        reason = f"needs {needed}" if needed else _of_any(entry, flag_of)
        groups.setdefault(reason, []).append(entry.convention.key)
    columns = (
        Column(header="Out of reach", least=24),
        Column(header="conventions", least=24, tone=Tone.QUIET),
    )
    rows = tuple(
        (Marked(content=str(reason), tone=Tone.REFUSED), ", ".join(keys))
        for reason, keys in groups.items()
    )
    return Table(title="Out of reach", columns=columns, rows=rows)


def _of_any(entry: Unavailable, flag_of: Callable[[str], str]) -> str:
    """Return why a convention is out of reach as it is said of every one with that reason."""
    named = rf"(?<![\w-]){re.escape(entry.convention.key)}(?![\w-])"
    message = re.sub(named, "the other", entry.message)
    asked = entry.estimate_by
    return message.replace(asked, flag_of(asked)) if asked else message
