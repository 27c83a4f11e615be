"""A decay under a schedule as tables, and as rows of its curve; the list of schedules."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypedDict

from decaycalc.algebra.number import ratio
from decaycalc.conversion.assumptions import assumed_by_decay
from decaycalc.conversion.side import Side
from decaycalc.record import replace
from decaycalc.report import heading, neighbours
from decaycalc.report.digits import of_run, show
from decaycalc.report.table import (
    Block,
    Cell,
    Column,
    Kind,
    Marked,
    Paragraph,
    Rank,
    Table,
    Tone,
)
from decaycalc.schedule import COMMON, KINDS, Parameter
from decaycalc.schedule.length import LARGEST_COUNT

if TYPE_CHECKING:
    from decaycalc.survival.equilibrium import Equilibrium
    from decaycalc.survival.scheduled import ScheduleAnswer

TABLE_POINTS = 11


class ParameterJson(TypedDict):
    """One parameter of a schedule, as it is typed."""

    name: str
    takes: str
    default: str
    help: str


class KindJson(TypedDict):
    """One schedule, and what it takes."""

    name: str
    aliases: list[str]
    title: str
    follows: str
    parameters: list[ParameterJson]


def tables(answer: "ScheduleAnswer") -> Iterator[Block]:
    """Yield the run as understood, what is left of a weight at its end, and a coarse curve."""
    side = Side(convention=answer.source, run=answer.run)
    yield heading.heading(answer.source, answer.value)
    yield heading.setting(
        answer.run,
        assumptions=assumed_by_decay(side),
        schedule=f"{answer.schedule.text}{' (not given)' if answer.is_supposed else ''}",
    )
    yield _summary(answer)
    if answer.equilibrium is not None:
        yield Paragraph(text=_settling(answer.equilibrium), tone=Tone.QUIET, apart=False)
    yield _curve(answer)


def _summary(answer: "ScheduleAnswer") -> Table:
    """Return the run's figures, what is left of a weight first."""
    decay, share = answer.decay, answer.timescale_run_fraction
    changing = answer.decay_schedule
    rows: tuple[tuple[Cell, ...], ...] = (
        ("fraction of the initial weight left", _in(decay.survival, kind=Kind.SHARE)),
        ("sum of the decays per step", decay.sum_shrink),
        ("decay per step at peak lr", answer.rule.peak_shrink),
        ("timescale at peak lr", _in(decay.timescale_at_peak_steps, "steps")),
        ("", None if share is None else replace(of_run(share), tone=Tone.VALUE)),
        ("timescale averaged over the run", _in(decay.mean_timescale_steps, "steps")),
        ("mean age of the updates in the final weights", _in(decay.mean_update_age_steps, "steps")),
        ("half of the final weights is younger than", _in(decay.half_mass_age_steps, "steps")),
        ("steps", decay.total_steps),
        ("decay schedule", None if changing is None else changing.text),
    )
    known = tuple(row for row in rows if row[1] is not None)
    columns = (
        Column(header="Over the run", least=24),
        Column(header="", kind=Kind.READ, tone=Tone.VALUE),
    )
    note = neighbours.note(_timescale_epochs(answer))
    return Table(title="Over the run", columns=columns, rows=known, note=note)


def _in(number: float | None, unit: str = "", *, kind: Kind = Kind.READ) -> Marked | None:
    if number is None:
        return None
    return Marked(content=number, unit=unit, kind=kind, tone=Tone.VALUE)


def _settling(equilibrium: "Equilibrium") -> str:
    """Return where the weights of normalised layers are predicted to settle."""
    parts = (
        ("RMS of the weights", equilibrium.rms, ""),
        ("norm of them all", equilibrium.norm, ""),
        ("rotation", equilibrium.rotation, " radians a step"),
        ("relaxation", equilibrium.relaxation_steps, " steps"),
    )
    known = (f"{name} {show(number)}{unit}" for name, number, unit in parts if number is not None)
    return f"{equilibrium.label}: {', '.join(known)}"


def _timescale_epochs(answer: "ScheduleAnswer") -> float | None:
    """Return the timescale at peak lr in epochs, None where N or B is unknown."""
    steps, per_epoch = answer.decay.timescale_at_peak_steps, answer.run.epoch_ratio
    if steps is None or per_epoch is None or per_epoch > LARGEST_COUNT:
        return None
    return ratio(steps, float(per_epoch))


def _curve(answer: "ScheduleAnswer") -> Table:
    """Return at most `TABLE_POINTS` points of the curve, the first and the last among them."""
    curve = answer.decay.curve
    n = min(TABLE_POINTS, len(curve))
    places = sorted({round(place * (len(curve) - 1) / max(n - 1, 1)) for place in range(n)})
    changing = answer.decay_schedule is not None
    columns = (
        Column(header="Step", kind=Kind.READ),
        Column(header="lr, of peak", kind=Kind.SHARE),
        *((Column(header="λ ×", kind=Kind.READ),) if changing else ()),
        Column(header="decay per step", kind=Kind.READ),
        Column(header="weight left", kind=Kind.SHARE, tone=Tone.VALUE),
        Column(header="share of this update at the end", kind=Kind.READ, rank=Rank.EXTRA),
    )
    rows = tuple(
        (
            point.step,
            point.multiplier,
            *((point.decay_multiplier,) if changing else ()),
            point.shrink,
            point.survival,
            point.update_weight,
        )
        for point in (curve[place] for place in places)
    )
    return Table(title="Step", columns=columns, rows=rows)


def rows(answer: "ScheduleAnswer") -> list[Mapping[str, object]]:
    """Return one row a point of the curve, for CSV and JSON lines."""
    return [
        {
            "step": point.step,
            "multiplier": point.multiplier,
            "decay_multiplier": point.decay_multiplier,
            "shrink": point.shrink,
            "survival": point.survival,
            "update_weight": point.update_weight,
        }
        for point in answer.decay.curve
    ]


def listing() -> Iterator[Table]:
    """Yield the schedules with their parameters, and those that all of them take."""
    rows = tuple(
        (kind.name, ", ".join((*kind.aliases, *kind.variants)), kind.title, kind.follows)
        for kind in KINDS
    )
    columns = (
        Column(header="Schedules", tone=Tone.VALUE),
        Column(header="aliases", least=14),
        Column(header="what", least=24),
        Column(header="agrees step by step with", least=20, rank=Rank.EXTRA, tone=Tone.QUIET),
    )
    note = (
        "write name:parameter=value,parameter=value; join segments by +, all but the last by until="
    )
    yield Table(title="Schedules", columns=columns, rows=rows, note=note)
    yield _parameters("Parameters of every schedule", tuple(("all", each) for each in COMMON))
    own = tuple((kind.name, each) for kind in KINDS for each in kind.parameters)
    yield _parameters("Parameters of one schedule", own)


def _parameters(title: str, parameters: tuple[tuple[str, Parameter], ...]) -> Table:
    rows = tuple(
        (name, each.name, "|".join(each.choices) or each.type.value, _default(each), each.help)
        for name, each in parameters
    )
    columns = (
        Column(header="schedule", tone=Tone.QUIET),
        Column(header="parameter", tone=Tone.VALUE),
        Column(header="takes", least=13),
        Column(header="default"),
        Column(header="meaning", least=24),
    )
    note = "a length is in steps, epochs (5epochs) or percent of the run (20%), rounded up"
    return Table(title=title, columns=columns, rows=rows, note=note)


def _default(parameter: Parameter) -> str:
    """Return a default as it would be typed."""
    default = parameter.default
    if default is None:
        return "-"
    if isinstance(default, tuple):
        return "/".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


def listed_rows() -> list[KindJson]:
    """Return one row a schedule, for JSON, CSV and JSON lines."""
    return [
        {
            "name": kind.name,
            "aliases": [*kind.aliases, *kind.variants],
            "title": kind.title,
            "follows": kind.follows,
            "parameters": [_described(each) for each in (*kind.parameters, *COMMON)],
        }
        for kind in KINDS
    ]


def _described(parameter: Parameter) -> ParameterJson:
    return {
        "name": parameter.name,
        "takes": "|".join(parameter.choices) or parameter.type.value,
        "default": _default(parameter),
        "help": parameter.help,
    }
