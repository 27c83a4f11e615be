"""Learning-rate schedules: a compact text form, and the multipliers lr/peak of a run's steps."""

from decaycalc.schedule.kinds import COMMON, KINDS, Kind, Parameter
from decaycalc.schedule.length import Length, Span, Unit
from decaycalc.schedule.model import Schedule, Segment, parse_schedule

__all__ = [
    "COMMON",
    "KINDS",
    "Kind",
    "Length",
    "Parameter",
    "Schedule",
    "Segment",
    "Span",
    "Unit",
    "parse_schedule",
]
