"""Imported: what an importer makes of a training configuration, and what they all share."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from decaycalc.algebra.quantity import exact
from decaycalc.errors import InvalidValueError, UnreadableFileError
from decaycalc.files import text as files
from decaycalc.record import Record
from decaycalc.training.published.record import Recipe

if TYPE_CHECKING:
    from pathlib import Path

# A hand-written configuration is a few kilobytes; ten megabytes hold any generated network.
LARGEST_FILE = 10_000_000

# Parts of a key's name that make it matter for the decay: such a key is never dropped in silence.
_TELLING = (
    "adam", "accum", "batch", "beta", "burn", "clip", "decay", "epoch", "gamma", "iter", "lr",
    "momentum", "nesterov", "optim", "regular", "rate", "sched", "step", "warm", "wd",
)  # fmt: skip


DEVICES_NOTE = "the number of devices is not in the file: give --world-size if it is not 1"


class LayerMultiplier(Record):
    """A tensor's own multipliers of lr and decay: its decay is `lr·lr_mult·λ·decay_mult`."""

    layer: str
    lr_mult: str
    decay_mult: str


class Imported(Record):
    """A recipe read from a file, what the reader must know about it, and layers that differ.

    `grad_accum` and `world_size` are not folded into the recipe's batch size when the file
    leaves one of them open; the notes then say so.
    """

    recipe: Recipe
    notes: tuple[str, ...] = ()
    multipliers: tuple[LayerMultiplier, ...] = ()


def read_text(path: "Path") -> str:
    """Return a configuration file's text.

    Raises:
        UnreadableFileError: it cannot be read, is too large, or not UTF-8.
    """
    return files.read_text(str(path), largest=LARGEST_FILE, streams=True)


def number(settings: Mapping[str, object], key: str, path: "Path") -> str | None:
    """Return a setting as the decimal that was typed; None when it is not set.

    Raises:
        UnreadableFileError: not a finite number.
    """
    value = settings.get(key)
    if value is None:
        return None
    text = str(value).strip()
    try:
        exact(text, name=key)  # True and False are texts here, so they are refused too
    except InvalidValueError as error:
        raise UnreadableFileError(str(path), str(error)) from None
    return text


def count(settings: Mapping[str, object], key: str, path: "Path") -> int | None:
    """Return a setting as a whole number of at least 1; None when it is not set.

    Raises:
        UnreadableFileError: not a whole number of at least 1.
    """
    text = number(settings, key, path)
    if text is None:
        return None
    value = exact(text)
    if value.denominator != 1 or value < 1:
        raise UnreadableFileError(str(path), f"{key} {text!r} is not a whole number from 1 on")
    return int(value)


def unread(settings: Iterable[str], used: Iterable[str]) -> tuple[str, ...]:
    """Return a note that names the keys which may matter and were not read; nothing if none."""
    known = set(used)
    names = sorted(
        key for key in settings if key not in known and any(part in key for part in _TELLING)
    )
    if not names:
        return ()
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")  # noqa: PLR2004
    return (f"not read: {shown}",)


def no_schedule(name: object, schedule: str | None) -> tuple[str, ...]:
    """Return a note when the file's lr schedule has no text of ours; nothing when it has."""
    if schedule is not None:
        return ()
    return (f"the lr schedule {str(name)!r} has no equal here: give --schedule",)


def compose(kind: str, /, **options: str | int | None) -> str:
    """Return a schedule's text, `cosine:warmup=2000,final=0.1`; what is None is left out."""
    given = ",".join(f"{name}={value}" for name, value in options.items() if value is not None)
    return f"{kind}:{given}" if given else kind


def decimal(value: str, by: str) -> str:
    """Return a quotient of two decimals as a text that reads back exactly.

    Raises:
        InvalidValueError: the divisor is zero.
    """
    divisor = exact(by)
    if not divisor:
        raise InvalidValueError("lr", by, "must not be 0")
    quotient = exact(value) / divisor
    text = repr(float(quotient))
    return text if exact(text) == quotient else str(quotient)
