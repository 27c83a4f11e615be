"""A decay under a schedule as tables, and as rows of its curve; the list of schedules."""

from collections.abc import Iterator, Mapping

from decaycalc.algebra.number import ratio
from decaycalc.report import neighbours
from decaycalc.report.table import Cell, Table, simple_table
from decaycalc.schedule import COMMON, KINDS, Parameter
from decaycalc.schedule.length import LARGEST_COUNT
from decaycalc.survival.answer import ScheduleAnswer
from decaycalc.survival.equilibrium import Equilibrium

TABLE_POINTS = 11
_CURVE = ("step", "multiplier", "shrink per step", "survival", "share of this update at the end")


def tables(answer: ScheduleAnswer) -> Iterator[Table]:
    """Yield the run's figures and a coarse curve."""
    yield _summary(answer)
    if answer.equilibrium is not None:
        yield _equilibrium(answer.equilibrium)
    yield _curve(answer)


def _summary(answer: ScheduleAnswer) -> Table:
    decay = answer.decay
    rows: tuple[tuple[Cell, ...], ...] = (
        (f"{answer.source.parameter} ({answer.source.key})", float(answer.value)),
        ("schedule", answer.schedule.text),
        ("decay schedule", None if answer.decay_schedule is None else answer.decay_schedule.text),
        ("steps of the run", decay.total_steps),
        ("shrink per step at peak lr, first order", answer.rule.peak_shrink),
        ("sum of the shrinks, first order", decay.sum_shrink),
        ("survival of the initial weights, exact", decay.survival),
        ("timescale at peak lr, steps", decay.timescale_at_peak_steps),
        ("timescale at peak lr, fraction of the run", answer.timescale_run_fraction),
        ("timescale averaged over the run, steps", decay.mean_timescale_steps),
        ("mean age of the updates in the final weights, steps", decay.mean_update_age_steps),
        ("half of the final weights is younger than, steps", decay.half_mass_age_steps),
    )
    known = tuple(row for row in rows if row[1] is not None)
    return simple_table(
        title="Decay over the run",
        headers=("", "value"),
        rows=known,
        numeric=("value",),
        note=neighbours.note(_timescale_epochs(answer)),
    )


def _equilibrium(equilibrium: Equilibrium) -> Table:
    """Return where the weights of normalised layers are predicted to settle."""
    rows: tuple[tuple[Cell, ...], ...] = (
        ("RMS of the weights", equilibrium.rms),
        ("rotation per step, radians", equilibrium.rotation),
        ("relaxation, steps", equilibrium.relaxation_steps),
    )
    known = tuple(row for row in rows if row[1] is not None)
    return simple_table(
        title="Equilibrium",
        headers=("", "value"),
        rows=known,
        numeric=("value",),
        note=equilibrium.label,
    )


def _timescale_epochs(answer: ScheduleAnswer) -> float | None:
    """Return the timescale at peak lr in epochs, None where N or B is unknown."""
    steps, per_epoch = answer.decay.timescale_at_peak_steps, answer.run.epoch_ratio
    if steps is None or per_epoch is None or per_epoch > LARGEST_COUNT:
        return None
    return ratio(steps, float(per_epoch))


def _curve(answer: ScheduleAnswer) -> Table:
    """Return at most `TABLE_POINTS` points of the curve, the first and the last among them."""
    curve = answer.decay.curve
    n = min(TABLE_POINTS, len(curve))
    places = sorted({round(place * (len(curve) - 1) / max(n - 1, 1)) for place in range(n)})
    changing = answer.decay_schedule is not None
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
    headers = (*_CURVE[:2], *(("decay multiplier",) if changing else ()), *_CURVE[2:])
    return simple_table(title="Curve", headers=headers, rows=rows, numeric=headers)


def rows(answer: ScheduleAnswer) -> list[Mapping[str, object]]:
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
    yield simple_table(
        title="Schedules",
        headers=("name", "aliases", "what", "agrees step by step with"),
        rows=rows,
        note="write name:parameter=value,parameter=value; join segments by +, each but the last"
        " with until=",
    )
    yield _parameters("Parameters of every schedule", tuple(("all", each) for each in COMMON))
    own = tuple((kind.name, each) for kind in KINDS for each in kind.parameters)
    yield _parameters("Parameters of one schedule", own)


def _parameters(title: str, parameters: tuple[tuple[str, Parameter], ...]) -> Table:
    rows = tuple(
        (name, each.name, "|".join(each.choices) or each.type.value, _default(each), each.help)
        for name, each in parameters
    )
    headers = ("schedule", "parameter", "takes", "default", "meaning")
    note = "a length is in steps, epochs (5epochs) or percent of the run (20%), rounded up"
    return simple_table(title=title, headers=headers, rows=rows, note=note)


def _default(parameter: Parameter) -> str:
    """Return a default as it would be typed."""
    default = parameter.default
    if default is None:
        return "-"
    if isinstance(default, tuple):
        return "/".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


def listed_rows() -> list[Mapping[str, object]]:
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


def _described(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "takes": "|".join(parameter.choices) or parameter.type.value,
        "default": _default(parameter),
        "help": parameter.help,
    }
