"""The lines of a training file: keys with values as YAML, and the keys that trainers share."""

from collections.abc import Mapping

from decaycalc.emit.settings import SnippetSettings
from decaycalc.errors import NoEquivalentError

Keys = Mapping[str, object]


class Yours(str):
    """What the user puts in; it stands in the file so that the file can be told."""

    __slots__ = ()


def yaml_file(settings: SnippetSettings, keys: Keys) -> str:
    """Return a YAML file: the snippet's heading as its comment, and the keys that are not None."""
    return "\n".join([f"# {settings.heading}", *_lines(keys)]) + "\n"


def _lines(keys: Keys) -> list[str]:
    """Return the keys as lines, those of a mapping below it."""
    lines: list[str] = []
    for key, value in keys.items():
        if isinstance(value, Mapping):
            lines += [f"{key}:", *(f"  {line}" for line in _lines(value))]
        elif value is not None:
            lines.append(f"{key}: {scalar(value)}")
    return lines


def scalar(value: object) -> str:
    """Return a scalar, or a list in brackets.

    YAML 1.1 takes 1e-05 for a text: a number with an exponent needs its point.
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(scalar, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        digits, sign, exponent = repr(value).partition("e")
        return digits + (".0" if sign and "." not in digits else "") + sign + exponent
    return f"{value}  # yours" if isinstance(value, Yours) else str(value)


def whole(number: object) -> int | None:
    """Return a count as a whole number."""
    return None if number is None else round(float(number))  # type: ignore[arg-type]


def devices_note(settings: SnippetSettings) -> tuple[str, ...]:
    """Return what a file without the number of devices leaves to the launcher."""
    devices = whole(settings.run.world_size) or 1
    return (f"start it on {devices} devices: the file does not say so",) if devices > 1 else ()


def refuse_schedule(settings: SnippetSettings, framework: str, reason: str) -> NoEquivalentError:
    """Return the error for a schedule that a trainer has no name for."""
    assert settings.schedule is not None  # noqa: S101  (only a schedule is refused)
    text = f"the schedule {settings.schedule.text!r}: {reason}"
    return NoEquivalentError(settings.source.key, framework, text)
