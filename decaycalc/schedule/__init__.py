"""Learning-rate schedules: a compact text form, and the multipliers lr/peak of a run's steps.

What is data alone, the kinds and their parameters, is at hand without numpy.
"""

from typing import TYPE_CHECKING, Any

from decaycalc.schedule.kinds import COMMON, KINDS, Parameter, ScheduleKind
from decaycalc.schedule.length import Length, Span, Unit

if TYPE_CHECKING:
    from decaycalc.schedule.model import Schedule, Segment, parse_schedule

__all__ = [
    "COMMON",
    "KINDS",
    "Length",
    "Parameter",
    "Schedule",
    "ScheduleKind",
    "Segment",
    "Span",
    "Unit",
    "parse_schedule",
]


def __getattr__(name: str) -> Any:
    # Imported here: the schedules themselves need numpy, a list of their kinds does not.
    if name in {"Schedule", "Segment", "parse_schedule"}:
        from decaycalc.schedule import model  # noqa: PLC0415

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
