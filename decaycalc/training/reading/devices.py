"""Devices: those of a run that share one micro-batch count as one that is data-parallel."""

from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.settings import Settings, derived, left_open
from decaycalc.training.reading.trainer import Derive, Field
from decaycalc.training.record import Origin, Sourced


def shared_by(settings: Settings, *paths: str) -> int | None:
    """Return how many devices share one micro-batch: the product of the parts at paths.

    None where the file sets one of them openly.

    Raises:
        UnreadableFileError: a part that is not a whole number from 1 on.
    """
    parts = 1
    for path in paths:
        found = settings.read("parts", path)
        if found is None:
            continue
        if found.origin is Origin.MISSING:
            return None
        number = typed_number(found.value or "")
        if number is None or number.denominator != 1 or number < 1:
            raise settings.fail(found, "is not a whole number from 1 on")
        parts *= int(number)
    return parts


def data_parallel(*paths: str) -> Derive:
    """Return what divides a run's devices by the parts of a model, or of a sequence, at paths."""

    def overrule(settings: Settings) -> Sourced | None:
        parts = shared_by(settings, *paths)
        if parts == 1:
            return None
        names = " · ".join(path for path in paths if settings.node(path) is not None)
        if parts is None:
            return _missing(names, f"{names}: how many devices share a micro-batch is not known")
        whole = typed_number(_devices(settings) or "")
        if whole is None:
            note = f"--world-size counts the data-parallel devices: all of them / {parts} ({names})"
            return derived("world_size", "1", f"devices / ({names})", note=note)
        if (whole / parts).denominator != 1:
            return _missing(names, f"{whole} devices are no multiple of the {parts} of {names}")
        return derived("world_size", str(whole / parts), f"{whole} devices / ({names})")

    return overrule


def devices_field(*paths: str) -> Field:
    """Return the field of the data-parallel devices of a trainer whose files have those parts."""
    return Field(name="world_size", default="1", covers=paths, overrule=data_parallel(*paths))


def said_of_given(settings: Settings) -> str:
    """Return what a number of devices that is given counts, where several share a micro-batch."""
    field = settings.trainer.field("world_size")
    names = () if field is None else tuple(filter(settings.has, field.covers))
    if "world_size" not in settings.given or shared_by(settings, *names) == 1:
        return ""
    return (
        f"--world-size {settings.given['world_size']} is taken for the data-parallel devices: all"
        f" of them over {' · '.join(names)}"
    )


def _devices(settings: Settings) -> str | None:
    """Return the number of all devices: the file's own, else the launcher's."""
    field, devices = settings.trainer.field("world_size"), settings.document.devices
    own = None if field is None else settings.in_file(field)
    return own.value if own is not None else None if devices is None else devices.text


def _missing(where: str, note: str) -> Sourced:
    return left_open("world_size", note, where=where)
