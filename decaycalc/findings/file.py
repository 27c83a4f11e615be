"""DC5xx: what the file leaves open."""

from collections.abc import Iterator

from decaycalc.findings.record import Hit, Level, Rule, Subject, at
from decaycalc.training.record import Origin

_SHOWN = 6


def _devices(subject: Subject) -> Iterator[Hit]:
    world = subject.quantity("world_size")
    if world is not None and world.origin is Origin.DEFAULT:
        yield Hit(message="the number of devices is not in the file: one is taken")


def _not_used(subject: Subject) -> Iterator[Hit]:
    names = subject.training.not_used
    if names:
        yield Hit(message=f"sound relevant and were not read: {', '.join(names[:_SHOWN])}")


def _readings(subject: Subject) -> Iterator[Hit]:
    others = subject.training.alternatives
    if others:
        yield Hit(message=f"the file leaves {len(others) + 1} readings, all of which are shown")


def _missing(subject: Subject) -> Iterator[Hit]:
    names = subject.training.missing
    if names:
        yield Hit(message=f"not in the file: {', '.join(names[:_SHOWN])}")


def _schedule(subject: Subject) -> Iterator[Hit]:
    schedule = subject.training.open_schedule
    if schedule is not None:
        what = "the sum over the run and what is left at its end are not computed"
        yield at(f"the lr schedule is not known here: {what}", schedule)


RULES = (
    Rule(
        code="DC501", name="devices-unknown", level=Level.NOTE,
        summary="The number of devices is not in the file.", fix="give --world-size",
        source="the file", find=_devices,
    ),
    Rule(
        code="DC502", name="keys-not-read", level=Level.NOTE,
        summary="Keys that sound relevant were not read.", fix="look whether they change the decay",
        source="the file",
        find=_not_used,
    ),
    Rule(
        code="DC503", name="two-readings", level=Level.NOTE,
        summary="The file leaves more than one reading.", fix="give what decides it",
        source="the trainer's own source", find=_readings,
    ),
    Rule(
        code="DC504", name="quantities-missing", level=Level.NOTE,
        summary="Quantities without which there is no whole answer are missing.",
        fix="give them as options", source="the file", find=_missing,
    ),
    Rule(
        code="DC505", name="schedule-unknown", level=Level.NOTE,
        summary="The lr schedule cannot be said in the schedule language.", fix="give --schedule",
        source="the trainer's own source", find=_schedule,
    ),
)  # fmt: skip
